#include "extract/embedded_state.h"

#include <string.h>

#include <algorithm>

#include "base/utf8.h"
#include "extract/schema_product.h"
#include "text/price.h"
#include "text/tokens.h"

namespace magpie {
namespace {

constexpr std::size_t kObjectsMax = 32;            // parsed of a page
constexpr std::size_t kObjectBytesMax = 8 * 1024;  // read of each
constexpr std::size_t kReachBack = 4 * 1024;       // bytes from a price back to the brace of its object
constexpr std::size_t kLooksMax = 1'000;           // prices looked at
constexpr std::size_t kNear = 2 * 1024;            // bytes around a price that should name the product
constexpr std::size_t kProductsMax = 16;
constexpr std::size_t kClueBytesMin = 8;

// As string_view::find, which is slow where the first letter is a common one.
std::size_t position_of(std::string_view text, std::string_view what, std::size_t from) {
  if (from >= text.size()) return std::string_view::npos;
  const auto* at = static_cast<const char*>(::memmem(text.data() + from, text.size() - from, what.data(), what.size()));
  return at == nullptr ? std::string_view::npos : static_cast<std::size_t>(at - text.data());
}

bool is_word(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; }

// Letters and digits in lower case: "item_brand" and "itemBrand" are one.
std::string plain_key(std::string_view key) {
  std::string out;
  for (const char c : key.substr(0, 64)) {
    if (c >= 'A' && c <= 'Z') out += static_cast<char>(c + 32);
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) out += c;
  }
  return out;
}

/// The members of an object by their plain keys.
class Members {
 public:
  explicit Members(const JsonValue& object) {
    members_.reserve(object.members.size());
    for (const auto& [name, value] : object.members) members_.emplace_back(plain_key(name), &value);
  }
  const JsonValue* first(std::initializer_list<std::string_view> keys) const {
    for (const std::string_view key : keys) {
      for (const auto& [name, value] : members_) {
        if (name == key) return value;
      }
    }
    return nullptr;
  }

 private:
  std::vector<std::pair<std::string, const JsonValue*>> members_;
};

const JsonValue* member(const JsonValue& object, std::initializer_list<std::string_view> keys) { return Members(object).first(keys); }

std::string text_of(const JsonValue* value) {
  if (value == nullptr) return {};
  if (value->is_object()) return text_of(member(*value, {"name", "title", "label", "value"}));
  if (value->is_array()) return value->items.size() == 1 ? text_of(&value->items.front()) : std::string();
  return value->kind == JsonValue::Kind::kString || value->kind == JsonValue::Kind::kNumber ? plain_words(value->text, 256) : std::string();
}

// A price may be an object of its own: {"amount": 12.5, "currency": "EUR"}, {"now": {"value": ..}}.
std::string price_of(const JsonValue* value, Offer& offer, int depth = 0) {
  if (value == nullptr || depth > 3) return {};
  if (value->is_array()) return value->items.empty() ? std::string() : price_of(&value->items.front(), offer, depth + 1);
  if (!value->is_object()) return normalised_amount(value->text, offer.currency);
  if (offer.currency.empty()) offer.currency = normalised_currency(text_of(member(*value, {"currency", "currencycode", "pricecurrency"})));
  return price_of(
      member(*value, {"sale", "sales", "now", "current", "final", "special", "amount", "value", "price", "decimalprice", "raw", "min"}),
      offer, depth + 1);
}

std::string availability_of(const Members& object) {
  if (const JsonValue* sold = object.first({"issoldout", "soldout", "outofstock", "isoutofstock"}); sold != nullptr && sold->text == "true")
    return "OutOfStock";
  const JsonValue* value =
      object.first({"availability", "stockstatus", "instock", "isinstock", "available", "isavailable", "stockavailability"});
  if (value == nullptr || value->is_object() || value->is_array()) return {};
  if (value->text == "true" || value->text == "1") return "InStock";
  if (value->text == "false" || value->text == "0") return "OutOfStock";
  return normalised_availability(value->text);
}

EmbeddedProduct read(const JsonValue& value) {
  const Members object(value);
  EmbeddedProduct found;
  Product& product = found.product;
  product.name = text_of(object.first({"name", "productname", "title", "producttitle", "itemname", "displayname", "pname"}));
  product.brand = text_of(object.first({"brand", "brandname", "itembrand", "productbrand", "vendor", "manufacturer", "manufacturername"}));
  product.sku = text_of(object.first({"sku", "productsku", "skucode", "skuid", "itemnumber", "articlenumber", "productcode", "artnr"}));
  found.has_own_number = !product.sku.empty();
  if (product.sku.empty()) product.sku = text_of(object.first({"productid", "itemid", "id", "prodid", "pid", "code"}));
  product.gtin = text_of(object.first({"gtin13", "gtin", "ean", "ean13", "gtin14", "gtin12"}));
  Offer& offer = product.offer;
  offer.currency = normalised_currency(text_of(object.first({"currency", "currencycode", "pricecurrency", "currencyiso"})));
  for (const std::string_view key :
       {"saleprice", "specialprice", "finalprice", "currentprice", "discountedprice", "discountprice", "priceafterdiscount", "displayprice",
        "productprice", "price", "unitprice", "sellingprice", "priceamount", "pricevalue"}) {
    if (offer.price.empty()) offer.price = price_of(object.first({key}), offer);
  }
  if (offer.price.empty()) {
    const JsonValue* offers = object.first({"offers", "offer", "pricing", "prices"});
    if (offers != nullptr && offers->is_array() && !offers->items.empty()) offers = &offers->items.front();
    if (offers != nullptr && offers->is_object()) offer.price = price_of(offers, offer);
  }
  offer.availability = availability_of(object);
  return found;
}

/// The objects around prices in one text.
class Finder {
 public:
  Finder(const ProductClues& clues, std::vector<EmbeddedProduct>& found) : clues_(clues), found_(found) {
    for (const std::string& name : clues.names) {
      names_.push_back(fold(name));
      note_needle(longest_word(name));
    }
    for (const std::string& number : clues.numbers) note_needle(number);
    note_needle(longest_number(clues.url));
  }

