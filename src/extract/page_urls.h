#pragma once
// Turns what stands in an attribute into an absolute URL, as a browser would: trimmed, against <base>, in the page's charset.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/url.h"

namespace magpie {

/// One page's; not thread-safe, as it learns which origins its links have.
class PageUrls {
 public:
  PageUrls(Url page, std::string charset) : base_(page), page_(std::move(page)), charset_(std::move(charset)) {}

  /// The page's first <base href>; ignored unless it gives an http(s) URL.
  void set_base(std::string_view href);
  const Url& page() const { return page_; }

  /// Absolute http(s) URL, or empty for other schemes, empty links and what is no URL. Nearly all links of a page are plain paths, or
  /// URLs of an origin met before; these are joined, which takes a tenth of the time of parsing base and link.
  std::string absolute(std::string_view href) const;
  /// As absolute(), any scheme but data: and javascript:; the text itself where it is no URL.
  std::string absolute_or_text(std::string_view href) const;

 private:
  std::optional<Url> resolve(std::string_view href) const;
  std::string simple_url(std::string_view href) const;
  std::string of_known_origin(std::string href) const;
  void learn_origin(const Url& url, std::string_view href) const;

  Url base_;
  Url page_;
  std::string charset_;
  mutable std::vector<std::string> origins_;  // "https://cdn.test", as links wrote them and URLs have them
};

}  // namespace magpie
