#include "extract/field_selectors.h"

#include <algorithm>
#include <array>
#include <optional>
#include <unordered_map>
#include <unordered_set>

#include "base/ascii.h"
#include "base/utf8.h"
#include "extract/schema_product.h"
#include "extract/visible_product.h"
#include "text/price.h"
#include "text/tokens.h"

namespace magpie {
namespace {

constexpr int kLevels = 4;
constexpr std::size_t kClassesMax = 6;
constexpr std::size_t kNameBytesMax = 64;    // of an element, id or class
constexpr std::size_t kClassBytesMax = 512;  // of an element's classes that are read
constexpr std::size_t kTriedMax = 32;        // pieces of text that may show a field and are looked at closely
constexpr int kAlikeMax = 16;                // elements of one path that are compared
constexpr std::size_t kValueBytesMax = 512;  // of what an element shows, but for descriptions
constexpr std::size_t kDescriptionBytesMax = 16'384;
constexpr std::size_t kWordsBytesMax = 80;
constexpr std::size_t kPriceBytesMax = 64;
constexpr int kElementsMax = 50'000;  // looked at
constexpr std::size_t kTrialsOfFieldMax = 6;
constexpr std::size_t kDescriptionSame = 60;  // bytes by which descriptions are told to be the same

bool names_one_product(std::string_view name) {
  return std::count_if(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; }) >= 2;
}

void append_name(std::string& key, char mark, std::string_view name) {
  if (name.empty() || name.size() > kNameBytesMax || names_one_product(name)) return;
  key += mark;
  // The signs of the notation itself cannot be part of a name in it.
  for (const char c : name) key += c == '<' || c == '.' || c == '#' ? '_' : c;
}

/// "span.price.sale", "main#content"; empty for an element whose name is none that a template has.
std::string key_of(HtmlNode element) {
  std::string key(element.name().substr(0, kNameBytesMax + 1));
  if (key.size() > kNameBytesMax) return {};
  append_name(key, '#', element.attribute("id"));
  std::array<std::string_view, kClassesMax> classes;
  std::size_t count = 0;
  std::string_view rest = element.attribute("class").substr(0, kClassBytesMax);
  while (!rest.empty() && count < kClassesMax) {
    const std::size_t begin = rest.find_first_not_of(" \t\r\n\f");
    if (begin == std::string_view::npos) break;
    rest.remove_prefix(begin);
    const std::string_view name = rest.substr(0, rest.find_first_of(" \t\r\n\f"));
    rest.remove_prefix(name.size());
    classes[count++] = name;
  }
  std::sort(classes.begin(), classes.begin() + static_cast<std::ptrdiff_t>(count));
  for (std::size_t i = 0; i < count; ++i) append_name(key, '.', classes[i]);
  return key;
}

/// Paths of a page's elements, each element's own part made once.
class Paths {
 public:
  explicit Paths(HtmlNode body) : body_(body) {}

  const std::string& key(HtmlNode element) {
    const auto [known, fresh] = keys_.try_emplace(element.raw());
    if (fresh) known->second = key_of(element);
    return known->second;
  }
  /// Empty when it is longer than a selector's may be.
  std::string path(HtmlNode element) {
    std::string path;
    for (int level = 0; level < kLevels && element && element != body_; ++level, element = element.parent()) {
      const std::string& part = key(element);
      if (part.empty() || path.size() + part.size() >= FieldSelector::kPathBytesMax) return {};
      if (level > 0) path += '<';
      path += part;
    }
    return path;
  }
  HtmlNode body() const { return body_; }

 private:
  HtmlNode body_;
  std::unordered_map<const void*, std::string> keys_;
};

/// The first element of each path, and whether all others of it say the same.
class Places {
 public:
  explicit Places(Paths& paths) : paths_(paths) {}

  void want(const std::string& path) {
    if (!path.empty() && places_.try_emplace(path).second) innermost_.insert(path.substr(0, path.find('<')));
  }

  void find() {
    int elements = 0;
    const HtmlNode body = paths_.body();
    for (HtmlNode node = body.first_child(); node && elements < kElementsMax; node = node.next_in_order(body)) {
      if (!node.is_element()) continue;
      ++elements;
      if (!innermost_.contains(paths_.key(node))) continue;
      const auto place = places_.find(paths_.path(node));
      if (place == places_.end()) continue;
      Place& found = place->second;
      if (!found.first) {
        found.first = node;
        found.text = node.visible_text(kValueBytesMax);
      } else if (found.is_one) {
        found.is_one = ++found.alike < kAlikeMax && node.visible_text(kValueBytesMax) == found.text;
      }
    }
  }

  struct Place {
    HtmlNode first;
    std::string text;
    bool is_one = true;
    int alike = 0;
  };
  /// Null when the page has no such element.
  const Place* at(const std::string& path) const {
    const auto place = places_.find(path);
    return place == places_.end() || !place->second.first ? nullptr : &place->second;
  }

