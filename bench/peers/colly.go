// A crawl by the Go library colly, for tools/bench_crawl.py: colly_bench SEEDS_FILE REQUESTS_PER_HOST [FOLDER]
// Follows every link of the seeds' hosts; robots.txt is not asked for. With FOLDER pictures are fetched too, and every answer is saved there.
package main

import (
	"bufio"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"

	"github.com/gocolly/colly/v2"
)

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(3)
	}
}

func readSeeds(path string) (seeds []string, hosts []string) {
	file, err := os.Open(path)
	check(err)
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		seed, err := url.Parse(lines.Text())
		check(err)
		seeds = append(seeds, seed.String())
		hosts = append(hosts, seed.Hostname())
	}
	return
}

func main() {
	seeds, hosts := readSeeds(os.Args[1])
	perHost, err := strconv.Atoi(os.Args[2])
	check(err)
	crawl := colly.NewCollector(colly.AllowedDomains(hosts...), colly.Async(true))
	for _, host := range hosts {
		check(crawl.Limit(&colly.LimitRule{DomainGlob: host + ":*", Parallelism: perHost}))
	}
	crawl.OnHTML("a[href]", func(link *colly.HTMLElement) { link.Request.Visit(link.Attr("href")) })
	if len(os.Args) > 3 {
		folder := os.Args[3]
		var saved atomic.Int64
		crawl.OnHTML("img[src]", func(picture *colly.HTMLElement) { picture.Request.Visit(picture.Attr("src")) })
		crawl.OnResponse(func(answer *colly.Response) {
			check(answer.Save(filepath.Join(folder, strconv.FormatInt(saved.Add(1), 10))))
		})
	}
	for _, seed := range seeds {
		check(crawl.Visit(seed))
	}
	crawl.Wait()
}
