#include "extract/product_fields.h"

#include <algorithm>

#include "base/ascii.h"
#include "base/utf8.h"
#include "extract/schema_product.h"
#include "text/price.h"
#include "text/tokens.h"

namespace magpie {
namespace {

/// One source's word; weights of equal values add up.
struct Candidate {
  std::string value;
  FieldOrigin origin = FieldOrigin::kJsonLd;
  int weight = 0;
};

class Vote {
 public:
  void add(std::string_view value, FieldOrigin origin, int weight) {
    if (!value.empty() && weight != 0) said_.push_back({std::string(value), origin, weight});
  }

  bool is_empty() const { return said_.empty(); }

  template <class Same>
  const Candidate* winner(Same&& same) {
    for (Candidate& one : said_) {
      int sum = 0;
      for (const Candidate& other : said_) sum += same(one.value, other.value) ? other.weight : 0;
      sums_.push_back(sum);
    }
    const Candidate* best = nullptr;
    int best_sum = 0;
    for (std::size_t i = 0; i < said_.size(); ++i) {
      if (sums_[i] > best_sum) {
        best = &said_[i];
        best_sum = sums_[i];
      }
    }
    best_sum_ = best_sum;
    return best;
  }

  /// Of the winner: 100 for a weight of 100 and more; half where another value is nearly as strong.
  template <class Same>
  FieldEvidence evidence(std::string field, const Candidate& winner, Same&& same) const {
    FieldEvidence out{.field = std::move(field), .origin = winner.origin, .sure_percent = 0, .otherwise = {}};
    int other_sum = 0;
    for (std::size_t i = 0; i < said_.size(); ++i) {
      if (same(said_[i].value, winner.value) || sums_[i] <= other_sum) continue;
      other_sum = sums_[i];
      out.otherwise = said_[i].value;
    }
    out.sure_percent = static_cast<std::uint8_t>(std::clamp(best_sum_ - other_sum / 3, 5, 99));
    return out;
  }

 private:
  std::vector<Candidate> said_;
  std::vector<int> sums_;
  int best_sum_ = 0;
};

int weight_of(FieldOrigin origin) {
  switch (origin) {
    case FieldOrigin::kJsonLd: return 60;
    case FieldOrigin::kMicrodata: return 55;
    case FieldOrigin::kRdfa: return 50;
    case FieldOrigin::kOpenGraph: return 45;
    case FieldOrigin::kLearnt: return 65;  // more than a guess at what one page shows
    default: return 30;
  }
}

bool same_folded(const std::string& one, const std::string& other) { return one == other || fold(one) == fold(other); }

class Decider {
 public:
  Decider(Product& product, const FieldSources& sources) : product_(product), it_(sources) {}

  void run() {
    price();
    currency();
    availability();
    brand();
    numbers();
    if (product_.description.empty() || it_.selected.is_product) learnt_description();
  }

 private:
  template <class Same>
  std::string settle(std::string field, Vote& vote, Same&& same) {
    const Candidate* winner = vote.winner(same);
    if (winner == nullptr) return {};
    product_.evidence.push_back(vote.evidence(std::move(field), *winner, same));
    return winner->value;
  }

  // The words meant for search engines are fewer than those that the site's own place for them has.
  void learnt_description() {
    if (it_.selected.description.size() > product_.description.size()) product_.description = it_.selected.description;
  }

  // ---- price ----
  // What the page shows as the old price is no longer to be paid; what it does not show at all is doubtful where it clearly shows another.
  int shown_bonus(std::string_view amount) const {
    if (it_.visible.shows(amount)) return it_.visible.best_score(amount) >= kSureScore ? 30 : 15;
    if (it_.visible.shows_as_old(amount)) return -40;
    return it_.visible.price != nullptr && it_.visible.price->score >= kSureScore ? -25 : 0;
  }

  // Some programs count in cents: "price": 12999 where the page shows 129.99.
  std::string in_units(const std::string& amount) const {
    if (amount.find('.') != std::string::npos || amount.size() < 3 || it_.visible.shows(amount)) return amount;
    const std::string units = amount.substr(0, amount.size() - 2) + "." + amount.substr(amount.size() - 2);
    return it_.visible.shows(units) ? units : amount;
  }

