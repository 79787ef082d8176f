#pragma once
// The fetcher: takes URLs out of the frontier as politeness allows, fetches them, and hands every finished one to the pipeline.
// It reads robots.txt and sitemaps by itself, judges each redirect, retries what may pass, and keeps every host's ledger.
//
//   frontier ──lease──▶ FetchLoop ──▶ BoundedQueue<FetchedDocument> ──▶ pipeline ──add links, acknowledge──▶ frontier
//
// The pipeline's part, for each document in the queue: keep what it wants, frontier.add(links), then
// frontier.acknowledge(document.signature, document.fetch.cause), then loop.wake(). The loop ends by itself when nothing waits that
// may be fetched and nothing is leased, so a document that is never acknowledged keeps it running.
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/bounded_queue.h"
#include "core/clock.h"
#include "core/frontier.h"
#include "core/records.h"
#include "crawl/fetched_document.h"
#include "crawl/reports.h"
#include "crawl/rules.h"
#include "crawl/settings.h"
#include "crawl/subresource.h"
#include "net/http_client.h"

namespace magpie::crawl {

/// What an earlier answer said for the next time it is asked (RFC 9110 section 8.8). One of them may be empty.
struct Validators {
  std::string etag, last_modified;
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
  /// Until when earlier runs were to leave hosts alone.
  std::map<std::string, Timestamp> resting = {};
  /// While it gives true the run goes on though nothing waits: somebody still adds addresses. Asked on the loop's thread; say wake() when
  /// it changes. Empty: nobody does.
  std::function<bool()> more_to_come = {};
};  // all must outlive the loop

/// run() belongs to one thread; wake(), fetch(), note_throttled(), note_page(), totals() and hosts() may be called from any.
class FetchLoop {
 public:
  /// kBadInput without an agent name, or for an unknown crawl.politeness_by. Settings are read now.
  static Result<std::unique_ptr<FetchLoop>> make(FetchLoopParts parts, const CrawlSettings& settings);
  /// Whether make() takes these settings, the files they name included; kBadInput, with the words of make(), when not.
  static Result<void> check(const CrawlSettings& settings);
  virtual ~FetchLoop() = default;

  /// Fetches until the end. When `stop` is asked for (call wake() too) or the time is over nothing new starts, and what is in
  /// flight has 10 s more; whatever did not end then waits in the frontier. The queue is left open: closing it is the caller's.
  /// Errors: only those of the frontier (disk).
  virtual Result<CrawlEnd> run(std::stop_token stop) = 0;
  /// Look again: the frontier got URLs or acknowledgements, or the queue got room. Async-signal-safe.
  virtual void wake() = 0;
  /// A page that counted as a good answer turned out to be a captcha or a call to slow down: its host rests as it does for a 429. Should
  /// the host be given up for it, its other addresses end with `cause`. Say it before the page is acknowledged. Takes effect at the loop's
  /// next turn.
  virtual void note_throttled(std::string_view host, Cause cause) = 0;
  /// What a page turned out to be: content (kNone) or what it is in place of it. True when it is a login wall whose site is logged in to
  /// (crawl.logins) before the page is asked again: then put it back in the frontier instead of acknowledging it, and wake().
  /// @param login  the document's.
  virtual bool note_page(std::string_view url, std::uint64_t signature, std::uint64_t login, Cause cause) = 0;
  /// Fetches it in its host's turn, before further pages, as robots.txt and politeness allow; it is no document and goes to no queue. The
  /// page it is for keeps the run going, being leased. Never blocks; `done` is called from here once the run has ended.
  virtual void fetch(Subresource subresource) = 0;
  virtual CrawlTotals totals() const = 0;
  /// By host name. Refreshed at most every 200 ms while running.
  virtual std::vector<HostReport> hosts() const = 0;
};

}  // namespace magpie::crawl