  void search(std::string_view text) {
    for (std::size_t at = position_of(text, "rice", 0); at != std::string_view::npos && is_open(); at = position_of(text, "rice", at + 4)) {
      if (at == 0 || (text[at - 1] != 'p' && text[at - 1] != 'P')) continue;
      if (end_of_key(text, at + 4) == std::string_view::npos) continue;
      if (++looks_ > kLooksMax) return;
      if (!has_needle(text.substr(at > kNear ? at - kNear : 0, 2 * kNear))) continue;
      read_around(text, at);
    }
  }

  bool is_open() const { return objects_ < kObjectsMax && found_.size() < kProductsMax; }

 private:
  // Words that stand near every mention of the product; letters beyond ASCII may be escaped there.
  static std::string_view longest_word(std::string_view text) {
    return longest(text, [](char c) { return is_word(c); });
  }
  static std::string_view longest_number(std::string_view text) {
    return longest(text, [](char c) { return c >= '0' && c <= '9'; });
  }
  template <class Is>
  static std::string_view longest(std::string_view text, Is&& is) {
    std::string_view best;
    for (std::size_t at = 0; at < text.size(); ++at) {
      const std::size_t begin = at;
      while (at < text.size() && is(text[at])) ++at;
      if (at - begin > best.size()) best = text.substr(begin, at - begin);
    }
    return best;
  }
  void note_needle(std::string_view word) {
    if (word.size() >= 4 && needles_.size() < 8 && std::find(needles_.begin(), needles_.end(), word) == needles_.end())
      needles_.push_back(word);
  }
  bool has_needle(std::string_view text) const {
    return needles_.empty() || std::any_of(needles_.begin(), needles_.end(),
                                           [&](std::string_view needle) { return position_of(text, needle, 0) != std::string_view::npos; });
  }

  // Behind `price`, the rest of its word, a quote perhaps, and a colon: it is a key.
  static std::size_t end_of_key(std::string_view text, std::size_t at) {
    const std::size_t end = std::min(text.size(), at + 32);
    while (at < end && is_word(text[at])) ++at;
    while (at < end && (text[at] == '\\' || text[at] == '"' || text[at] == '\'' || text[at] == ' ')) ++at;
    return at < end && text[at] == ':' ? at : std::string_view::npos;
  }

  // The brace that opens the object around `at`; npos when it is too far.
  static std::size_t brace_before(std::string_view text, std::size_t at) {
    const std::size_t least = at > kReachBack ? at - kReachBack : 0;
    int depth = 0;
    while (at-- > least) {
      if (text[at] == '}') ++depth;
      if (text[at] == '{' && depth-- == 0) return at;
    }
    return std::string_view::npos;
  }

