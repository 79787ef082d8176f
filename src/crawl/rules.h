#pragma once
// Which addresses a job takes in: one question, asked about seeds, links, pictures, redirect targets and sitemap entries alike.
//   CrawlRules rules(job, settings, seeds);
//   Admission admission = rules.admit(link_url, UrlKind::kPage, page_depth + 1);
//   if (admission.record) records.push_back(std::move(*admission.record));
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "core/records.h"
#include "core/refusals.h"
#include "crawl/scope.h"
#include "crawl/settings.h"
#include "crawl/traps.h"
#include "net/url.h"

namespace magpie::crawl {

/// Why an address is not taken in.
enum class Refusal : std::uint8_t { kNone, kScheme, kScope, kDepth, kTooLong, kTrap, kNotHeld, kForgotten };
std::string_view to_string(Refusal refusal);

struct Admission {
  std::optional<UrlRecord> record;  // canonical, ready for Frontier::add
  Refusal refusal = Refusal::kNone;
};

/// The name by which a job knows an address: canonical_url(), without what the settings take off.
class AddressForm {
 public:
  explicit AddressForm(const CrawlSettings& settings)
      : drop_tracking_(settings.drop_tracking()), drop_sessions_(settings.drop_sessions()) {}
  Url of(const Url& url) const;

 private:
  bool drop_tracking_, drop_sessions_;
};

/// Whether this machine has an answer of the address, which is in the job's form: in an archive, or as a file. Thread-safe.
using HoldsAddress = std::function<bool(std::string_view url)>;

/// A value; reading is thread-safe, and the pipeline's threads share one.
class CrawlRules {
 public:
  /// `seeds` make the scope. `settings` is read now and not kept.
  CrawlRules(JobId job, const CrawlSettings& settings, const std::vector<Url>& seeds);
  /// Of a replay, or of a folder: takes in what is held and nothing else, however deep, long or repetitive.
  CrawlRules(JobId job, const CrawlSettings& settings, HoldsAddress holds);

  /// From now on takes in nothing that was forgotten (magpie forget). Before others read.
  void refuse(Refusals refusals) { refusals_ = std::make_shared<const Refusals>(std::move(refusals)); }

  /// @param depth  links from a seed; a picture has its page's depth. The record's priority follows from it: seeds and sitemaps
  /// first, then up to 2 links away, up to 5, the rest. Cost: about a microsecond.
  Admission admit(const Url& url, UrlKind kind, std::uint32_t depth) const;

  /// The name the job knows an address by, taken in or not.
  Url form_of(const Url& url) const { return form_.of(url); }

  const Refusals& refusals() const { return *refusals_; }
  JobId job() const { return job_; }
  const Scope& scope() const { return scope_; }
  /// Whether the job asks nobody, and can fetch what is held and nothing else.
  bool is_local() const { return holds_ != nullptr; }
  /// Links that may be taken from one page.
  std::size_t links_per_page_max() const { return links_per_page_max_; }
  bool honours_noai() const { return honours_noai_; }

 private:
  Refusal judge(const Url& url, UrlKind kind, std::uint32_t depth) const;

  JobId job_;
  Scope scope_;
  TrapLimits traps_;
  std::uint32_t depth_max_;
  AddressForm form_;
  bool honours_noai_;
  std::size_t links_per_page_max_;
  HoldsAddress holds_;
  std::shared_ptr<const Refusals> refusals_ = std::make_shared<const Refusals>();
};

/// A line each; blank lines and those that start with '#' are skipped. kBadInput names the first line that is no http(s) URL.
Result<std::vector<Url>> parse_seeds(std::string_view text);

}  // namespace magpie::crawl
