#include "crawl/rules.h"

#include <algorithm>

#include "crawl/session_ids.h"

namespace magpie::crawl {

std::string_view to_string(Refusal refusal) {
  switch (refusal) {
    case Refusal::kNone: return "none";
    case Refusal::kScheme: return "scheme";
    case Refusal::kScope: return "scope";
    case Refusal::kDepth: return "depth";
    case Refusal::kTooLong: return "too-long";
    case Refusal::kTrap: return "trap";
    case Refusal::kNotHeld: return "not in the archive";
    case Refusal::kForgotten: return "forgotten";
  }
  return "none";
}

namespace {

// Shallow pages first, in coarse steps, as the frontier's order within a priority is random; sitemaps soon, as they name the rest.
std::uint8_t priority_of(UrlKind kind, std::uint32_t depth) {
  if (depth == 0 || kind == UrlKind::kSitemap) return 0;
  if (depth <= 2) return kUrlPriorityDefault;
  return depth <= 5 ? 2 : kUrlPriorityLast;
}

}  // namespace

Url AddressForm::of(const Url& url) const {
  Url form = canonical_url(url);
  if (drop_sessions_) form = without_session_ids(form);
  if (drop_tracking_ && !form.search().empty()) form = without_tracking_parameters(form);
  return form;
}

CrawlRules::CrawlRules(JobId job, const CrawlSettings& settings, const std::vector<Url>& seeds)
    : job_(job),
      scope_(seeds, {.same_site = settings.same_site(), .images_off_host = settings.images_off_host()}),
      traps_{.url_bytes_max = static_cast<std::size_t>(settings.url_bytes_max())},
      depth_max_(static_cast<std::uint32_t>(settings.depth_max())),
      form_(settings),
      honours_noai_(settings.honour_noai()),
      links_per_page_max_(static_cast<std::size_t>(settings.links_per_page_max())) {}

CrawlRules::CrawlRules(JobId job, const CrawlSettings& settings, HoldsAddress holds) : CrawlRules(job, settings, std::vector<Url>()) {
  holds_ = std::move(holds);
}

Refusal CrawlRules::judge(const Url& url, UrlKind kind, std::uint32_t depth) const {
  if (!scope_.allows(url, kind)) return Refusal::kScope;
  if (depth > depth_max_) return Refusal::kDepth;
  if (url.href().size() > traps_.url_bytes_max) return Refusal::kTooLong;
  return looks_endless(url.path_and_query(), traps_) ? Refusal::kTrap : Refusal::kNone;
}

Admission CrawlRules::admit(const Url& url, UrlKind kind, std::uint32_t depth) const {
  if (!url.is_http() && !(is_local() && url.scheme() == "file")) return {.refusal = Refusal::kScheme};
  if (!is_local()) {
    if (const Refusal refusal = judge(url, kind, depth); refusal != Refusal::kNone) return {.refusal = refusal};
  }
  const Url known_as = form_.of(url);
  if (refusals_->refuses(known_as.href())) return {.refusal = Refusal::kForgotten};
  if (is_local() && !holds_(known_as.href())) return {.refusal = Refusal::kNotHeld};
  return {.record = UrlRecord{.url = known_as.href(),
                              .kind = kind,
                              .depth = static_cast<std::uint16_t>(std::min<std::uint32_t>(depth, UINT16_MAX)),
                              .job = job_,
                              .priority = priority_of(kind, depth)}};
}

Result<std::vector<Url>> parse_seeds(std::string_view text) {
  std::vector<Url> seeds;
  for (std::size_t line = 1; !text.empty(); ++line) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(text.size(), end + 1));
    const std::size_t begin = word.find_first_not_of(" \t\r");
    if (begin == std::string_view::npos || word[begin] == '#') continue;
    word = word.substr(begin, word.find_last_not_of(" \t\r") + 1 - begin);
    auto url = Url::parse(word);
    if (!url || !url->is_http()) return fail(Code::kBadInput, "line {}: '{}' is no http or https address", line, word.substr(0, 200));
    seeds.push_back(std::move(*url));
  }
  return seeds;
}

}  // namespace magpie::crawl
