#pragma once
// What a user can set about crawling. Declared here once; file keys, flags, environment and docs come from it (base/settings.h).
#include "base/settings.h"
#include "net/name_settings.h"

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
  Setting<Millis> backoff_forgiven{"crawl.backoff_forgiven",
                                   Millis(1'800'000),
                                   {Millis(0), Millis(86'400'000)},
                                   "Quiet time after which the doubling of a host's rests begins anew."};
  Setting<std::int64_t> backoffs_max{
      "crawl.backoffs_max", 5, {1, 100}, "Rests of a host in a row, without a good answer between them; then it is given up."};
  Setting<std::int64_t> failures_max{
      "crawl.failures_max", 20, {1, 10'000}, "Requests in a row that reach nobody (name, connection, TLS); then the host is given up."};
  Setting<Millis> backoff_wait_max{
      "crawl.backoff_wait_max",
      Millis(120'000),
      {Millis(0), Millis(7 * 86'400'000)},
      "How long a run waits, in all, while nothing is left but hosts that rest; then they are given up, to be retried later."};
  Setting<Millis> retry_after_wait_max{"crawl.retry_after_wait_max",
                                       Millis(600'000),
                                       {Millis(0), Millis(7 * 86'400'000)},
                                       "The same for hosts that named the time of their rest themselves, in Retry-After."};
  Setting<double> delay_factor{"crawl.delay_factor",
                               0.0,
                               {0.0, 100.0},
                               "Times the last answer's time that a host is left alone behind it, at most crawl.host_delay_max."};
  Setting<Millis> robots_ttl{"crawl.robots_ttl",
                             Millis(86'400'000),
                             {Millis(1'000), Millis(86'400'000)},
                             "How long a robots.txt is used before it is read again."};
  Setting<Millis> fetch_max{"crawl.fetch_max", Millis(60'000), {Millis(100), Millis(3'600'000)}, "Longest a single fetch may take."};
  Setting<std::int64_t> speed_bytes_min{
      "crawl.speed_min", 256, {0, 1 << 30}, "Bytes a second that an answer must bring over crawl.speed_period; slower ones are given up."};
  Setting<Millis> speed_period{
      "crawl.speed_period", Millis(20'000), {Millis(1'000), Millis(600'000)}, "Time over which crawl.speed_min counts."};
  Setting<std::int64_t> bytes_per_second{"crawl.bytes_per_second",
                                         0,
                                         {0, std::int64_t{1} << 40},
                                         "Most bytes received a second, all fetches together, on average. 0: no limit."};
  Setting<std::int64_t> page_bytes_max{"crawl.page_bytes_max", 10 << 20, {1'024, 1 << 30}, "Largest page kept, after decompression."};
  Setting<std::int64_t> image_bytes_max{"crawl.image_bytes_max", 50 << 20, {1'024, 1 << 30}, "Largest picture kept."};
  Setting<std::int64_t> url_bytes_max{"crawl.url_bytes_max", 2'048, {64, 16'384}, "Longer addresses are not followed."};
  Setting<std::int64_t> sitemaps_per_host_max{"crawl.sitemaps_per_host_max", 500, {0, 50'000}, "Sitemaps read from one host."};
  Setting<Millis> revisit_first{"crawl.revisit_first",
                                Millis(std::int64_t{86'400} * 1'000),
                                {Millis(1'000), Millis(std::int64_t{366} * 86'400'000)},
                                "When a page is due again after its first visit; later it depends on how often it changes."};
  Setting<Millis> revisit_min{"crawl.revisit_min",
                              Millis(3'600'000),
                              {Millis(1'000), Millis(std::int64_t{366} * 86'400'000)},
                              "No page is due sooner, however often it changes."};
  Setting<Millis> revisit_max{"crawl.revisit_max",
                              Millis(std::int64_t{30} * 86'400'000),
                              {Millis(1'000), Millis(std::int64_t{10} * 366 * 86'400'000)},
                              "Every page is due after so long, even if it never changes."};
  Setting<bool> revisit{"crawl.revisit", false, {}, "While 'magpie serve' runs: visit pages again when they are due."};
  Setting<bool> sitemaps{"crawl.sitemaps", true, {}, "Read the sitemaps that robots.txt names."};
  Setting<bool> same_site{"crawl.same_site", false, {}, "Scope is the seeds' registrable domains instead of their hosts."};
  Setting<bool> originals{
      "crawl.originals",
      true,
      {},
      "Ask for a picture's original where its address spells a smaller size (\"lamp-300x200.jpg\"), for as long as that "
      "brings larger ones."};
  Setting<bool> images_off_host{"crawl.images_off_host", true, {}, "Fetch pictures from other hosts when a page in scope shows them."};
  Setting<std::string> pictures{"crawl.pictures",
                                "embed",
                                {"archive", "describe", "embed"},
                                "How far a picture goes: 'archive' keeps what was fetched; 'describe' makes thumbnails, finds copies and "
                                "colours, and lets words find it; 'embed' lets it be found by its looks, too. 'magpie rebuild --analyse' "
                                "does what was left out."};
  Setting<bool> focus{
      "crawl.focus",
      true,
      {},
      "Follow first what looks like the pages of its site that had products or pictures, or led to them, and last what looks "
      "like those that had none. Off: shallow pages first."};
  Setting<std::string> focus_words{
      "crawl.focus_words",
      "",
      {},
      "Words, with ',' between: links that have one in their text or address are followed sooner, until more is known."};
  Setting<std::string> focus_avoid{"crawl.focus_avoid", "", {}, "The same for links that are followed later."};
  Setting<std::string> render{"crawl.render",
                              "auto",
                              {"auto", "always", "never"},
                              "Show pages in a browser (Chromium) before they are read: 'auto' those that leave all to scripts, and of a "
                              "kind only where it brings something; 'always' all; 'never' starts none."};
  Setting<std::string> browser{"crawl.browser", "", {}, "Chromium's program, by name or path. Empty: the first that is found in PATH."};
  Setting<std::int64_t> render_tabs{"crawl.render_tabs", 2, {1, 32}, "Pages that a browser shows at once."};
  Setting<Millis> render_time_max{"crawl.render_time_max",
                                  Millis(20'000),
                                  {Millis(500), Millis(600'000)},
                                  "What a page's scripts may take in a browser, without the time that servers take to answer."};
  Setting<std::int64_t> render_requests_max{
      "crawl.render_requests_max", 100, {0, 10'000}, "Scripts and data that are fetched for one page in a browser."};
  Setting<std::int64_t> render_memory_max{"crawl.render_memory_max",
                                          std::int64_t{1} << 30,
                                          {std::int64_t{200} << 20, std::int64_t{1} << 40},
                                          "Bytes of memory of all the browser's processes; beyond, it is started anew."};
  Setting<bool> drop_tracking{"crawl.drop_tracking", true, {}, "Take utm_… and similar parameters off addresses."};
  Setting<bool> drop_sessions{"crawl.drop_sessions", true, {}, "Take session ids (;jsessionid=, PHPSESSID, sid, …) off addresses."};
  Setting<bool> cookies{"crawl.cookies", true, {}, "Send a host's own cookies back to it while a crawl runs; nothing is kept behind it."};
  Setting<std::int64_t> repeats_max{
      "crawl.repeats_max",
      20,
      {1, 1'000'000'000},
      "Pages of one host with the very same bytes whose links are followed; those of further ones are not. The same "
      "number of pages with hardly a word may look alike; further ones are soft errors."};
  Setting<std::int64_t> links_per_page_max{"crawl.links_per_page_max", 100'000, {0, 100'000}, "Links that are taken from one page."};
  Setting<bool> honour_noai{"crawl.honour_noai",
                            true,
                            {},
                            "Keep what asks for it (noai, noimageai, tdm-reservation) out of the picture search, as noimageindex does."};
  Setting<bool> tdm_file{"crawl.tdm_file",
                         true,
                         {},
                         "Read each site's /.well-known/tdmrep.json, once in crawl.robots_ttl, and honour it as the header of that name."};
  Setting<std::string> windows{
      "crawl.windows", "", {}, "When a crawl may ask, as 'mon-fri 22:00-06:00; sat,sun'; outside it rests. Empty: always."};
  Setting<std::string> time_zone{"crawl.time_zone", "", {}, "Zone of crawl.windows, as Europe/Berlin. Empty: this machine's."};
  Setting<std::string> logins{
      "crawl.logins",
      "",
      {},
      "File of user names and passwords, each for one origin, for HTTP Basic or its login form; only its owner may read it (mode 0600)."};
  Setting<Millis> login_every{"crawl.login_every",
                              Millis(300'000),
                              {Millis(1'000), Millis(86'400'000)},
                              "Least time between two logins of one site by its form, should its session end again and again."};
  Setting<std::string> cookie_file{
      "crawl.cookie_file", "", {}, "File of cookies to be sent (cookies.txt, as browsers and curl export); mode 0600."};
  Setting<std::string> politeness_by{"crawl.politeness_by",
                                     "host",
                                     {"host", "domain", "address"},
                                     "What delays and limits count for: domains are registrable ones, addresses public ones only."};
  Setting<std::string> proxy{"crawl.proxy", "", {}, "Proxy all fetches go through: http://, https://, socks5:// or socks5h://HOST:PORT."};
  Setting<bool> allow_loopback{"crawl.allow_loopback", false, {}, "Let the crawl reach this machine's own addresses, for tests."};
  Setting<bool> allow_private{"crawl.allow_private", false, {}, "Let the crawl reach private networks."};

  NameSettings names;

  template <class Visitor>
  void visit(Visitor&& each) {
    each(agent), each(contact), each(workers), each(host_delay), each(host_delay_max), each(per_host), each(pages_per_host_max);
    each(run_max), each(depth_max), each(redirects_max), each(retries_max), each(retry_delay), each(backoff_first);
    each(backoff_max), each(backoff_forgiven), each(backoffs_max), each(failures_max), each(backoff_wait_max), each(retry_after_wait_max);
    each(delay_factor), each(robots_ttl), each(fetch_max), each(speed_bytes_min), each(speed_period), each(bytes_per_second),
        each(page_bytes_max), each(image_bytes_max), each(url_bytes_max);
    each(revisit_first), each(revisit_min), each(revisit_max), each(revisit);
    each(sitemaps_per_host_max), each(sitemaps), each(same_site), each(originals), each(images_off_host), each(pictures), each(focus),
        each(drop_tracking);
    each(focus_words), each(focus_avoid), each(render), each(browser), each(render_tabs), each(render_time_max), each(render_requests_max),
        each(render_memory_max);
    each(drop_sessions), each(cookies), each(repeats_max), each(links_per_page_max), each(honour_noai), each(politeness_by), each(proxy);
    each(allow_loopback), each(allow_private);
    each(tdm_file), each(windows), each(time_zone), each(logins), each(login_every), each(cookie_file);
    names.visit(each);
  }
};

/// "NAME/0.1 (+CONTACT)", or "NAME/0.1" without a contact. kBadInput when crawl.agent is empty or not one word of letters, digits,
/// '-', '_' and '.', or when the contact has a line break or parenthesis.
Result<std::string> user_agent(const CrawlSettings& settings);

}  // namespace magpie::crawl
