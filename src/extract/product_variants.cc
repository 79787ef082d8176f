#include "extract/product_variants.h"

#include <string.h>

#include <algorithm>
#include <array>

#include "base/ascii.h"
#include "base/utf8.h"
#include "extract/variant_json.h"
#include "text/tokens.h"

namespace magpie {
namespace {

constexpr std::size_t kListsMax = 24;                          // parsed of a page
constexpr std::size_t kListBytesMax = std::size_t{512} << 10;  // read of each
constexpr std::size_t kReachBack = 16 * 1024;                  // bytes before a list that name its product and options

std::size_t position_of(std::string_view text, std::string_view what, std::size_t from) {
  if (from >= text.size()) return std::string_view::npos;
  const auto* at = static_cast<const char*>(::memmem(text.data() + from, text.size() - from, what.data(), what.size()));
  return at == nullptr ? std::string_view::npos : static_cast<std::size_t>(at - text.data());
}

// ---- state

// "19.9" -> "1990"; empty where the amount has thousandths or is none.
std::string in_hundredths(std::string_view amount) {
  const std::size_t point = amount.find('.');
  std::string digits(amount.substr(0, point));
  std::string fraction(point == std::string_view::npos ? std::string_view() : amount.substr(point + 1));
  if (digits.empty() || fraction.size() > 2) return {};
  fraction.resize(2, '0');
  return digits + fraction;
}

std::string from_hundredths(std::string digits) {
  while (digits.size() < 3) digits.insert(digits.begin(), '0');
  digits.insert(digits.end() - 2, '.');
  return digits;
}

// Shopify and others count in hundredths: whole numbers, of which one is a hundred times the price that the page shows.
bool counts_in_hundredths(const std::vector<ProductVariant>& variants, const std::string& price) {
  const std::string hundredths = in_hundredths(price);
  if (hundredths.empty()) return false;
  const auto is_whole = [](const ProductVariant& variant) { return variant.offer.price.find('.') == std::string::npos; };
  return std::all_of(variants.begin(), variants.end(), is_whole) &&
         std::any_of(variants.begin(), variants.end(), [&](const ProductVariant& variant) { return variant.offer.price == hundredths; });
}

bool has_price(const std::vector<ProductVariant>& variants, const std::string& price) {
  const std::string wanted = in_hundredths(price);
  return !wanted.empty() && std::any_of(variants.begin(), variants.end(), [&](const ProductVariant& variant) {
    return !variant.offer.price.empty() && in_hundredths(variant.offer.price) == wanted;
  });
}

void divide_by_hundred(std::string& amount) {
  if (!amount.empty() && amount.find('.') == std::string::npos) amount = from_hundredths(amount);
}

// "[", where a list of objects begins behind a key, or npos.
std::size_t list_behind(std::string_view text, std::size_t at) {
  const std::size_t end = std::min(text.size(), at + 24);
  while (at < end && (text[at] == '"' || text[at] == '\'' || text[at] == ' ' || text[at] == ':' || text[at] == '\\')) ++at;
  return at < end && text[at] == '[' ? at : std::string_view::npos;
}

bool has_value(const std::vector<ProductVariant>& variants, const std::string& value) {
  return std::any_of(variants.begin(), variants.end(), [&](const ProductVariant& variant) {
    return std::any_of(variant.options.begin(), variant.options.end(), [&](const VariantOption& option) { return option.value == value; });
  });
}

// Names for choices that have none, from the `"options": ["Size", "Colour"]` nearest to the list that has as many and none of their values:
// each variant may have options of its own, which are values.
void name_options(std::vector<ProductVariant>& variants, std::string_view text, std::size_t list) {
  const std::size_t count = variants.front().options.size();
  if (count == 0 || !variants.front().options.front().name.empty()) return;
  const std::size_t from = list > kReachBack ? list - kReachBack : 0;
  const auto try_names = [&](std::size_t key) {
    const std::size_t begin = list_behind(text, key + 9);
    if (begin == std::string_view::npos) return false;
    const JsonValue json = parse_json_start(utf8_prefix(text.substr(begin), 4'096), 200);
    const std::vector<std::string> names = option_names_of(&json);
    const bool fits = names.size() == count && std::none_of(names.begin(), names.end(), [&](const std::string& name) {
                        return name.empty() || has_value(variants, name);
                      });
    if (!fits) return false;
    for (ProductVariant& variant : variants) {
      for (std::size_t i = 0; i < std::min(count, variant.options.size()); ++i) variant.options[i].name = names[i];
    }
    return true;
  };
  constexpr int kOptionsSeenMax = static_cast<int>(2 * kVariantsMax);
  if (const std::size_t before = text.substr(from, list - from).rfind("\"options\"");
      before != std::string_view::npos && try_names(from + before))
    return;
  // Behind the list, and so behind what its entries say.
  int seen = 0;
  const std::string_view reach = text.substr(0, std::min(text.size(), list + kListBytesMax));
  for (std::size_t key = position_of(reach, "\"options\"", list); key != std::string_view::npos && ++seen < kOptionsSeenMax;
       key = position_of(reach, "\"options\"", key + 9)) {
    if (try_names(key)) return;
  }
}

bool is_ascii_word(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

std::string_view longest_word(std::string_view text) {
  std::string_view best;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const std::size_t begin = at;
    while (at < text.size() && is_ascii_word(text[at])) ++at;
    if (at - begin > best.size()) best = text.substr(begin, at - begin);
  }
  return best;
}

/// Tries lists of objects against the product.
class StateLists {
 public:
  StateLists(const Product& product, const PageUrls& urls)
      : product_(product),
        urls_(urls),
        word_(longest_word(product.name)),
        context_{.name = product.name, .currency = product.offer.currency} {}

  void search(std::string_view text) {
    if (text.starts_with('[') && position_of(text, "attributes", 0) < 4'096) try_list(text, 0);
    for (const std::string_view key : {std::string_view("ariants"), std::string_view("ariations")}) {
      for (std::size_t at = position_of(text, key, 0); at != std::string_view::npos && tried_ < kListsMax;
           at = position_of(text, key, at + key.size())) {
        if (const std::size_t list = list_behind(text, at + key.size()); list != std::string_view::npos) try_list(text, list);
      }
    }
  }
  std::vector<ProductVariant> take() { return std::move(best_); }

 private:
  void try_list(std::string_view text, std::size_t begin) {
    ++tried_;
    std::string unescaped;
    std::string_view source = utf8_prefix(text.substr(begin), kListBytesMax);
    // A string that holds JSON: its quotes are escaped.
    if (source.substr(0, 64).find("\\\"") < source.substr(0, 64).find('"')) {
      unescaped = without_backslashes(source);
      source = unescaped;
    }
    const JsonValue list = parse_json_start(source, 20'000);
    std::vector<const JsonValue*> entries;
    for (const JsonValue& item : list.items) {
      // GraphQL's edges: [{"node": {…}}, …].
      const JsonValue* node = item.find("node");
      entries.push_back(node != nullptr ? node : &item);
    }
    std::vector<ProductVariant> variants = read_variants(entries, context_, urls_);
    if (variants.empty()) return;
    if (unescaped.empty()) name_options(variants, text, begin);
    if (counts_in_hundredths(variants, product_.offer.price)) {
      for (ProductVariant& variant : variants) {
        divide_by_hundred(variant.offer.price);
        divide_by_hundred(variant.offer.old_price);
      }
    }
    const int score = fits(variants, text, begin);
    if (score < best_score_ || (score == best_score_ && variants.size() <= best_.size())) return;
    best_score_ = score;
    best_ = std::move(variants);
  }

  static std::string without_backslashes(std::string_view text) {
    std::string out;
    for (std::size_t at = 0; at < text.size(); ++at) {
      if (text[at] == '\\' && at + 1 < text.size() && (text[at + 1] == '"' || text[at + 1] == '\\' || text[at + 1] == '/')) ++at;
      out += text[at];
    }
    return out;
  }

  int fits(const std::vector<ProductVariant>& variants, std::string_view text, std::size_t begin) const {
    const auto is_number = [&](const ProductVariant& variant) {
      return (!product_.sku.empty() && variant.sku == product_.sku) || (!product_.gtin.empty() && variant.gtin == product_.gtin);
    };
    if (std::any_of(variants.begin(), variants.end(), is_number)) return 4;
    const bool prices = has_price(variants, product_.offer.price);
    const std::size_t from = begin > kReachBack ? begin - kReachBack : 0;
    const bool names = word_.size() >= 4 && position_of(text.substr(from, 2 * kReachBack), word_, 0) != std::string_view::npos;
    // WooCommerce's attribute is the form's own: it names no product, and has its price.
    if (prices && (names || begin == 0)) return 3;
    return names && product_.offer.price.empty() ? 2 : 0;
  }

  const Product& product_;
  const PageUrls& urls_;
  std::string_view word_;
  VariantContext context_;
  std::vector<ProductVariant> best_;
  int best_score_ = 1;
  std::size_t tried_ = 0;
};

// ---- what the page lets one choose

constexpr int kNodesMax = 6'000;  // behind the heading

// What is chosen, folded, in the main languages of trade.
constexpr std::string_view kChoiceWords[] = {"size",    "sizes",   "option",   "attribute",  "color",     "colour",   "variant", "style",
                                             "flavour", "flavor",  "scent",    "length",     "width",     "material", "finish",  //
                                             "grosse",  "farbe",   "variante", "ausfuhrung", "lange",     "breite",              // de
                                             "taille",  "couleur", "modele",   "pointure",   "taglia",    "misura",   "colore",  "talla",
                                             "tamano",  "tamanho", "cor",  // fr it es pt
                                             "maat",    "kleur",   "storlek",  "farg",       "storrelse", "farve",    "farge",   "koko",
                                             "vari",  // nl sv da no fi
                                             "rozmiar", "kolor",   "velikost", "barva",      "velkost",   "farba",    "meret",   "szin",
                                             "marime",  "culoare", "beden",    "renk",  // pl cs sk hu ro tr
                                             "размер",  "цвет",    "розмір",   "колір",      "цвят",      "μεγεθος",  "χρωμα",   "サイズ",
                                             "カラー",  "色",      "尺码",     "尺寸",       "颜色",      "顏色",     "사이즈",  "색상",
                                             "المقاس",  "اللون",   "سایز",     "اندازه",     "رنگ",       "מידה",     "צבע"};

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || static_cast<unsigned char>(c) >= 0x80; }

// The word of kChoiceWords that stands in the text as a whole word; empty when none does.
std::string_view choice_word(std::string_view folded) {
  for (const std::string_view word : kChoiceWords) {
    for (std::size_t at = folded.find(word); at != std::string_view::npos; at = folded.find(word, at + 1)) {
      const std::size_t end = at + word.size();
      if ((at == 0 || !is_letter(folded[at - 1])) && (end == folded.size() || !is_letter(folded[end]))) return word;
    }
  }
  return {};
}

bool says_gone(HtmlNode node) {
  if (node.has_attribute("disabled")) return true;
  for (const std::string_view attribute :
       {std::string_view("class"), std::string_view("data-availability"), std::string_view("data-stock-status")}) {
    const std::string words = ascii_lowered(node.attribute(attribute).substr(0, 256));
    for (const std::string_view gone : {"sold-out", "soldout", "sold_out", "out-of-stock", "outofstock", "unavailable", "not-available"}) {
      if (words.find(gone) != std::string::npos) return true;
    }
  }
  return false;
}

std::string label_of(HtmlNode control) {
  if (HtmlNode around = control.parent(); around && around.tag() == HtmlTag::kLabel) return around.visible_text(128);
  return squeeze(utf8_prefix(control.attribute("aria-label"), 128));
}

// The <label> that stands before a control, or before what holds it: OpenCart and Magento call a control no more than "option[12]".
std::string label_before(HtmlNode control) {
  constexpr int kLevelsMax = 3, kSiblingsMax = 4;
  HtmlNode at = control;
  for (int level = 0; at && level < kLevelsMax; ++level, at = at.parent()) {
    int siblings = 0;
    for (HtmlNode before = at.previous_sibling(); before && ++siblings < kSiblingsMax; before = before.previous_sibling()) {
      if (before.is_element() && before.tag() == HtmlTag::kLabel) return before.visible_text(64);
    }
  }
  return {};
}

/// What a control lets one choose: the words on its label, else the word that calls it a choice; empty where it is none.
std::string choice_name(HtmlNode control) {
  const std::string label = control.tag() == HtmlTag::kSelect ? squeeze(utf8_prefix(control.attribute("aria-label"), 128)) : std::string();
  if (!choice_word(fold(label)).empty()) return label;
  for (const std::string_view attribute : {std::string_view("name"), std::string_view("id"), std::string_view("data-attribute_name")}) {
    const std::string value = squeeze(utf8_prefix(control.attribute(attribute), 128));
    if (const std::string_view word = choice_word(fold(value)); !word.empty()) {
      std::string before = label_before(control);
      return before.empty() ? std::string(word) : before;
    }
  }
  return {};
}

struct Choice {
  std::string control;  // the name attribute that radio buttons share; empty of a <select>
  std::string name;
  std::vector<ProductVariant> variants;
  void add(std::string value, bool gone) {
    if (value.empty() || variants.size() >= kVariantsMax) return;
    ProductVariant variant;
    variant.options.push_back({name, std::move(value)});
    variant.offer.availability = gone ? "OutOfStock" : "";
    variants.push_back(std::move(variant));
  }
};

Choice read_select(HtmlNode select, std::string name) {
  Choice choice{.control = {}, .name = std::move(name), .variants = {}};
  int nodes = 0;
  for (HtmlNode node = select.first_child(); node && ++nodes < 1'000; node = node.next_in_order(select)) {
    if (!node.is_element() || node.tag() != HtmlTag::kOption) continue;
    // "Choose a size": no value, or none that could be sent.
    if (node.has_attribute("value") && node.attribute("value").empty()) continue;
    choice.add(node.visible_text(128), says_gone(node));
  }
  return choice;
}

bool same_values(const Choice& a, const Choice& b) {
  return std::equal(a.variants.begin(), a.variants.end(), b.variants.begin(), b.variants.end(),
                    [](const ProductVariant& x, const ProductVariant& y) { return x.options.front().value == y.options.front().value; });
}

std::string radio_value(HtmlNode radio) {
  if (std::string label = label_of(radio); !label.empty()) return label;
  std::string value = squeeze(utf8_prefix(radio.attribute("value"), 128));
  const bool is_number = value.size() > 4 && value.find_first_not_of("0123456789") == std::string::npos;
  return is_number ? std::string() : value;
}

}  // namespace

std::vector<ProductVariant> embedded_variants(const std::vector<std::string_view>& texts, const Product& product, const PageUrls& urls) {
  StateLists lists(product, urls);
  for (const std::string_view text : texts) lists.search(text);
  return lists.take();
}

std::vector<ProductVariant> visible_variants(HtmlNode body, HtmlNode heading) {
  std::vector<Choice> choices;
  int nodes = 0;
  for (HtmlNode node = heading; node && ++nodes < kNodesMax; node = node.next_in_order(body)) {
    if (!node.is_element()) continue;
    const HtmlTag tag = node.tag();
    if (tag == HtmlTag::kFooter) break;
    if (tag == HtmlTag::kSelect) {
      if (std::string name = choice_name(node); !name.empty()) choices.push_back(read_select(node, std::move(name)));
    } else if (tag == HtmlTag::kInput && ascii_lowered(node.attribute("type").substr(0, 8)) == "radio") {
      const std::string control(node.attribute("name").substr(0, 128));
      if (choices.empty() || choices.back().control != control || control.empty()) {
        std::string name = choice_name(node);
        if (name.empty()) continue;
        choices.push_back({.control = control, .name = std::move(name), .variants = {}});
      }
      choices.back().add(radio_value(node), says_gone(node));
    }
    if (choices.size() > 8) break;
  }
  std::erase_if(choices, [](const Choice& choice) { return choice.variants.size() < 2; });
  // The same choice a second time, for small screens or a box that follows the scrolling.
  while (choices.size() > 1 && same_values(choices.front(), choices.back())) choices.pop_back();
  return choices.size() == 1 ? std::move(choices.front().variants) : std::vector<ProductVariant>();
}

}  // namespace magpie
