// Any bytes as a sitemap: what comes out keeps its promises and its limits.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "crawl/sitemap.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const magpie::Url kUrl = *magpie::Url::parse("http://a.test/sitemap.xml");
  const magpie::crawl::SitemapLimits limits{.bytes_max = 1 << 20, .entries_max = 100, .images_per_entry_max = 5};
  const auto sitemap = magpie::crawl::parse_sitemap({reinterpret_cast<const char*>(data), size}, kUrl, limits);
  if (!sitemap) return 0;
  MAGPIE_CHECK(sitemap->entries.size() <= limits.entries_max, "the limit holds");
  for (const auto& entry : sitemap->entries) {
    const auto url = magpie::Url::parse(entry.loc);
    MAGPIE_CHECK(url && url->is_http(), "every address is an http(s) URL: {}", entry.loc);
    MAGPIE_CHECK(entry.images.size() <= limits.images_per_entry_max, "the limit of pictures holds");
  }
  return 0;
}
