#include "pipeline/page_difference.h"

#include <algorithm>
#include <iterator>

namespace magpie::pipeline {
namespace {

using Lines = std::vector<std::string>;

std::string joined(const Lines& lines, std::string_view between) { return fmt::format("{}", fmt::join(lines, between)); }

/// What is in `these` and not in `those`, in their order, as often as it is more.
Lines without(const Lines& these, Lines those) {
  Lines rest;
  for (const std::string& line : these) {
    const auto found = std::find(those.begin(), those.end(), line);
    if (found != those.end()) those.erase(found);
    else rest.push_back(line);
  }
  return rest;
}

std::string words_of(const Product& product) {
  std::string words = product.name;
  const auto add = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) words += fmt::format(" {}{}", name, value);
  };
  const Offer& offer = product.offer;
  add("", product.brand.empty() ? "" : fmt::format("({})", product.brand));
  add("", offer.price);
  add("", offer.currency);
  add("was ", offer.old_price);
  add("", offer.availability);
  add("sku ", product.sku);
  add("gtin ", product.gtin);
  add("in ", product.category);
  add("at ", product.url);
  add("", product.variants.empty() ? "" : fmt::format("{} variants", product.variants.size()));
  add("", product.images.empty() ? "" : fmt::format("{} pictures", product.images.size()));
  return words;
}

std::string words_of(const RobotsMeta& robots) {
  Lines words;
  if (robots.noindex) words.emplace_back("noindex");
  if (robots.nofollow) words.emplace_back("nofollow");
  if (robots.noimageindex) words.emplace_back("noimageindex");
  if (robots.noai) words.emplace_back("noai");
  return joined(words, ", ");
}

std::string caption_of(const ImageRef& ref) { return fmt::format("{}: {} | {}", ref.url, ref.alt, ref.caption); }

}  // namespace

std::vector<FieldChange> page_differences(const PageDetails& before, const Page& after) {
  std::vector<FieldChange> changes;
  const auto compare = [&](std::string_view field, const std::string& was, const std::string& is) {
    if (was != is) changes.push_back({std::string(field), was, is});
  };
  const auto compare_lists = [&](std::string_view field, const Lines& was, const Lines& is) {
    if (was == is) return;
    Lines gone = without(was, is), fresh = without(is, was);
    if (gone.empty() && fresh.empty()) changes.push_back({std::string(field), joined(was, "; "), joined(is, "; ")});  // another order
    else changes.push_back({std::string(field), joined(gone, "; "), joined(fresh, "; ")});
  };
  const auto each = [](const auto& items, auto&& text) {
    Lines lines;
    for (const auto& item : items) lines.push_back(text(item));
    return lines;
  };
  const Page& was = before.page;
  compare("title", was.title, after.title);
  compare("description", was.description, after.description);
  compare("language", was.language, after.language);
  compare("canonical", was.canonical, after.canonical);
  compare("keywords", joined(was.keywords, ", "), joined(after.keywords, ", "));
  compare("robots", words_of(was.robots), words_of(after.robots));
  compare_lists("products", each(before.products, [](const StoredProduct& one) { return words_of(one.product); }),
                each(after.products, [](const Product& one) { return words_of(one); }));
  const Lines pictures_before = each(before.refs, [](const StoredRef& one) { return one.ref.url; });
  const Lines pictures_after = each(after.images, [](const ImageRef& one) { return one.url; });
  compare_lists("images", pictures_before, pictures_after);
  if (pictures_before == pictures_after) {
    compare_lists("captions", each(before.refs, [](const StoredRef& one) { return caption_of(one.ref); }),
                  each(after.images, [](const ImageRef& one) { return caption_of(one); }));
  }
  return changes;
}

}  // namespace magpie::pipeline
