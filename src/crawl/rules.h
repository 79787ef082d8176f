#pragma once
// Which addresses a job takes in: one question, asked about seeds, links, pictures, redirect targets and sitemap entries alike.
//   CrawlRules rules(job, settings, seeds);
//   Admission admission = rules.admit(link_url, UrlKind::kPage, page_depth + 1);
//   if (admission.record) records.push_back(std::move(*admission.record));
#include <optional>
#include <string_view>
#include <vector>

#include "core/records.h"
#include "crawl/scope.h"
#include "crawl/settings.h"
#include "crawl/traps.h"
#include "net/url.h"

namespace magpie::crawl {

/// Why an address is not taken in.
enum class Refusal : std::uint8_t { kNone, kScheme, kScope, kDepth, kTooLong, kTrap };
std::string_view to_string(Refusal refusal);

struct Admission {
  std::optional<UrlRecord> record;  // canonical, ready for Frontier::add
  Refusal refusal = Refusal::kNone;
};

/// A value; reading is thread-safe, and the pipeline's threads share one.
class CrawlRules {
 public:
  /// `seeds` make the scope. `settings` is read now and not kept.
  CrawlRules(JobId job, const CrawlSettings& settings, const std::vector<Url>& seeds);

  /// @param depth  links from a seed; a picture has its page's depth. The record's priority follows from it: seeds and sitemaps
  /// first, then up to 2 links away, up to 5, the rest. Cost: about a microsecond.
  Admission admit(const Url& url, UrlKind kind, std::uint32_t depth) const;

  JobId job() const { return job_; }
  const Scope& scope() const { return scope_; }
  /// Links that may be taken from one page.
  std::size_t links_per_page_max() const { return links_per_page_max_; }
  bool honours_noai() const { return honours_noai_; }

 private:
  JobId job_;
  Scope scope_;
  TrapLimits traps_;
  std::uint32_t depth_max_;
  bool drop_tracking_, drop_sessions_, honours_noai_;
  std::size_t links_per_page_max_;
};

/// A line each; blank lines and those that start with '#' are skipped. kBadInput names the first line that is no http(s) URL.
Result<std::vector<Url>> parse_seeds(std::string_view text);

}  // namespace magpie::crawl
