#pragma once
// What a user can set about crawling. Declared here once; file keys, flags, environment and docs come from it (base/settings.h).
#include "base/settings.h"

namespace magpie::crawl {

struct CrawlSettings {
  Setting<std::string> agent{"crawl.agent", "", {}, "Name in User-Agent and for robots.txt, one word; a crawl needs one to start."};
  Setting<std::string> contact{"crawl.contact", "", {}, "Address or page a site's owner can turn to; stands in User-Agent."};
  Setting<std::int64_t> workers{"crawl.workers", 64, {1, 4'096}, "Fetches in flight in this process, all hosts together."};
  Setting<Millis> host_delay{"crawl.host_delay",
                             Millis(1'000),
                             {Millis(0), Millis(3'600'000)},
                             "Least pause between the starts of two requests to one host; robots' Crawl-delay when larger."};
  Setting<Millis> host_delay_max{
      "crawl.host_delay_max", Millis(300'000), {Millis(0), Millis(86'400'000)}, "A Crawl-delay above this counts as this."};
  Setting<std::int64_t> per_host{"crawl.per_host", 1, {1, 256}, "Most requests to one host at once."};
  Setting<std::int64_t> pages_per_host_max{
      "crawl.max_pages_per_host", 100'000, {1, 1'000'000'000}, "Pages fetched from one host in one job; pictures do not count."};
  Setting<Millis> run_max{"crawl.max_seconds",
                          Millis(0),
                          {Millis(0), Millis(std::int64_t{366} * 86'400'000)},
                          "Longest run; what is in flight then may take another 10 s. 0: no end."};
  Setting<std::int64_t> depth_max{"crawl.depth_max", 50, {0, 10'000}, "Links away from a seed that are still followed."};
  Setting<std::int64_t> redirects_max{"crawl.redirects_max", 10, {0, 100}, "Redirects in a row that are followed."};
  Setting<std::int64_t> retries_max{"crawl.retries_max", 2, {0, 20}, "Tries after the first when a fetch fails for a passing cause."};
  Setting<Millis> retry_delay{"crawl.retry_delay",
                              Millis(5'000),
                              {Millis(0), Millis(86'400'000)},
                              "Pause before the first retry of a URL; four times as long before each further one."};
  Setting<Millis> backoff_first{"crawl.backoff_first",
                                Millis(60'000),
                                {Millis(10), Millis(86'400'000)},
                                "Rest of a whole host after 429, 503 or time-outs without Retry-After; doubles each time."};
  Setting<Millis> backoff_max{
      "crawl.backoff_max", Millis(86'400'000), {Millis(10), Millis(7 * 86'400'000)}, "Longest rest of a host, whatever Retry-After says."};
  Setting<Millis> robots_ttl{"crawl.robots_ttl",
                             Millis(86'400'000),
                             {Millis(1'000), Millis(86'400'000)},
                             "How long a robots.txt is used before it is read again."};
  Setting<Millis> fetch_max{"crawl.fetch_max", Millis(60'000), {Millis(100), Millis(3'600'000)}, "Longest a single fetch may take."};
  Setting<std::int64_t> page_bytes_max{"crawl.page_bytes_max", 10 << 20, {1'024, 1 << 30}, "Largest page kept, after decompression."};
  Setting<std::int64_t> image_bytes_max{"crawl.image_bytes_max", 50 << 20, {1'024, 1 << 30}, "Largest picture kept."};
  Setting<std::int64_t> url_bytes_max{"crawl.url_bytes_max", 2'048, {64, 16'384}, "Longer addresses are not followed."};
  Setting<std::int64_t> sitemaps_per_host_max{"crawl.sitemaps_per_host_max", 500, {0, 50'000}, "Sitemaps read from one host."};
  Setting<bool> sitemaps{"crawl.sitemaps", true, {}, "Read the sitemaps that robots.txt names."};
  Setting<bool> same_site{"crawl.same_site", false, {}, "Scope is the seeds' registrable domains instead of their hosts."};
  Setting<bool> images_off_host{"crawl.images_off_host", true, {}, "Fetch pictures from other hosts when a page in scope shows them."};
  Setting<bool> drop_tracking{"crawl.drop_tracking", true, {}, "Take utm_… and similar parameters off addresses."};
  Setting<bool> allow_loopback{"crawl.allow_loopback", false, {}, "Let the crawl reach this machine's own addresses, for tests."};
  Setting<bool> allow_private{"crawl.allow_private", false, {}, "Let the crawl reach private networks."};

  template <class Visitor>
  void visit(Visitor&& each) {
    each(agent), each(contact), each(workers), each(host_delay), each(host_delay_max), each(per_host), each(pages_per_host_max);
    each(run_max), each(depth_max), each(redirects_max), each(retries_max), each(retry_delay), each(backoff_first);
    each(backoff_max), each(robots_ttl), each(fetch_max), each(page_bytes_max), each(image_bytes_max), each(url_bytes_max);
    each(sitemaps_per_host_max), each(sitemaps), each(same_site), each(images_off_host), each(drop_tracking);
    each(allow_loopback), each(allow_private);
  }
};

/// "NAME/0.1 (+CONTACT)", or "NAME/0.1" without a contact. kBadInput when crawl.agent is empty or not one word of letters, digits,
/// '-', '_' and '.', or when the contact has a line break or parenthesis.
Result<std::string> user_agent(const CrawlSettings& settings);

}  // namespace magpie::crawl
