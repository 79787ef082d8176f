// A crawl by the Rust library spider, for tools/bench_crawl.py: spider_bench SEEDS_FILE REQUESTS_PER_HOST
// Follows every link of the seeds' hosts; robots.txt is not asked for; nothing is kept.
use spider::tokio;
use spider::website::Website;

#[tokio::main]
async fn main() {
    let words: Vec<String> = std::env::args().collect();
    let seeds = std::fs::read_to_string(&words[1]).expect("the seeds file");
    let per_host: usize = words[2].parse().expect("requests per host");
    let crawls: Vec<_> = seeds
        .lines()
        .map(|seed| {
            let mut website = Website::new(seed);
            website
                .with_respect_robots_txt(false)
                .with_delay(0)
                .with_depth(0)
                .with_concurrency_limit(Some(per_host));
            tokio::spawn(async move { website.crawl().await })
        })
        .collect();
    for crawl in crawls {
        crawl.await.expect("a crawl");
    }
}