  void price() {
    Vote vote;
    for (const MarkedProduct& marked : it_.marked) {
      const std::string& amount = marked.product.offer.price;
      if (!amount.empty()) vote.add(amount, marked.origin, std::max(1, weight_of(marked.origin) + shown_bonus(amount)));
    }
    if (!it_.embedded.empty()) {
      const std::string amount = in_units(it_.embedded.front().product.offer.price);
      vote.add(amount, FieldOrigin::kEmbedded, std::max(1, weight_of(FieldOrigin::kEmbedded) + shown_bonus(amount)));
    }
    const std::string loose = normalised_amount(it_.lines.property("price"), it_.site_currency);
    const bool is_marked = std::any_of(it_.marked.begin(), it_.marked.end(), [](const MarkedProduct& marked) {
      return marked.origin == FieldOrigin::kMicrodata && !marked.product.offer.price.empty();
    });
    if (!loose.empty() && !is_marked) vote.add(loose, FieldOrigin::kMicrodata, std::max(1, 45 + shown_bonus(loose)));
    const std::string data = in_units(normalised_amount(it_.lines.property("data-price"), it_.site_currency));
    if (!data.empty()) vote.add(data, FieldOrigin::kEmbedded, std::max(1, 20 + shown_bonus(data)));
    if (const std::string& amount = it_.selected.price; !amount.empty())
      vote.add(amount, FieldOrigin::kLearnt, std::max(1, weight_of(FieldOrigin::kLearnt) + shown_bonus(amount)));
    if (const VisibleAmount* shown = it_.visible.price; shown != nullptr)
      vote.add(shown->amount, FieldOrigin::kVisible, shown->score >= kSureScore + 3 ? 60 : shown->score >= kSureScore ? 50 : 30);
    if (vote.is_empty()) vote.add(price_in_description(), FieldOrigin::kOpenGraph, 15);
    const std::string amount = settle("price", vote, same_amount);
    if (amount.empty()) return;
    product_.offer.price = amount;
    old_price();
  }

  // "99,95 € | This shelf …", "Price: $294. …": search engines show it, so shops put it first.
  std::string price_in_description() const {
    const std::string_view begin = utf8_prefix(it_.description, 32);
    const Price price = parse_price(begin, {.currency_of_site = it_.site_currency});
    return price.symbol.empty() ? std::string() : normalised_amount(price.amount, price.currency);
  }

  void old_price() {
    std::string old = product_.offer.old_price;
    if (old.empty() && it_.visible.price != nullptr && same_amount(it_.visible.price->amount, product_.offer.price))
      old = it_.visible.old_price;
    for (const MarkedProduct& marked : it_.marked) {
      if (old.empty() && it_.visible.shows_as_old(marked.product.offer.price)) old = marked.product.offer.price;
    }
    const bool is_more = std::strtod(old.c_str(), nullptr) > std::strtod(product_.offer.price.c_str(), nullptr);
    product_.offer.old_price = is_more ? old : std::string();
  }

  void currency() {
    Vote vote;
    for (const MarkedProduct& marked : it_.marked) vote.add(marked.product.offer.currency, marked.origin, weight_of(marked.origin));
    if (same_amount(it_.selected.price, product_.offer.price)) vote.add(it_.selected.currency, FieldOrigin::kLearnt, 26);
    vote.add(normalised_currency(it_.lines.property("priceCurrency")), FieldOrigin::kMicrodata, 30);
    vote.add(normalised_currency(it_.lines.property("pricecurrency")), FieldOrigin::kMicrodata, 30);
    if (!it_.embedded.empty()) vote.add(it_.embedded.front().product.offer.currency, FieldOrigin::kEmbedded, 30);
    for (const VisibleAmount& shown : it_.visible.amounts) {
      if (!same_amount(shown.amount, product_.offer.price) || shown.currency.empty()) continue;
      vote.add(shown.currency, FieldOrigin::kVisible, 25);
      break;
    }
    if (!product_.offer.price.empty()) {
      vote.add(embedded_currency(it_.state_texts), FieldOrigin::kEmbedded, 10);
      vote.add(it_.site_currency, FieldOrigin::kAddress, 8);
    }
    product_.offer.currency = settle("currency", vote, [](const std::string& a, const std::string& b) { return a == b; });
  }

  // ---- availability ----
  void availability() {
    Vote vote;
    for (const MarkedProduct& marked : it_.marked) {
      const std::string& said = marked.product.offer.availability;
      // Templates say "in stock" of everything sooner than "out of stock".
      vote.add(said, marked.origin, said == "OutOfStock" ? weight_of(marked.origin) + 15 : weight_of(marked.origin) - 5);
    }
    if (!it_.embedded.empty()) vote.add(it_.embedded.front().product.offer.availability, FieldOrigin::kEmbedded, 20);
    vote.add(normalised_availability(it_.lines.property("availability")), FieldOrigin::kMicrodata, 20);
    vote.add(it_.selected.availability, FieldOrigin::kLearnt, weight_of(FieldOrigin::kLearnt));
    const VisibleText& shown = it_.visible.availability;
    vote.add(shown.text, FieldOrigin::kVisible, shown.text == "OutOfStock" ? (shown.sure >= 80 ? 120 : shown.sure / 2) : shown.sure / 2);
    product_.offer.availability = settle("availability", vote, [](const std::string& a, const std::string& b) { return a == b; });
  }

