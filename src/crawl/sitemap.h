#pragma once
// Sitemaps in every form sites publish: XML url sets and indexes (sitemaps.org 0.9) with the image extension, plain text, RSS 2.0
// and Atom feeds; gzip is taken off first. A scanner over the bytes, not an XML parser: a file that breaks off or breaks the
// rules gives what could be read. No DTD is read and no entity expanded but XML's own five and numeric ones.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "net/url.h"

namespace magpie::crawl {

struct SitemapLimits {
  std::size_t bytes_max = 50 * 1024 * 1024;  // after gzip; what follows is not read. sitemaps.org allows 50 MB
  std::size_t entries_max = 50'000;          // sitemaps.org's own limit
  std::size_t images_per_entry_max = 1'000;  // Google's limit of the image extension
};

enum class SitemapKind { kIndex, kUrlSet, kText, kRss, kAtom };
/// "index", "urlset", "text", "rss", "atom".
std::string_view to_string(SitemapKind kind);

struct SitemapEntry {
  std::string loc;                  // absolute, http or https; as written unless it had to be resolved, so not canonical
  std::string lastmod;              // as written, white space trimmed; empty when absent. For feeds the entry's own date
  std::vector<std::string> images;  // absolute
};

struct Sitemap {
  SitemapKind kind = SitemapKind::kUrlSet;
  std::vector<SitemapEntry> entries;  // of an index: further sitemaps. In the file's order
  bool cut = false;                   // a limit or the file's end came before its last tag
};

/// @param bytes  the body as it came, gzip or not.
/// @param url    where it came from: relative addresses are read against it. Addresses on other hosts are kept; whoever asks
///   judges their scope.
/// Errors: kBadInput for what is none of these forms (an HTML error page, say) or a broken gzip of which nothing could be read.
/// Thread-safe. Cost: one pass, about 100 MB/s.
Result<Sitemap> parse_sitemap(std::string_view bytes, const Url& url, const SitemapLimits& limits = {});

}  // namespace magpie::crawl
