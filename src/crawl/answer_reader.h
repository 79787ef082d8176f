#pragma once
// Turns a finished exchange into the document that the pipeline gets: where a redirect leads, what kind of content came, whether it
// repeats others, what a sitemap lists. Addresses that it finds go into the frontier. One thread, the fetch loop's.
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/guarded.h"
#include "core/clock.h"
#include "core/frontier.h"
#include "crawl/answer.h"
#include "crawl/fetched_document.h"
#include "crawl/host_table.h"
#include "crawl/rules.h"

namespace magpie::crawl {

/// One request that was made.
struct Exchange {
  Lease lease;
  bool again = false;        // with a cookie, for an address that sent round in a circle
  bool conditional = false;  // it named what is kept of an earlier visit
  Timestamp started_at{};
  Millis took{0};
};

class AnswerReader {
 public:
  /// `frontier`, `rules` and `totals` must outlive the reader.
  AnswerReader(Frontier& frontier, const CrawlRules& rules, const CrawlSettings& settings, Guarded<CrawlTotals>& totals);

  /// Errors: only those of the frontier (disk).
  Result<FetchedDocument> read(Exchange exchange, HttpResponse response, const AnswerVerdict& verdict, Host& from);
  /// The document of an address that is not asked.
  FetchedDocument refused(Lease lease, Cause cause, std::string detail, Timestamp now);

  /// Where the redirects that `response` continues close their circle; nothing when they do not, or leave the host.
  std::optional<Url> circle_of(const UrlRecord& asked, const HttpResponse& response) const;

  Result<void> add_sitemaps(Host& of, const RobotsRules& rules, const Url& robots_url);

 private:
  using Chain = std::vector<std::string>;

  Result<void> judge_redirect(FetchedDocument& document, const HttpResponse& response);
  Result<void> classify(FetchedDocument& document, const HttpResponse& response, Host& from);
  Result<void> read_sitemap(FetchedDocument& document, const HttpResponse& response, Host& from);
  bool repeats(std::string_view body, Host& from) const;
  void admit(const Url& url, UrlKind kind, std::uint32_t depth, Host& from, std::vector<UrlRecord>& records);
  void count_refusal(Refusal refusal);
  Result<void> add(std::span<const UrlRecord> records);

  Frontier& frontier_;
  const CrawlRules& rules_;
  Guarded<CrawlTotals>& totals_;
  std::size_t redirects_max_;
  std::uint64_t repeats_max_, sitemaps_max_;
  std::unordered_map<std::string, Chain> chains_;  // redirect target -> the addresses before it
};

}  // namespace magpie::crawl
