"""A crawl by Scrapy, for tools/bench_crawl.py: scrapy_bench.py SEEDS_FILE REQUESTS_PER_HOST [FOLDER]

Follows every link of the seeds' hosts; robots.txt is not asked for. With FOLDER pictures are fetched by Scrapy's own files pipeline, and pages
saved beside them.
"""
import hashlib
import sys
from pathlib import Path
from urllib.parse import urlsplit

import scrapy
from scrapy.crawler import CrawlerProcess
from scrapy.linkextractors import LinkExtractor

SEEDS = Path(sys.argv[1]).read_text().split()
FOLDER = Path(sys.argv[3]) if len(sys.argv) > 3 else None


class Pages(scrapy.Spider):
    name = "pages"
    start_urls = SEEDS
    allowed_domains = sorted({urlsplit(seed).hostname for seed in SEEDS})
    links = LinkExtractor()

    def parse(self, response):
        for link in self.links.extract_links(response):
            yield scrapy.Request(link.url)
        if FOLDER:
            (FOLDER / hashlib.sha1(response.url.encode()).hexdigest()).write_bytes(response.body)
            yield {"file_urls": [response.urljoin(src) for src in response.css("img::attr(src)").getall()]}


settings = {"ROBOTSTXT_OBEY": False, "LOG_LEVEL": "ERROR", "CONCURRENT_REQUESTS": 64, "CONCURRENT_REQUESTS_PER_DOMAIN": int(sys.argv[2]),
            "DOWNLOAD_DELAY": 0, "TELNETCONSOLE_ENABLED": False, "RETRY_ENABLED": False}
if FOLDER:
    settings |= {"ITEM_PIPELINES": {"scrapy.pipelines.files.FilesPipeline": 1}, "FILES_STORE": str(FOLDER / "files")}
process = CrawlerProcess(settings)
process.crawl(Pages)
process.start()
