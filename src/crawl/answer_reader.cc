#include "crawl/answer_reader.h"

#include <algorithm>

#include "base/hash.h"
#include "crawl/sitemap.h"

namespace magpie::crawl {
namespace {

constexpr std::uint32_t kSitemapDepthMax = 5;  // indexes inside indexes

}  // namespace

AnswerReader::AnswerReader(Frontier& frontier, const CrawlRules& rules, const CrawlSettings& settings, Guarded<CrawlTotals>& totals)
    : frontier_(frontier),
      rules_(rules),
      totals_(totals),
      redirects_max_(static_cast<std::size_t>(settings.redirects_max())),
      repeats_max_(static_cast<std::uint64_t>(settings.repeats_max())),
      sitemaps_max_(static_cast<std::uint64_t>(settings.sitemaps_per_host_max())) {}

Result<FetchedDocument> AnswerReader::read(Exchange exchange, HttpResponse response, const AnswerVerdict& verdict, Host& from) {
  FetchedDocument document{.signature = exchange.lease.signature, .url = std::move(exchange.lease.url)};
  document.kind = document.url.kind;
  document.unchanged = exchange.conditional && response.complete() && response.status == 304;
  Fetch& fetch = document.fetch;
  fetch.url = exchange.again ? response.url.href() : document.url.url;
  fetch.status = response.status;
  fetch.cause = verdict.cause;
  fetch.detail = verdict.detail;
  fetch.content_type = response.header("Content-Type").value_or("");
  fetch.etag = response.header("ETag").value_or("");
  fetch.last_modified = response.header("Last-Modified").value_or("");
  fetch.fetched_at = exchange.started_at;
  fetch.took = exchange.took;
  fetch.body_bytes = response.body.size();
  if (document.unchanged) {
    fetch.cause = Cause::kNone;
    fetch.detail.clear();
  }
  document.robots_tag = robots_tag(response.headers);
  if (fetch.cause == Cause::kProtocol && response.complete()) MAGPIE_TRY_DO(judge_redirect(document, response));
  if (fetch.cause == Cause::kNone && fetch.redirect.empty() && !document.unchanged) MAGPIE_TRY_DO(classify(document, response, from));
  chains_.erase(document.url.url);
  document.response = std::move(response);
  document.fetch.kind = document.kind;
  return document;
}

FetchedDocument AnswerReader::refused(Lease lease, Cause cause, std::string detail, Timestamp now) {
  FetchedDocument document{.signature = lease.signature, .url = std::move(lease.url)};
  document.kind = document.url.kind;
  document.fetch.url = document.url.url;
  document.fetch.kind = document.kind;
  document.fetch.cause = cause;
  document.fetch.detail = std::move(detail);
  document.fetch.fetched_at = now;
  chains_.erase(document.fetch.url);
  return document;
}

std::optional<Url> AnswerReader::circle_of(const UrlRecord& asked, const HttpResponse& response) const {
  const auto target = redirect_target(response);
  if (!target || !*target || (*target)->host() != response.url.host()) return std::nullopt;
  const Admission admission = rules_.admit(**target, asked.kind, asked.depth);
  if (!admission.record) return std::nullopt;
  const std::string& next = admission.record->url;
  const auto chain = chains_.find(asked.url);
  const bool closes =
      next == asked.url || (chain != chains_.end() && std::find(chain->second.begin(), chain->second.end(), next) != chain->second.end());
  if (!closes) return std::nullopt;
  auto url = Url::parse(next);
  return url ? std::optional<Url>(std::move(*url)) : std::nullopt;
}

Result<void> AnswerReader::add_sitemaps(Host& of, const RobotsRules& rules, const Url& robots_url) {
  std::vector<UrlRecord> records;
  for (const std::string& text : rules.sitemaps()) {
    const auto url = Url::parse(text, robots_url);
    if (url) admit(*url, UrlKind::kSitemap, 0, of, records);
  }
  return add(records);
}

// A 3xx answer: its target is judged like any link and goes into the frontier, so that it is fetched once and in its host's turn.
Result<void> AnswerReader::judge_redirect(FetchedDocument& document, const HttpResponse& response) {
  const auto target = redirect_target(response);
  if (!target) return {};
  Fetch& fetch = document.fetch;
  if (!*target) {
    fetch.detail = target->error().message;
    return {};
  }
  const Admission admission = rules_.admit(**target, document.url.kind, document.url.depth);
  if (!admission.record) {
    count_refusal(admission.refusal);
    fetch.cause = Cause::kScope;
    fetch.detail = admission.refusal == Refusal::kForgotten
                       ? "redirects to what was forgotten"  // and is not to be named again
                       : fmt::format("redirects to {}, which is refused ({})", (*target)->href(), to_string(admission.refusal));
    return {};
  }
  std::vector<std::string> chain;
  if (const auto before = chains_.find(fetch.url); before != chains_.end()) chain = before->second;
  chain.push_back(fetch.url);
  const std::string& next = admission.record->url;
  const bool loops = std::find(chain.begin(), chain.end(), next) != chain.end();
  if (loops || chain.size() > redirects_max_) {
    fetch.cause = Cause::kRedirects;
    fetch.detail = loops ? fmt::format("redirects in a loop to {}", next) : fmt::format("over {} redirects in a row", redirects_max_);
    return {};
  }
  MAGPIE_TRY(const std::size_t added, frontier_.add(std::span(&*admission.record, 1)));
  if (added > 0) chains_.emplace(next, std::move(chain));
  fetch.cause = Cause::kNone;
  fetch.detail.clear();
  fetch.redirect = (*target)->href();
  return {};
}

Result<void> AnswerReader::classify(FetchedDocument& document, const HttpResponse& response, Host& from) {
  const std::optional<UrlKind> kind = kind_of_answer(response, document.url.kind);
  if (!kind) {
    document.fetch.cause = Cause::kContentType;
    document.fetch.detail = fmt::format("'{}' is neither page nor picture", document.fetch.content_type);
    return {};
  }
  if (document.url.kind == UrlKind::kImage && *kind == UrlKind::kPage) {
    // A page in place of a picture is a soft 404 or a hot-link block: no page of the site, and the picture's next candidate is due.
    document.fetch.cause = Cause::kContentType;
    document.fetch.detail = "a page came in place of a picture";
    return {};
  }
  document.kind = *kind;
  if (*kind == UrlKind::kPage && repeats(response.body, from)) {
    ++from.pages_repeated;
    document.repeats = true;
  }
  return *kind == UrlKind::kSitemap ? read_sitemap(document, response, from) : Result<void>();
}

// Whether so many pages of the host have these very bytes that this one is the work of a trap, or of a server that answers everything.
// Such a page is kept, as its like are, but leads nowhere.
bool AnswerReader::repeats(std::string_view body, Host& from) const {
  constexpr std::size_t kKnownMax = 200'000;
  const std::uint64_t hash = signature64(body, 0);
  if (from.pages_alike.size() >= kKnownMax && !from.pages_alike.contains(hash)) return false;
  std::uint32_t& alike = from.pages_alike[hash];
  if (alike >= repeats_max_) return true;
  ++alike;
  return false;
}

Result<void> AnswerReader::read_sitemap(FetchedDocument& document, const HttpResponse& response, Host& from) {
  auto sitemap = parse_sitemap(response.body, response.url);
  if (!sitemap) {
    document.fetch.cause = Cause::kContentType;
    document.fetch.detail = sitemap.error().message;
    return {};
  }
  std::vector<UrlRecord> records;
  const bool index = sitemap->kind == SitemapKind::kIndex;
  if (!index || document.url.depth < kSitemapDepthMax) {
    for (const SitemapEntry& entry : sitemap->entries) {
      const auto url = Url::parse(entry.loc);
      const std::size_t before = records.size();
      if (url) admit(*url, index ? UrlKind::kSitemap : UrlKind::kPage, index ? document.url.depth + 1u : 1u, from, records);
      const bool own = !index && records.size() > before && url->host() == response.url.host();
      const auto lastmod = own ? parse_lastmod(entry.lastmod) : std::nullopt;  // of other hosts a sitemap knows nothing
      if (lastmod) document.dated.push_back({records.back(), *lastmod});
      for (const std::string& image : entry.images) {
        if (const auto image_url = Url::parse(image)) admit(*image_url, UrlKind::kImage, 1, from, records);
      }
    }
  }
  document.sitemap = std::move(*sitemap);
  return add(records);
}

void AnswerReader::admit(const Url& url, UrlKind kind, std::uint32_t depth, Host& from, std::vector<UrlRecord>& records) {
  if (kind == UrlKind::kSitemap && from.sitemaps >= sitemaps_max_) return;
  Admission admission = rules_.admit(url, kind, depth);
  if (admission.record) {
    if (kind == UrlKind::kSitemap) ++from.sitemaps;
    records.push_back(std::move(*admission.record));
    return;
  }
  count_refusal(admission.refusal);
}

void AnswerReader::count_refusal(Refusal refusal) {
  totals_.with([&](CrawlTotals& totals) {
    ++(refusal == Refusal::kScope || refusal == Refusal::kScheme ? totals.refused_by_scope : totals.refused_by_trap);
  });
}

Result<void> AnswerReader::add(std::span<const UrlRecord> records) {
  if (records.empty()) return {};
  const auto added = frontier_.add(records);
  return added ? Result<void>() : Result<void>(Failure(added.error()));
}

}  // namespace magpie::crawl