  // ---- brand ----
  // "Acme | Shop" is Acme's, sold by the shop.
  std::string without_site(std::string brand) const {
    for (const std::string_view between : {" | ", " - ", " \u2013 "}) {
      const std::size_t at = brand.rfind(between);
      if (at != std::string::npos && at > 0) brand.resize(at);
    }
    return brand;
  }

  int brand_bonus(const std::string& brand) const {
    const std::string folded = fold(brand);
    int bonus = 0;
    if (!folded.empty() && (fold(product_.name).find(folded) != std::string::npos || fold(it_.title).find(folded) != std::string::npos))
      bonus += 12;
    if (!folded.empty() && folded == fold(it_.site_name)) bonus -= 25;
    return bonus;
  }

  void brand() {
    Vote vote;
    const auto add = [&](const std::string& brand, FieldOrigin origin, int weight) {
      const std::string plain = without_site(brand);
      static constexpr std::string_view kNone[] = {"n/a",     "na",        "none", "no brand", "unbranded",
                                                   "generic", "undefined", "null", "false",    "-"};
      if (plain.empty() || std::find(std::begin(kNone), std::end(kNone), fold(plain)) != std::end(kNone) || plain == "-" || plain == "N/A")
        return;
      vote.add(plain, origin, std::max(1, weight + brand_bonus(plain)));
    };
    for (const MarkedProduct& marked : it_.marked) add(marked.product.brand, marked.origin, weight_of(marked.origin));
    for (const EmbeddedProduct& embedded : it_.embedded) {
      if (embedded.product.brand.empty()) continue;
      add(embedded.product.brand, FieldOrigin::kEmbedded, 35);
      break;
    }
    add(it_.selected.brand, FieldOrigin::kLearnt, weight_of(FieldOrigin::kLearnt));
    add(plain_words(it_.lines.property("brand"), 128), FieldOrigin::kMicrodata, 45);
    add(plain_words(it_.lines.property("data-brand"), 128), FieldOrigin::kEmbedded, 30);
    add(it_.visible.brand.text, FieldOrigin::kVisible, it_.visible.brand.sure / 2);
    if (std::string brand = settle("brand", vote, same_folded); !brand.empty()) product_.brand = std::move(brand);
  }

  // ---- article number ----
  // Codes are for people: the one that stands on the page is meant, before one that only programs see.
  int code_bonus(std::string_view code) const {
    if (code.size() < 3) return 0;
    if (stands_in(it_.lines.text, code)) return 20;
    return stands_in(it_.url, code) ? 8 : 0;
  }
  static bool stands_in(std::string_view text, std::string_view code) {
    const auto is_part = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
    for (std::size_t at = text.find(code); at != std::string_view::npos; at = text.find(code, at + 1)) {
      const std::size_t end = at + code.size();
      if ((at == 0 || !is_part(text[at - 1])) && (end == text.size() || !is_part(text[end]))) return true;
    }
    return false;
  }

  template <class Add>
  void numbers_of_scripts(Add&& add) const {
    for (const EmbeddedProduct& embedded : it_.embedded) {
      if (embedded.product.sku.empty()) continue;
      add(embedded.product.sku, FieldOrigin::kEmbedded, embedded.has_own_number ? 30 : 12);
      break;
    }
    add(it_.lines.property("data-sku"), FieldOrigin::kEmbedded, 28);
    add(it_.lines.property("data-product-sku"), FieldOrigin::kEmbedded, 28);
    add(it_.lines.property("data-product-id"), FieldOrigin::kEmbedded, 8);
  }

