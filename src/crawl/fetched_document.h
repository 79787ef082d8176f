#pragma once
// What the fetcher hands to the pipeline.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/records.h"
#include "crawl/sitemap.h"
#include "net/http_client.h"

namespace magpie::crawl {

/// A page that a sitemap dates.
struct Dated {
  UrlRecord url;
  Timestamp lastmod{};
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
  std::uint64_t login = 0;               // of a site with a login form: that of its LoginStep
  bool unchanged = false;                // 304: what was kept of an earlier visit still holds; the response has no body
  std::optional<HttpResponse> response;  // head and body as they came, maybe incomplete when cause is set; nothing without a request
  std::optional<Sitemap> sitemap;        // of kind kSitemap, parsed; its addresses are in the frontier already
  std::vector<Dated> dated;              // those of its pages that it dates
  bool repeats = false;  // a page whose very bytes came so often that its links are not to be trusted, unless a browser shows more
  /// All X-Robots-Tag headers, joined by ", ". Before them "noai" for a reservation of text and data mining.
  std::string robots_tag;
};

}  // namespace magpie::crawl
