#include "extract/visible_product.h"

#include <algorithm>
#include <vector>

#include "text/price.h"

namespace magpie {
namespace {

constexpr int kNodesMax = 3'000;
constexpr std::size_t kPriceTextMax = 60;
constexpr int kAncestorsMax = 64;

std::string lowered(std::string_view text) {
  std::string out(text.substr(0, 256));
  for (char& c : out) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
  return out;
}

bool has_any(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::any_of(words.begin(), words.end(), [&](std::string_view word) { return text.find(word) != std::string_view::npos; });
}

std::string names_of(HtmlNode node) {
  const std::string_view names = node.attribute("class"), id = node.attribute("id"), property = node.attribute("itemprop");
  if (names.empty() && id.empty() && property.empty()) return {};
  return lowered(names) + " " + lowered(id) + " " + lowered(property);
}

bool calls_itself_price(HtmlNode node) {
  return has_any(names_of(node), {"price", "preis", "prix", "precio", "prezzo", "preco", "cena", "pris", "fiyat", "hinta"});
}

bool is_old_price(HtmlNode node) {
  if (node.is("del") || node.is("s") || node.is("strike")) return true;
  return has_any(names_of(node), {"old", "was", "regular", "strike", "compare", "crossed", "before", "rrp", "msrp", "list-price",
                                  "listprice", "original", "statt"});
}

bool is_other_amount(HtmlNode node) {
  return has_any(names_of(node), {"unit", "shipping", "saving", "discount", "tax", "vat", "instal", "month", "per-", "delivery", "versand",
                                  "cart", "total"});
}

bool contains(HtmlNode outer, HtmlNode inner) {
  int levels = 0;
  for (HtmlNode at = inner; at && ++levels < 2 * kAncestorsMax; at = at.parent()) {
    if (at == outer) return true;
  }
  return false;
}

// A price inside a list entry, link, row or card that does not hold the heading belongs to something else.
bool belongs_to_other(HtmlNode node, HtmlNode heading) {
  int levels = 0;
  for (HtmlNode at = node; at && ++levels < kAncestorsMax; at = at.parent()) {
    const bool separates = at.is("li") || at.is("a") || at.is("tr") || at.is("article") || at.is("aside") || at.is("footer") ||
                           at.is("header") || at.is("nav");
    if (separates && !contains(at, heading)) return true;
  }
  return false;
}

// Whether a digit other than zero can be in it: one of ours, or a byte that the digits of other scripts (text/price_amount.cc) begin with.
// Most texts of a page have none, and need no parsing.
bool may_hold_amount(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    if (c >= '1' && c <= '9') return true;
    switch (static_cast<unsigned char>(c)) {
      case 0xD9:
      case 0xDB:
      case 0xDF:
      case 0xE0:
      case 0xE1:
      case 0xEA:
      case 0xEF: return true;
      default: return false;
    }
  });
}

// Nothing but an amount and its currency, give or take a word ("ab 3,63 EUR").
bool is_bare_price(std::string_view text, const Price& price) {
  return !price.amount.empty() && !price.currency.empty() && text.size() <= price.amount.size() + price.symbol.size() + 14;
}

}  // namespace

std::optional<Offer> visible_offer(HtmlNode heading, HtmlNode body, std::string_view site_currency) {
  std::vector<Offer> found;
  std::string old_price;
  int nodes = 0;
  for (HtmlNode node = heading.next_after_subtree(body); node && ++nodes < kNodesMax && found.size() < 4;) {
    HtmlNode next = node.next_in_order(body);
    if (node.is_element() && (node.is("script") || node.is("style") || node.is("select"))) {
      next = node.next_after_subtree(body);
    } else {
      const bool by_name = node.is_element() && calls_itself_price(node);
      const bool by_text = node.is_text() && node.data().size() <= 4 * kPriceTextMax && may_hold_amount(node.data());
      if (by_name || by_text) {
        const std::string text = by_name ? node.visible_text(kPriceTextMax + 8) : squeeze(node.data());
        const HtmlNode element = by_name ? node : node.parent();
        if (text.size() <= kPriceTextMax && may_hold_amount(text) && element && !is_other_amount(element)) {
          const Price price = parse_price(text, {.currency_of_site = site_currency});
          const bool zero = price.amount.find_first_not_of("0.") == std::string::npos;
          if (is_bare_price(text, price) && !zero && !belongs_to_other(element, heading)) {
            if (is_old_price(element)) {
              old_price = price.amount;
            } else {
              found.push_back({.price = price.amount, .currency = price.currency, .old_price = {}, .availability = {}});
            }
            next = node.next_after_subtree(body);
          }
        }
      }
    }
    node = next;
  }
  if (found.empty()) return std::nullopt;
  const bool compete =
      std::count_if(found.begin(), found.end(), [&](const Offer& offer) { return offer.price != found.front().price; }) >= 3;
  if (compete) return std::nullopt;
  found.front().old_price = std::move(old_price);
  return found.front();
}

}  // namespace magpie