  void numbers() {
    std::string gtin = product_.gtin.empty() ? it_.visible.gtin.text : product_.gtin;
    if (gtin.empty()) gtin = it_.selected.gtin;
    if (gtin.empty()) gtin = it_.lines.property("gtin13");
    for (const EmbeddedProduct& embedded : it_.embedded) {
      if (gtin.empty()) gtin = embedded.product.gtin;
    }
    product_.gtin = gtin;
    Vote vote;
    const auto add = [&](std::string_view code, FieldOrigin origin, int weight) { vote.add(code, origin, weight + code_bonus(code)); };
    for (const MarkedProduct& marked : it_.marked) {
      add(marked.product.sku, marked.origin, marked.origin == FieldOrigin::kOpenGraph ? 30 : weight_of(marked.origin) - 10);
      if (marked.mpn != marked.product.sku) add(marked.mpn, marked.origin, 15);
    }
    add(it_.selected.sku, FieldOrigin::kLearnt, weight_of(FieldOrigin::kLearnt));
    add(it_.lines.property("sku"), FieldOrigin::kMicrodata, 45);
    add(it_.lines.property("productID"), FieldOrigin::kMicrodata, 30);
    add(it_.lines.property("mpn"), FieldOrigin::kMicrodata, 15);
    const bool is_marked = !vote.is_empty();
    vote.add(it_.visible.code.text, FieldOrigin::kVisible, it_.visible.code.sure >= 80 ? 80 : it_.visible.code.sure >= 60 ? 45 : 28);
    // What scripts repeat of the markup proves nothing.
    if (!is_marked) numbers_of_scripts(add);
    // Where nothing else is called a number, shops go by the book's or the maker's one, or by that in the address.
    vote.add(gtin, FieldOrigin::kVisible, 14);
    vote.add(number_in_address(it_.url), FieldOrigin::kAddress, 12);
    product_.sku = settle("sku", vote, [](const std::string& a, const std::string& b) { return a == b; });
  }

  Product& product_;
  const FieldSources& it_;
};

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// "pid=260591": the value of a parameter that names a product.
std::string number_in_query(std::string_view query) {
  static constexpr std::string_view kNames[] = {"pid",     "product_id", "productid", "prodid",  "sku",      "itemid",
                                                "item_id", "id",         "artnr",     "article", "goods_id", "variant"};
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(pair.size() + 1, query.size()));
    const std::size_t equals = pair.find('=');
    if (equals == std::string_view::npos) continue;
    std::string name;
    for (const char c : pair.substr(0, std::min<std::size_t>(equals, 16))) name += ascii_lower(c);
    const std::string_view value = pair.substr(equals + 1);
    const bool is_number =
        value.size() >= 3 && value.size() <= 24 && std::any_of(value.begin(), value.end(), is_digit) &&
        std::all_of(value.begin(), value.end(), [](char c) { return is_digit(c) || is_letter(c) || c == '-' || c == '_'; });
    if (is_number && std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames)) return std::string(value);
  }
  return {};
}

// The last part of a path that has five digits in a row, without what stands apart of it.
std::string number_in_part(std::string_view part) {
  part = part.substr(0, part.rfind('.') == std::string_view::npos || part.size() - part.rfind('.') > 6 ? part.size() : part.rfind('.'));
  std::size_t end = part.size();
  while (end > 0) {
    std::size_t begin = end;
    while (begin > 0 && (is_digit(part[begin - 1]) || is_letter(part[begin - 1]))) --begin;
    std::string_view word = part.substr(begin, end - begin);
    const auto digits = static_cast<std::size_t>(std::count_if(word.begin(), word.end(), is_digit));
    if (digits >= 5 && word.size() - digits <= 4 && word.size() <= 20) {
      // A lower-case letter before the digits tells what kind of number follows.
      if (word[0] >= 'a' && word[0] <= 'z' && digits == word.size() - 1) word.remove_prefix(1);
      return std::string(word);
    }
    end = begin > 0 ? begin - 1 : 0;
  }
  return {};
}

}  // namespace

void decide_fields(Product& product, const FieldSources& sources) { Decider(product, sources).run(); }

std::string number_in_address(std::string_view url) {
  url = url.substr(0, url.find('#'));
  const std::size_t question = url.find('?');
  std::string_view path = url.substr(0, question);
  const std::size_t host = path.find("://");
  if (host != std::string_view::npos) path.remove_prefix(std::min(path.find('/', host + 3), path.size()));
  if (question != std::string_view::npos) {
    if (std::string number = number_in_query(url.substr(question + 1)); !number.empty()) return number;
  }
  for (int parts = 0; !path.empty() && parts < 3; ++parts) {
    const std::size_t slash = path.rfind('/');
    if (std::string number = number_in_part(path.substr(slash == std::string_view::npos ? 0 : slash + 1)); !number.empty()) return number;
    path = path.substr(0, slash == std::string_view::npos ? 0 : slash);
  }
  return {};
}

}  // namespace magpie
