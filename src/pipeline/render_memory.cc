#include "pipeline/render_memory.h"

#include <algorithm>

#include "crawl/focus.h"

namespace magpie::pipeline {
namespace {

constexpr std::size_t kLinksMore = 5;  // a menu that a script adds to every page brings some

std::size_t pictures_of(const Page& page) {
  return static_cast<std::size_t>(
      std::count_if(page.images.begin(), page.images.end(), [](const ImageRef& image) { return image.origin != ImageOrigin::kIcon; }));
}

}  // namespace

bool RenderMemory::is_worth(std::string_view url) const {
  const auto kind = kinds_.find(crawl::address_shape(url));
  if (kind == kinds_.end() || kind->second.tries < kTriesMin) return true;
  return kind->second.helped * kShareMin >= kind->second.tries;
}

void RenderMemory::note(std::string_view url, bool helped) {
  const std::uint64_t shape = crawl::address_shape(url);
  if (kinds_.size() >= kKindsMax && !kinds_.contains(shape)) return;
  Kind& kind = kinds_[shape];
  ++kind.tries;
  kind.helped += helped ? 1 : 0;
}

bool says_more(const Page& shown, const Page& plain) {
  if (shown.verdict.cause != Cause::kNone) return false;
  return shown.products.size() > plain.products.size() || pictures_of(shown) > pictures_of(plain) ||
         shown.links.size() >= plain.links.size() + kLinksMore || (plain.app_shell && !shown.app_shell);
}

}  // namespace magpie::pipeline
