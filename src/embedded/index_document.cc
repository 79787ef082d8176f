#include "embedded/index_document.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/utf8.h"
#include "core/frontier.h"
#include "core/licence.h"
#include "core/price.h"
#include "embedded/product_sizes.h"
#include "net/url.h"
#include "text/keywords.h"
#include "text/language.h"

namespace magpie {
namespace {

constexpr std::size_t kTextBytesMax = 4'096;
constexpr std::size_t kColoursMax = 3;
constexpr std::size_t kSizesMax = 64, kLabelsIndexedMax = 64;
constexpr std::size_t kFacetValueBytesMax = 200;

/// Joins pieces, each once, up to a limit.
class Joined {
 public:
  void add(std::string_view piece) {
    if (piece.empty() || text_.size() >= kTextBytesMax || !seen_.insert(std::string(piece)).second) return;
    if (!text_.empty()) text_ += '\n';
    text_ += utf8_prefix(piece, kTextBytesMax - std::min(text_.size(), kTextBytesMax));
  }
  bool empty() const { return text_.empty(); }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
  std::set<std::string> seen_;
};

std::string percent_decoded(std::string_view text) {
  std::string out;
  const auto digit = [](char c) {
    return c >= '0' && c <= '9' ? c - '0' : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10 : -1;
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && digit(text[i + 1]) >= 0 && digit(text[i + 2]) >= 0) {
      out += static_cast<char>(digit(text[i + 1]) * 16 + digit(text[i + 2]));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return to_valid_utf8(out);
}

/// "/shop/red-chair_2.jpg" -> shop, red, chair. Words with a letter only; numbers and the file's ending say nothing.
void add_url_words(Joined& words, std::string_view url) {
  const auto parsed = Url::parse(url);
  if (!parsed) return;
  std::string_view path = parsed->pathname();
  if (const std::size_t dot = path.rfind('.'); dot != std::string_view::npos && path.find('/', dot) == std::string_view::npos)
    path = path.substr(0, dot);
  std::string word;
  bool letter = false;
  const auto end_word = [&] {
    if (letter && word.size() > 1) words.add(word);
    word.clear();
    letter = false;
  };
  for (const char c : percent_decoded(path)) {
    const bool is_digit = c >= '0' && c <= '9';
    const bool is_letter = ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || static_cast<unsigned char>(c) >= 0x80;
    if (!is_digit && !is_letter) {
      end_word();
      continue;
    }
    word += c;
    letter = letter || is_letter;
  }
  end_word();
}

void set_if_empty(std::string& value, const std::string& candidate) {
  if (value.empty()) value = candidate;
}

/// Whether what is said of the whole page holds for this picture: it is the page's product, or has no words of its own.
bool speaks_of_page(const Showing& showing) { return showing.product || (showing.alt.empty() && showing.caption.empty()); }

void take_product(IndexDocument& document, const StoredProduct& stored) {
  set_if_empty(document.category, stored.product.category);
  set_if_empty(document.brand, stored.product.brand);
  if (document.price_micros || !stored.price_micros) return;
  document.price_micros = stored.price_micros;
  document.currency = stored.product.offer.currency;
  const std::optional<std::int64_t> old_price = price_micros(stored.product.offer.old_price);
  if (old_price > stored.price_micros) document.old_price_micros = old_price;
}

void add_once(std::vector<std::string>& values, std::string_view value, std::size_t count_max) {
  if (value.empty() || value.size() > kFacetValueBytesMax || values.size() >= count_max) return;
  if (std::ranges::find(values, value) == values.end()) values.emplace_back(value);
}

}  // namespace

IndexDocument make_index_document(const Image& image, std::span<const std::string> urls, std::span<const Showing> showings,
                                  std::span<const PictureLabel> labels) {
  IndexDocument document;
  document.id = image.id;
  document.copy_group = image.copy_group;
  document.pixels = std::uint64_t{image.width} * image.height;
  document.fetched_at_seconds = std::chrono::floor<std::chrono::seconds>(image.fetched_at).time_since_epoch().count();
  for (const ColourShare& colour : image.colours) {
    if (document.colours.size() < kColoursMax && std::ranges::find(document.colours, colour.name) == document.colours.end())
      document.colours.push_back(colour.name);
  }
  Joined title, alt, keywords, description;
  for (const Showing& showing : showings) {
    if (!showing.product) continue;
    title.add(showing.product->product.name);
    description.add(showing.product->product.description);
    take_product(document, *showing.product);
    for (const std::string& size : sizes_shown(showing.product->product, showing.image_url)) add_once(document.sizes, size, kSizesMax);
  }
  for (const Showing& showing : showings) {
    title.add(showing.page_title);
    const bool has_words = !showing.alt.empty() || !showing.caption.empty();
    if (alt.empty() && has_words) document.alt_language = primary_language(showing.words_language);  // the first words decide
    alt.add(showing.alt);
    alt.add(showing.caption);
    // A listing's keywords speak of all it shows: they would make every picture on it answer to its neighbours' names.
    if (speaks_of_page(showing)) {
      for (const std::string& keyword : showing.keywords) keywords.add(keyword);
    }
    set_if_empty(document.language, primary_language(showing.language));
    set_if_empty(document.shop, showing.shop);
  }
  // A page's description speaks of the page, a product's of the picture: only where there is no better one.
  for (const Showing& showing : showings) {
    if (speaks_of_page(showing) && (!showing.product || showing.product->product.description.empty()))
      description.add(showing.page_description);
  }
  for (const PictureLabel& label : labels) {
    keywords.add(label.label);
    keywords.add(label.artist);
    add_once(document.labels, label.label, kLabelsIndexedMax);
    add_once(document.licences, licence_name(label.licence), kLabelsIndexedMax);
  }
  for (const std::string& url : urls) {
    add_url_words(keywords, url);
    if (const auto parsed = Url::parse(url)) set_if_empty(document.shop, std::string(parsed->host()));
  }
  document.title = title.take();
  document.alt = alt.take();
  document.keywords = keywords.take();
  document.description = description.take();
  return document;
}

std::vector<std::string> own_words(std::span<const Showing> showings, std::span<const PictureLabel> labels) {
  constexpr double kNameWeight = 2, kLabelWeight = 2;
  std::vector<WeightedText> texts;
  std::string language;
  for (const Showing& showing : showings) {
    if (showing.product) texts.push_back({showing.product->product.name, kNameWeight});
    texts.push_back({showing.alt});
    texts.push_back({showing.caption});
    set_if_empty(language, showing.words_language.empty() ? showing.language : showing.words_language);
  }
  for (const PictureLabel& label : labels) texts.push_back({label.label, kLabelWeight});
  return keywords_of(texts, language, Catalog::kOwnWordsMax);
}

bool is_stand_in(const Image& image, std::span<const std::string> urls) {
  if (std::max(image.width, image.height) > kStandInSideMax || urls.size() < kStandInAddressesMin) return false;
  std::map<std::string_view, std::size_t> by_host;
  return std::ranges::any_of(urls, [&](const std::string& url) { return ++by_host[host_of_url(url)] >= kStandInAddressesMin; });
}

}  // namespace magpie
