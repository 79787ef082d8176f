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

Result<void> go_on(const std::stop_token& stop) {
  if (stop.stop_requested()) return fail(Code::kCancelled, "stopped while gathering what pages say of pictures");
  return {};
}

/// A picture that may be looked at, with the first of its copies; by the hash of that one, so that copies stay together.
struct Drawn {
  std::uint64_t hash = 0;
  ImageId id = kNoId, first = kNoId;
  auto operator<=>(const Drawn&) const = default;
};

/// All pictures, or those `count_max` of least hash.
Result<std::vector<Drawn>> draw_pictures(const Catalog& catalog, std::size_t count_max, const std::stop_token& stop) {
  std::vector<Drawn> drawn;  // a heap with the highest hash in front
  const auto draw = [&](const Image& image) {
    const ImageId first = image.copy_group == kNoId ? image.id : image.copy_group;
    drawn.push_back({signature64(std::to_string(first), kSampleSeed), image.id, first});
    std::ranges::push_heap(drawn);
    if (drawn.size() > count_max) {
      std::ranges::pop_heap(drawn);
      drawn.pop_back();
    }
    return go_on(stop);
  };
  MAGPIE_TRY_DO(catalog.each_image(draw));
  return drawn;
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

/// How many pictures each text may have, so that there are no more than `pictures_max`: few texts have many.
std::size_t pictures_per_text(const std::vector<const PicturesOf::value_type*>& texts, std::size_t pictures_max) {
  for (std::size_t each = kPicturesPerText; each > 1; --each) {
    std::size_t pictures = 0;
    for (const PicturesOf::value_type* text : texts) pictures += std::min(each, text->second.size());
    if (pictures <= pictures_max) return each;
  }
  return 1;
}

}  // namespace

Result<Sayings> gather_sayings(const Catalog& catalog, const SayingsLimits& limits, const std::stop_token& stop) {
  MAGPIE_TRY(const std::vector<Drawn> pictures, draw_pictures(catalog, limits.read, stop));
  PicturesOf pictures_of;
  for (const Drawn& picture : pictures) {
    MAGPIE_TRY_DO(go_on(stop));
    MAGPIE_TRY(const auto details, catalog.image_details(picture.id));
    if (!details || !details->indexable) continue;
    for (const std::string& text : said_of(*details)) pictures_of[text].insert(picture.first);
  }
  Sayings sayings;
  std::map<ImageId, std::uint32_t> places;
  const auto texts = sample(pictures_of, pictures.size(), limits.texts);
  const std::size_t each = pictures_per_text(texts, limits.pictures);
  for (const PicturesOf::value_type* entry : texts) {
    const std::vector<ImageId> all(entry->second.begin(), entry->second.end());
    const std::size_t step = std::max<std::size_t>(1, all.size() / each);
    std::vector<std::uint32_t> said;
    for (std::size_t i = 0; i < all.size() && said.size() < each; i += step) {
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