 private:
  Paths& paths_;
  std::unordered_map<std::string, Place> places_;
  std::unordered_set<std::string> innermost_;
};

/// "SKU: 12-34" behind the words "SKU:" is "12-34"; nothing when it begins otherwise.
std::optional<std::string> behind(std::string_view text, std::string_view words) {
  if (!text.starts_with(words)) return std::nullopt;
  return squeeze(text.substr(words.size()));
}

/// What a selector's element says of its field, in the product's own form; empty for nothing.
std::string value_at(const FieldSelector& selector, HtmlNode element, const std::string& text, std::string_view site_currency) {
  if (selector.field == "price") {
    if (text.size() > kPriceBytesMax) return {};  // a whole page's first amount is anything
    const Price price = parse_price(text, {.currency_of_site = site_currency});
    return normalised_amount(price.amount, price.currency);
  }
  if (selector.field == "availability") return fold(text) == selector.words ? selector.value : std::string();
  if (selector.field == "description") return element.visible_text(kDescriptionBytesMax);
  return behind(text, selector.words).value_or("");
}

bool same_value(std::string_view field, const std::string& one, const std::string& other) {
  if (field == "price") return same_amount(one, other);
  if (field == "name" || field == "brand") return one == other || fold(one) == fold(other);
  if (field == "description")
    return one.size() >= kDescriptionSame && fold(utf8_prefix(one, kDescriptionSame)) == fold(utf8_prefix(other, kDescriptionSame));
  return one == other;
}

/// The fields that are learnt, with the product's values.
std::array<std::pair<std::string_view, const std::string*>, 7> fields_of(const Product& product) {
  return {{{"name", &product.name},
           {"price", &product.offer.price},
           {"brand", &product.brand},
           {"sku", &product.sku},
           {"gtin", &product.gtin},
           {"availability", &product.offer.availability},
           {"description", &product.description}}};
}

/// The selector of `element` for a field, if it shows the field's value and nothing else but words before it.
std::optional<FieldSelector> selector_at(std::string_view field, const std::string& value, HtmlNode element, Paths& paths,
                                         std::string_view site_currency) {
  const std::string text = element.visible_text(kValueBytesMax);
  FieldSelector selector{.field = std::string(field), .path = {}, .words = {}, .value = {}};
  if (field == "availability") {
    selector.words = fold(text);
    selector.value = value;
    if (selector.words.empty() || selector.words.size() > kWordsBytesMax) return std::nullopt;
  } else if (field == "brand" || field == "sku" || field == "gtin") {
    if (text.size() > value.size() + kWordsBytesMax || !text.ends_with(value)) return std::nullopt;
    selector.words = text.substr(0, text.size() - value.size());
    if (const char last = selector.words.empty() ? ' ' : selector.words.back(); last != ' ' && last != ':' && last != '#')
      return std::nullopt;
    if (std::any_of(selector.words.begin(), selector.words.end(), [](char c) { return c >= '0' && c <= '9'; })) return std::nullopt;
  }
  if (!same_value(field, value_at(selector, element, text, site_currency), value)) return std::nullopt;
  selector.path = paths.path(element);
  return selector.path.empty() ? std::nullopt : std::optional(std::move(selector));
}

/// Elements that may show a field: the innermost ones around a piece of text, and three around each.
class Finder {
 public:
  Finder(Paths& paths, const VisibleLines& lines, const Product& product, std::string_view site_currency)
      : paths_(paths), lines_(lines), product_(product), site_currency_(site_currency) {}

  std::vector<FieldSelector> run() {
    for (std::size_t i = 0; i < lines_.pieces.size(); ++i) {
      const std::size_t end = i + 1 < lines_.pieces.size() ? lines_.pieces[i + 1].begin : lines_.text.size();
      const std::string_view text = std::string_view(lines_.text).substr(lines_.pieces[i].begin, end - lines_.pieces[i].begin);
      look_at(squeeze(text), lines_.pieces[i].element);
    }
    return std::move(found_);
  }

 private:
  void look_at(const std::string& piece, HtmlNode element) {
    if (piece.empty()) return;
    const auto fields = fields_of(product_);
    for (std::size_t i = 0; i < fields.size(); ++i) {
      const auto& [field, value] = fields[i];
      if (value->empty() || tried_[i] >= kTriedMax || !may_show(field, *value, piece, element)) continue;
      if (count_of(field) >= kTrialsOfFieldMax) continue;
      ++tried_[i];
      HtmlNode at = element;
      for (int level = 0; level < 3 && at && at != paths_.body(); ++level, at = at.parent()) {
        auto selector = selector_at(field, *value, at, paths_, site_currency_);
        if (!selector) continue;
        if (std::find(found_.begin(), found_.end(), *selector) == found_.end()) found_.push_back(std::move(*selector));
        break;
      }
    }
  }

