#pragma once
// The fetcher: takes URLs out of the frontier as politeness allows, fetches them, and hands every finished one to the pipeline.
// It reads robots.txt and sitemaps by itself, judges each redirect, retries what may pass, and keeps every host's ledger.
//
//   frontier ──lease──▶ FetchLoop ──▶ BoundedQueue<FetchedDocument> ──▶ pipeline ──add links, acknowledge──▶ frontier
//
// The pipeline's part, for each document in the queue: keep what it wants, frontier.add(links), then
// frontier.acknowledge(document.signature, document.fetch.cause), then loop.wake(). The loop ends by itself when nothing waits that
// may be fetched and nothing is leased, so a document that is never acknowledged keeps it running.
#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/bounded_queue.h"
#include "core/clock.h"
#include "core/frontier.h"
#include "core/records.h"
#include "crawl/rules.h"
#include "crawl/settings.h"
#include "crawl/sitemap.h"
#include "net/http_client.h"

namespace magpie::crawl {

/// What an earlier answer said for the next time it is asked (RFC 9110 section 8.8). One of them may be empty.
struct Validators {
  std::string etag, last_modified;
};

/// A URL whose fetch has ended for good: a success, a redirect or a failure that is not tried again.
struct FetchedDocument {
  std::uint64_t signature = 0;  // for Frontier::acknowledge
  UrlRecord url;                // as it was queued
  /// What came, which counts more than what was expected: kPage for HTML, kImage for a picture, kSitemap.
  UrlKind kind = UrlKind::kPage;
  /// All about the exchange but its place in the archive. cause kNone: a 2xx answer of a wanted kind, or a redirect that was judged
  /// well (`redirect` is set; its target is in the frontier already). Robots' refusals have status 0 and no
  /// response.
  Fetch fetch;
  bool unchanged = false;                // 304: what was kept of an earlier visit still holds; the response has no body
  std::optional<HttpResponse> response;  // head and body as they came, maybe incomplete when cause is set; nothing without a request
  std::optional<Sitemap> sitemap;        // of kind kSitemap, parsed; its addresses are in the frontier already
  /// All X-Robots-Tag headers, joined by ", ". Before them "noai" for a reservation of text and data mining, and "nofollow" for a page
  /// whose very bytes came so often that its links are not to be trusted.
  std::string robots_tag;
};

/// A time that a whole host was left alone.
struct BackoffReport {
  Timestamp at{};
  Millis rest{0};
  std::string_view reason;  // "throttled", "timeout"
  bool asked = false;       // the time is the server's, of Retry-After
};

/// A line of robots.txt that refused addresses.
struct RobotsLineReport {
  std::uint32_t line = 0;
  std::string rule;  // "/cart*"
  std::uint64_t refused = 0;
};

/// What a site's owner may ask about: how often, how close together and how many at once it was asked, and what was left out.
struct HostReport {
  std::string host;
  std::uint64_t fetched = 0, failed = 0;  // this run
  std::uint64_t queued = 0;
  std::uint64_t bytes = 0;
  Millis next_allowed_in{0};      // 0: now
  Millis delay{0};                // in force
  std::optional<Millis> gap_min;  // smallest pause between two starts
  std::uint32_t in_flight = 0, parallel_peak = 0;
  std::uint64_t requests = 0, backoffs = 0, robots_refused = 0;
  std::string robots;                                  // "unread", "read", "none" (4xx), "unreachable"
  std::optional<double> crawl_delay;                   // seconds, as robots.txt says
  std::vector<RobotsLineReport> robots_lines;          // by line; at most 1,000
  std::vector<BackoffReport> backoffs_latest;          // oldest first, at most 100
  std::map<std::string_view, std::uint64_t> by_cause;  // failures and refusals by the cause's name
  std::uint64_t pages_repeated = 0;  // those with the very same bytes as crawl.repeats_max others: their links were not followed
  std::string given_up;              // why nothing more is asked of it in this run; empty while it is
};

struct CrawlTotals {
  std::uint64_t requests = 0;  // started, robots.txt and retries included
  std::uint64_t pages = 0, images = 0, sitemaps = 0, redirects = 0;
  std::uint64_t failures = 0;
  std::array<std::uint64_t, kCauseCount> failures_by_cause{};
  std::uint64_t unchanged = 0;  // answered 304; counted as page or picture, too
  std::uint64_t retries = 0;
  std::uint64_t bytes = 0;                                  // bodies, after decompression
  std::uint64_t refused_by_scope = 0, refused_by_trap = 0;  // addresses from redirects and sitemaps that were not taken in
  std::uint32_t in_flight = 0;
  std::uint32_t hosts = 0;  // with a queue or a history in this run
};

enum class CrawlEnd : std::uint8_t { kFinished, kTimeOver, kStopped };

struct FetchLoopParts {
  Frontier& frontier;
  HttpClient& client;  // its user agent comes from user_agent(settings)
  const Clock& clock;
  const CrawlRules& rules;
  BoundedQueue<FetchedDocument>& documents;  // this loop must be the only producer; its size bounds the fetches in flight, too
  /// Asked about each page and picture before it is fetched, on the loop's thread; what it gives makes the request conditional. Empty: none
  /// was ever fetched.
  std::function<std::optional<Validators>(const UrlRecord&)> validators = {};
};  // all must outlive the loop

/// run() belongs to one thread; wake(), totals() and hosts() may be called from any.
class FetchLoop {
 public:
  /// kBadInput without an agent name, or for an unknown crawl.politeness_by. Settings are read now.
  static Result<std::unique_ptr<FetchLoop>> make(FetchLoopParts parts, const CrawlSettings& settings);
  virtual ~FetchLoop() = default;

  /// Fetches until the end. When `stop` is asked for (call wake() too) or the time is over nothing new starts, and what is in
  /// flight has 10 s more; whatever did not end then waits in the frontier. The queue is left open: closing it is the caller's.
  /// Errors: only those of the frontier (disk).
  virtual Result<CrawlEnd> run(std::stop_token stop) = 0;
  /// Look again: the frontier got URLs or acknowledgements, or the queue got room. Async-signal-safe.
  virtual void wake() = 0;
  virtual CrawlTotals totals() const = 0;
  /// By host name. Refreshed at most every 200 ms while running.
  virtual std::vector<HostReport> hosts() const = 0;
};

}  // namespace magpie::crawl
