#pragma once
// The words that a shop page's visible part is read by: how class names call things, and what labels, buttons and notes say in the main
// languages of trade. Tables only; extract/visible_lines and extract/visible_product make sense of them.
#include <cstdint>

#include "text/word_finder.h"

namespace magpie {

/// What an element's names (class, id, itemprop) or place say of the text inside. Bits.
enum VisibleMark : std::uint32_t {
  kMarkPrice = 1u << 0,      // calls itself a price
  kMarkNow = 1u << 1,        // … the one to pay
  kMarkOld = 1u << 2,        // … of the past, or struck through
  kMarkRegular = 1u << 3,    // … the usual one: old only where a lower one stands beside it
  kMarkOther = 1u << 4,      // another amount: shipping, instalments, per unit, saving
  kMarkElsewhere = 1u << 5,  // about other products, or no part of the content
  kMarkBrand = 1u << 6,
  kMarkCode = 1u << 7,   // article number
  kMarkStock = 1u << 8,  // availability
  kMarkCrumbs = 1u << 9,
  kMarkCart = 1u << 10,  // puts something into the cart
  kMarkButton = 1u << 11,
  kMarkDisabled = 1u << 12,
  kMarkHidden = 1u << 13,
  kMarkCard = 1u << 14,      // in a link or list entry that does not hold the heading
  kMarkChoice = 1u << 15,    // in a select, option or label
  kMarkCents = 1u << 16,     // the part behind the point
  kMarkProperty = 1u << 17,  // itemprop="price"
  kMarkBig = 1u << 18,       // set large
  kMarkLink = 1u << 19,
  kMarkAside = 1u << 20,  // menus, footers and notices: not read at all
};

/// In class, id, itemprop and the like.
const WordFinder& attribute_words();

/// What a piece of text says; in the value's upper half one of these, in the lower half its strength.
enum class Says : std::uint32_t {
  kNothing,
  kCode,
  kGtin,
  kBrand,
  kOldPrice,
  kNowPrice,
  kOtherAmount,
  kWithoutTax,
  kSoldOut,
  kInStock,
  kCart
};
constexpr std::uint32_t says(Says what, std::uint32_t strength) { return static_cast<std::uint32_t>(what) << 16 | strength; }
constexpr Says what_it_says(std::uint32_t value) { return static_cast<Says>(value >> 16); }
constexpr std::uint32_t strength_of(std::uint32_t value) { return value & 0xFFFF; }

const WordFinder& text_words();

}  // namespace magpie
