#include "pipeline/page_images.h"

#include <algorithm>
#include <map>
#include <utility>

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

void put_first(ImageRef& ref, std::string url) {
  ref.alternatives.insert(ref.alternatives.begin(), std::exchange(ref.url, std::move(url)));
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

void prefer_originals(Page& page, const crawl::CrawlRules& rules, crawl::PictureSizes& sizes) {
  for (ImageRef& ref : page.images) {
    if (ref.origin == ImageOrigin::kIcon) continue;
    std::optional<std::string> original = sizes.larger(ref.url);
    // One that has another name for this job would not be known again when it comes.
    if (original && name_of(*original, rules) == *original) put_first(ref, std::move(*original));
  }
}

void prefer_known_originals(Page& page, const std::vector<StoredRef>& before) {
  std::map<std::string_view, std::string_view> original_of;
  for (const StoredRef& stored : before) {
    if (!stored.ref.alternatives.empty()) original_of.emplace(stored.ref.alternatives.front(), stored.ref.url);
  }
  for (ImageRef& ref : page.images) {
    const auto known = original_of.find(ref.url);
    if (known == original_of.end()) continue;
    const auto spelt = crawl::spelt_size(ref.url);
    if (spelt && spelt->original == known->second) put_first(ref, spelt->original);
  }
}

void drop_forgotten(Page& page, const Refusals& refusals) {
  if (refusals.empty()) return;
  const auto is_gone = [&](const std::string& url) { return refusals.refuses(url); };
  // In whatever size: the other candidates are the same picture.
  std::erase_if(page.images, [&](const ImageRef& ref) {
    return is_gone(ref.url) || std::any_of(ref.alternatives.begin(), ref.alternatives.end(), is_gone);
  });
  std::erase_if(page.products, [&](const Product& product) { return is_gone(product.url); });
  for (Product& product : page.products) std::erase_if(product.images, is_gone);
  if (is_gone(page.canonical)) page.canonical.clear();
}

}  // namespace magpie::pipeline
