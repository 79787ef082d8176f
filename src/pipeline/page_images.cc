#include "pipeline/page_images.h"

#include <algorithm>

namespace magpie::pipeline {
namespace {

std::string name_of(const std::string& address, const crawl::CrawlRules& rules) {
  const auto url = Url::parse(address);
  return url ? rules.form_of(*url).href() : address;
}

bool is_held(const std::string& address, const crawl::CrawlRules& rules) {
  const auto url = Url::parse(address);
  return url && rules.admit(*url, UrlKind::kImage, 0).record.has_value();
}

void put_held_first(ImageRef& ref, const crawl::CrawlRules& rules) {
  if (is_held(ref.url, rules)) return;
  const auto held =
      std::find_if(ref.alternatives.begin(), ref.alternatives.end(), [&](const std::string& other) { return is_held(other, rules); });
  if (held == ref.alternatives.end()) return;
  std::rotate(ref.alternatives.begin(), held, held + 1);
  std::swap(ref.url, ref.alternatives.front());  // the best one is now the first to fall back to
}

}  // namespace

void name_images(Page& page, const crawl::CrawlRules& rules) {
  for (ImageRef& ref : page.images) {
    ref.url = name_of(ref.url, rules);
    for (std::string& other : ref.alternatives) other = name_of(other, rules);
    if (rules.is_local()) put_held_first(ref, rules);
  }
  for (Product& product : page.products) {
    for (std::string& image : product.images) image = name_of(image, rules);
  }
}

}  // namespace magpie::pipeline
