#include "app/bridge_lessons.h"

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "base/ascii.h"
#include "base/hash.h"
#include "base/utf8.h"

namespace magpie {
namespace {

constexpr std::uint64_t kSampleSeed = 0x6272'6964'6765;
constexpr std::size_t kLettersMin = 2, kTextBytesMax = 300;
constexpr std::size_t kPicturesPerText = 32;

std::string_view trimmed(std::string_view text) {
  const auto is_space = [](char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; };
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

bool is_letter(unsigned char byte) { return byte >= 0x80 || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z'); }

/// Whether somebody may have written it for people.
bool says_something(std::string_view text) {
  const auto letters =
      static_cast<std::size_t>(std::ranges::count_if(text, [](char c) { return is_letter(static_cast<unsigned char>(c)); }));
  if (letters < kLettersMin || letters * 2 < text.size() || text.find("://") != std::string_view::npos) return false;
  const std::size_t dot = text.rfind('.');
  const bool ends_like_a_file = dot != std::string_view::npos && text.size() - dot >= 4 && text.size() - dot <= 5 &&
                                std::ranges::all_of(text.substr(dot + 1), [](char c) { return is_letter(static_cast<unsigned char>(c)); });
  return !(ends_like_a_file && text.find(' ') == std::string_view::npos);
}

void add(std::set<std::string>& texts, std::string_view text) {
  text = utf8_prefix(trimmed(text), kTextBytesMax);
  if (says_something(text)) texts.emplace(text);
}

std::set<std::string> said_of(const ImageDetails& details) {
  std::set<std::string> texts;
  for (const Showing& showing : details.showings) {
    if (!showing.permits) continue;
    add(texts, showing.alt);
    add(texts, showing.caption);
    if (showing.product) add(texts, showing.product->product.name);
    else add(texts, showing.page_title);
  }
  for (const PictureLabel& label : details.labels) add(texts, label.label);
  return texts;
}

using PicturesOf = std::map<std::string, std::set<ImageId>>;

/// All pictures, each with the first of its copies.
Result<std::vector<std::pair<ImageId, ImageId>>> pictures_with_first(const Catalog& catalog) {
  std::vector<std::pair<ImageId, ImageId>> pictures;
  MAGPIE_TRY_DO(catalog.each_image([&](const Image& image) -> Result<void> {
    pictures.emplace_back(image.id, image.copy_group == kNoId ? image.id : image.copy_group);
    return {};
  }));
  return pictures;
}

/// Those texts of least hash that there may be.
std::vector<const PicturesOf::value_type*> sample(const PicturesOf& pictures_of, std::size_t pictures, std::size_t texts_max) {
  std::vector<std::pair<std::uint64_t, const PicturesOf::value_type*>> order;
  for (const auto& entry : pictures_of) {
    const bool of_the_site = entry.second.size() > 30 && entry.second.size() * 3 > pictures;
    if (!of_the_site) order.emplace_back(signature64(entry.first, kSampleSeed), &entry);
  }
  std::ranges::sort(order);
  if (order.size() > texts_max) order.resize(texts_max);
  std::vector<const PicturesOf::value_type*> sampled;
  for (const auto& [hash, entry] : order) sampled.push_back(entry);
  return sampled;
}

}  // namespace

Result<Sayings> gather_sayings(const Catalog& catalog, std::size_t texts_max) {
  MAGPIE_TRY(const auto pictures, pictures_with_first(catalog));
  PicturesOf pictures_of;
  for (const auto& [id, first] : pictures) {
    MAGPIE_TRY(const auto details, catalog.image_details(id));
    if (!details || !details->indexable) continue;
    for (const std::string& text : said_of(*details)) pictures_of[text].insert(first);
  }
  Sayings sayings;
  std::map<ImageId, std::uint32_t> places;
  for (const PicturesOf::value_type* entry : sample(pictures_of, pictures.size(), texts_max)) {
    const std::vector<ImageId> all(entry->second.begin(), entry->second.end());
    const std::size_t step = std::max<std::size_t>(1, all.size() / kPicturesPerText);
    std::vector<std::uint32_t> said;
    for (std::size_t i = 0; i < all.size() && said.size() < kPicturesPerText; i += step) {
      const auto [place, is_new] = places.emplace(all[i], static_cast<std::uint32_t>(places.size()));
      if (is_new) sayings.pictures.push_back(all[i]);
      said.push_back(place->second);
    }
    sayings.texts.push_back(entry->first);
    sayings.said.push_back(std::move(said));
  }
  return sayings;
}

std::string shuffled_letters(const std::string& text) {
  std::vector<std::string> letters;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = std::max<std::size_t>(1, utf8_sequence_length(std::string_view(text).substr(at)));
    letters.push_back(text.substr(at, length));
    at += length;
  }
  std::mt19937_64 random(signature64(text, kSampleSeed));
  for (std::size_t i = letters.size(); i > 1; --i) std::swap(letters[i - 1], letters[random() % i]);
  std::string shuffled;
  for (const std::string& letter : letters) shuffled += letter;
  return shuffled;
}

}  // namespace magpie
