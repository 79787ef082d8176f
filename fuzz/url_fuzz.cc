// A link and its base, split at the first line break. Beyond not crashing: what parses must parse again to the same text, its
// parts must lie inside it, and the canonical form must be its own canonical form.
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "net/domain.h"
#include "net/url.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using magpie::Url;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t split = input.find('\n');
  const auto base = split == std::string_view::npos ? Url::parse("http://base.test/a/b?c#d") : Url::parse(input.substr(split + 1));
  const auto url = Url::parse(input.substr(0, split), base ? &*base : nullptr, [](std::string_view utf8) { return std::string(utf8); });
  if (!url) return 0;
  const auto again = Url::parse(url->href());
  // kTooLarge: percent-encoding may triple a long input.
  MAGPIE_CHECK(again || again.error().code == magpie::Code::kTooLarge, "{} does not parse again", url->href());
  MAGPIE_CHECK(!again || *again == *url, "{} changes to {}", url->href(), again->href());
  const std::size_t parts = url->protocol().size() + url->username().size() + url->password().size() + url->host().size() +
                            url->pathname().size() + url->search().size() + url->hash().size();
  MAGPIE_CHECK(parts <= url->href().size(), "parts of {} overlap", url->href());
  const Url canonical = magpie::canonical_url(magpie::without_tracking_parameters(*url));
  MAGPIE_CHECK(magpie::canonical_url(canonical) == canonical, "{} is not stable", canonical.href());
  (void)url->origin();
  (void)magpie::site_of_host(url->hostname());
  return 0;
}