  // Tries the object itself, then those around it, as a price may stand in one of its own.
  void read_around(std::string_view text, std::size_t at) {
    const bool is_escaped = text.substr(at + 4, 32).find("\\\"") < text.substr(at + 4, 32).find(':');
    std::size_t begin = at;
    for (int level = 0; level < 3 && is_open(); ++level) {
      begin = brace_before(text, begin);
      if (begin == std::string_view::npos) return;
      std::string unescaped;
      std::string_view object = utf8_prefix(text.substr(begin), kObjectBytesMax);
      if (is_escaped) object = unescaped = without_escapes(object);
      ++objects_;
      const JsonValue value = parse_json_start(object, 2'000);
      EmbeddedProduct product = read(value);
      if (product.product.offer.price.empty() || (product.product.name.empty() && product.product.sku.empty())) continue;
      if (is_own(product.product)) found_.push_back(std::move(product));
      return;
    }
  }

  static std::string without_escapes(std::string_view text) {
    std::string out;
    for (std::size_t at = 0; at < text.size(); ++at) {
      if (text[at] == '\\' && at + 1 < text.size() && (text[at + 1] == '"' || text[at + 1] == '\\' || text[at + 1] == '/')) ++at;
      out += text[at];
    }
    return out;
  }

  bool is_own(const Product& product) const {
    const std::string name = fold(product.name);
    if (!name.empty()) {
      for (const std::string& known : names_) {
        const std::string& shorter = name.size() < known.size() ? name : known;
        const std::string& longer = name.size() < known.size() ? known : name;
        if (name == known ||
            (shorter.size() >= kClueBytesMin && shorter.size() * 2 >= longer.size() && longer.find(shorter) != std::string::npos))
          return true;
      }
    }
    if (product.sku.size() < 4) return false;
    if (std::find(clues_.numbers.begin(), clues_.numbers.end(), product.sku) != clues_.numbers.end()) return true;
    const std::size_t at = clues_.url.find(product.sku);
    return at != std::string_view::npos &&
           (at == 0 || !is_word(clues_.url[at - 1]) || clues_.url[at - 1] == '_' || clues_.url[at - 1] == 'p');
  }

  const ProductClues& clues_;
  std::vector<EmbeddedProduct>& found_;
  std::vector<std::string> names_;
  std::vector<std::string_view> needles_;
  std::size_t objects_ = 0, looks_ = 0;
};

}  // namespace

std::vector<EmbeddedProduct> embedded_products(const std::vector<std::string_view>& texts, const ProductClues& clues) {
  std::vector<EmbeddedProduct> found;
  Finder finder(clues, found);
  for (const std::string_view text : texts) {
    if (finder.is_open()) finder.search(text);
  }
  const auto told = [](const EmbeddedProduct& embedded) {
    const Product& product = embedded.product;
    return 4 * !product.offer.price.empty() + 2 * !product.name.empty() + embedded.has_own_number + !product.brand.empty() +
           !product.offer.currency.empty();
  };
  std::stable_sort(found.begin(), found.end(), [&](const EmbeddedProduct& a, const EmbeddedProduct& b) { return told(a) > told(b); });
  return found;
}

std::string embedded_currency(const std::vector<std::string_view>& texts) {
  int looks = 0;
  for (const std::string_view text : texts) {
    for (std::size_t at = position_of(text, "urrency", 0); at != std::string_view::npos && ++looks < 200;
         at = position_of(text, "urrency", at + 7)) {
      std::string_view behind = text.substr(at + 7, 48);
      // "currency": "EUR", currencyCode = 'EUR', currency: {"active": "EUR"
      const std::size_t quote =
          behind.find_first_of("\"'", behind.find_first_of(":=") == std::string_view::npos ? behind.size() : behind.find_first_of(":="));
      if (quote == std::string_view::npos) continue;
      behind.remove_prefix(quote + 1);
      if (behind.starts_with("active")) behind.remove_prefix(std::min(behind.size(), std::max<std::size_t>(behind.find(":"), 6) + 2));
      if (behind.size() > 3 && !is_word(behind[3]) && is_currency_code(behind.substr(0, 3))) return std::string(behind.substr(0, 3));
    }
  }
  return {};
}

}  // namespace magpie