  // A quick look that refuses nearly all.
  static bool may_show(std::string_view field, const std::string& value, const std::string& piece, HtmlNode element) {
    if (field == "price") return piece.size() <= kWordsBytesMax && has_digits_of(piece, value);
    if (field == "availability") return piece.size() <= kWordsBytesMax && says_availability(piece, element);
    if (field == "description") return piece.size() >= kDescriptionSame && value.size() >= kDescriptionSame && begins_alike(piece, value);
    if (field == "name") return piece.size() <= 2 * value.size() && begins_alike(piece, value);
    return piece.size() <= value.size() + kWordsBytesMax && piece.ends_with(value);
  }
  // Those before the decimal point, in a row but for what sets thousands apart; digits of other scripts could be any.
  static bool has_digits_of(const std::string& piece, const std::string& amount) {
    std::string digits;
    for (const char c : piece) {
      if (c >= '0' && c <= '9') digits += c;
    }
    return digits.empty() || digits.find(amount.substr(0, amount.find('.'))) != std::string::npos;
  }
  static bool begins_alike(const std::string& one, const std::string& other) {
    const std::size_t bytes = std::min<std::size_t>({8, one.size(), other.size()});
    return ascii_lowered(one.substr(0, bytes)) == ascii_lowered(other.substr(0, bytes));
  }
  // Any short line could: those that are known to, and, in whatever language, those in an element whose names say so.
  static bool says_availability(const std::string& piece, HtmlNode element) {
    static constexpr std::string_view kNames[] = {"stock", "avail", "lager", "dispo", "verfueg", "verfug", "inventory", "sklad", "status"};
    if (!normalised_availability(piece).empty()) return true;
    const std::string names = ascii_lowered(element.attribute("class")) + " " + ascii_lowered(element.attribute("id"));
    return std::any_of(std::begin(kNames), std::end(kNames), [&](std::string_view name) { return names.find(name) != std::string::npos; });
  }

  std::size_t count_of(std::string_view field) const {
    return static_cast<std::size_t>(
        std::count_if(found_.begin(), found_.end(), [&](const FieldSelector& one) { return one.field == field; }));
  }

  Paths& paths_;
  const VisibleLines& lines_;
  const Product& product_;
  std::string_view site_currency_;
  std::array<std::size_t, 7> tried_{};  // of each field
  std::vector<FieldSelector> found_;
};

}  // namespace

SelectedFields select_fields(HtmlNode body, std::span<const FieldSelector> selectors, std::string_view site_currency) {
  SelectedFields out;
  if (selectors.empty() || !body) return out;
  Paths paths(body);
  Places places(paths);
  for (const FieldSelector& selector : selectors) places.want(selector.path);
  places.find();
  bool one_name = false, one_price = false;
  for (const FieldSelector& selector : selectors) {
    const Places::Place* place = places.at(selector.path);
    if (place == nullptr) continue;
    const std::string value = value_at(selector, place->first, place->text, site_currency);
    if (value.empty()) continue;
    const auto take = [&](std::string& field) {
      if (field.empty()) field = value;
    };
    if (selector.field == "name") {
      one_name = one_name || (out.name.empty() && place->is_one);
      take(out.name);
    } else if (selector.field == "price") {
      if (out.price.empty()) out.currency = parse_price(place->text, {.currency_of_site = site_currency}).currency;
      one_price = one_price || (out.price.empty() && place->is_one);
      take(out.price);
    } else if (selector.field == "brand") {
      take(out.brand);
    } else if (selector.field == "sku") {
      take(out.sku);
    } else if (selector.field == "gtin") {
      take(out.gtin);
    } else if (selector.field == "availability") {
      take(out.availability);
    } else if (selector.field == "description") {
      take(out.description);
    }
  }
  out.is_product = one_name && one_price;
  return out;
}

std::vector<SelectorTrial> try_selectors(HtmlNode body, const VisibleLines& lines, const Product& product,
                                         std::span<const FieldSelector> known, std::string_view site_currency) {
  Paths paths(body);
  std::vector<FieldSelector> selectors = Finder(paths, lines, product, site_currency).run();
  for (const FieldSelector& one : known) {
    if (std::find(selectors.begin(), selectors.end(), one) == selectors.end()) selectors.push_back(one);
  }
  Places places(paths);
  for (const FieldSelector& one : selectors) places.want(one.path);
  places.find();
  std::vector<SelectorTrial> trials;
  for (FieldSelector& selector : selectors) {
    const Places::Place* place = places.at(selector.path);
    if (place == nullptr) continue;
    std::string_view wanted;
    for (const auto& [field, value] : fields_of(product)) {
      if (field == selector.field) wanted = *value;
    }
    const std::string value = value_at(selector, place->first, place->text, site_currency);
    if (wanted.empty() || value.empty()) continue;  // nothing to compare
    const bool agrees = same_value(selector.field, value, std::string(wanted));
    trials.push_back({std::move(selector), agrees});
  }
  return trials;
}

}  // namespace magpie
