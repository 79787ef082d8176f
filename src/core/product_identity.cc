#include "core/product_identity.h"

#include <algorithm>
#include <set>

#include "text/tokens.h"

namespace magpie {
namespace {

constexpr std::size_t kNumberLengthMin = 5;  // of a maker's number; shorter ones are sizes, versions, counters
constexpr double kNamesAlikeMin = 0.6;       // Dice's coefficient of their words

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Arabic-Indic and Persian digits as ASCII; all else as it is.
std::string with_ascii_digits(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto lead = static_cast<unsigned char>(text[i]), next = static_cast<unsigned char>(i + 1 < text.size() ? text[i + 1] : '\0');
    const int first = lead == 0xD9 ? 0xA0 : lead == 0xDB ? 0xB0 : 0x100;  // U+0660, U+06F0
    if (next >= first && next < first + 10) {
      out += static_cast<char>('0' + (next - first));
      ++i;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::string squeezed(std::string_view text) {
  std::string out;
  for (const char c : fold(with_ascii_digits(text))) {
    if (c != ' ') out += c;
  }
  return out;
}

// Words that tell an article from others of its brand.
struct Name {
  std::set<std::string> words, numbers;  // a word with a digit is a number
};

Name name_of(const Product& product) {
  Name name;
  std::set<std::string> brand;
  for (const Token& token : tokenise(product.brand)) brand.insert(token.term);
  for (const Token& token : tokenise(with_ascii_digits(product.name))) {
    if (brand.contains(token.term)) continue;
    const bool numbered = std::any_of(token.term.begin(), token.term.end(), is_digit);
    (numbered ? name.numbers : name.words).insert(token.term);
  }
  return name;
}

// One name may say more than the other, but nothing else.
bool numbers_agree(const Name& a, const Name& b) {
  const auto within = [](const std::set<std::string>& few, const std::set<std::string>& many) {
    return std::includes(many.begin(), many.end(), few.begin(), few.end());
  };
  return within(a.numbers, b.numbers) || within(b.numbers, a.numbers);
}

bool are_alike(const Name& a, const Name& b) {
  std::size_t common = 0;
  for (const std::string& word : a.words) common += b.words.count(word);
  const std::size_t all = a.words.size() + b.words.size();
  return all > 0 && 2.0 * static_cast<double>(common) / static_cast<double>(all) >= kNamesAlikeMin;
}

}  // namespace

std::string gtin14(std::string_view gtin) {
  std::string digits;
  for (const char c : with_ascii_digits(gtin)) {
    if (is_digit(c)) digits += c;
    else if (c != ' ' && c != '-') return {};
  }
  if (digits.size() != 8 && (digits.size() < 12 || digits.size() > 14)) return {};
  digits.insert(0, 14 - digits.size(), '0');
  int sum = 0;
  for (std::size_t i = 0; i < digits.size(); ++i) sum += (digits[i] - '0') * (i % 2 == 0 ? 3 : 1);
  const bool is_number = sum % 10 == 0 && digits.find_first_not_of('0') != std::string::npos;
  return is_number ? digits : std::string();
}

std::string makers_number(std::string_view sku) {
  std::string number = squeezed(sku);
  if (number.size() < kNumberLengthMin || std::none_of(number.begin(), number.end(), is_digit)) number.clear();
  return number;
}

std::string_view to_string(SameArticle reason) {
  switch (reason) {
    case SameArticle::kGtin: return "gtin";
    case SameArticle::kBrandAndNumber: return "brand_and_number";
    case SameArticle::kPictureAndName: return "picture_and_name";
  }
  return "unknown";
}

std::optional<SameArticle> same_article(const Product& a, const Product& b, bool share_a_picture) {
  const std::string gtin = gtin14(a.gtin), other_gtin = gtin14(b.gtin);
  if (!gtin.empty() && !other_gtin.empty()) return gtin == other_gtin ? std::optional(SameArticle::kGtin) : std::nullopt;
  const std::string brand = squeezed(a.brand), other_brand = squeezed(b.brand);
  const Name name = name_of(a), other_name = name_of(b);
  if (!numbers_agree(name, other_name)) return std::nullopt;
  const std::string number = makers_number(a.sku);
  if (!brand.empty() && brand == other_brand && !number.empty() && number == makers_number(b.sku)) return SameArticle::kBrandAndNumber;
  const bool brands_agree = brand.empty() || other_brand.empty() || brand == other_brand;
  if (share_a_picture && brands_agree && are_alike(name, other_name)) return SameArticle::kPictureAndName;
  return std::nullopt;
}

}  // namespace magpie
