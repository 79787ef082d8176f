#include "text/price_amount.h"

#include <algorithm>
#include <array>

#include "base/utf8.h"

namespace magpie {
namespace {

// The zero of every decimal digit range of Unicode 15 that is in everyday use; nine more follow each.
constexpr std::array<char32_t, 24> kZeros = {0x0660, 0x06F0, 0x07C0, 0x0966, 0x09E6, 0x0A66, 0x0AE6, 0x0B66,
                                             0x0BE6, 0x0C66, 0x0CE6, 0x0D66, 0x0DE6, 0x0E50, 0x0ED0, 0x0F20,
                                             0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0xA8D0, 0xABF0, 0xFF10};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

char plain_of(char32_t c) {
  // Nearly all other letters of the world.
  if ((c > 0x00B4 && c < 0x02BC) || (c > 0x02BC && c < 0x060C) || (c > 0x3000 && c < 0xA8D0) || (c >= 0xAC00 && c < 0xFF00)) return 0;
  for (const char32_t zero : kZeros) {
    if (c >= zero && c < zero + 10) return static_cast<char>('0' + (c - zero));
  }
  if (c == 0x00A0 || (c >= 0x2000 && c <= 0x200A) || c == 0x202F || c == 0x205F || c == 0x3000) return ' ';
  if (c == 0x2019 || c == 0x2018 || c == 0x00B4 || c == 0x02BC || c == 0xFF07) return '\'';
  if (c == 0x066B || c == 0xFF0E) return '.';
  if (c == 0x066C || c == 0x060C || c == 0xFF0C) return ',';
  if (c == 0x066A || c == 0xFF05) return '%';
  if (c == 0xFF04) return '$';
  return 0;
}

bool is_mark_of_direction(char32_t c) {
  return (c >= 0x200B && c <= 0x200F) || (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069) || c == 0xFEFF || c == 0x00AD;
}

std::size_t digits_at(std::string_view text, std::size_t at) {
  std::size_t count = 0;
  while (at + count < text.size() && is_digit(text[at + count])) ++count;
  return count;
}

std::size_t spaces_at(std::string_view text, std::size_t at) {
  std::size_t count = 0;
  while (at + count < text.size() && text[at + count] == ' ') ++count;
  return count;
}

// Reads one number that starts at `begin`, joining groups: "120 000 000", "1'049,95", "1.837, 32", "1,00,000".
class NumberReader {
 public:
  NumberReader(std::string_view text, std::size_t begin) : text_(text) { found_.begin = found_.end = begin; }

  AmountFound read() {
    if (text_[found_.end] == '.') take('.');
    take_digits();
    while (take_group()) {}
    take_cents();
    return std::move(found_);
  }

 private:
  void take(char c) {
    found_.digits += c;
    ++found_.end;
  }
  void take_digits() {
    const std::size_t count = digits_at(text_, found_.end);
    found_.digits.append(text_.substr(found_.end, count));
    found_.end += count;
    last_group_ = count;
  }

  // "99¢" is 0.99, and "2.5¢" 0.025: written with four decimals, as three would be a group.
  void take_cents() {
    constexpr std::string_view kCent = "\u00A2";
    const std::size_t sign = found_.end + std::min<std::size_t>(spaces_at(text_, found_.end), 1);
    if (!text_.substr(sign).starts_with(kCent)) return;
    std::string& digits = found_.digits;
    const std::size_t point = digits.find_first_of(".,");
    if (digits.empty() || digits.size() > 6 || digits.find_first_of(".,", std::min(point, digits.size() - 1) + 1) != std::string::npos)
      return;
    std::size_t decimals = 2;
    if (point != std::string::npos) {
      decimals += digits.size() - point - 1;
      digits.erase(point, 1);
    }
    if (decimals == 3) digits += '0', ++decimals;
    if (digits.size() <= decimals) digits.insert(0, decimals + 1 - digits.size(), '0');
    digits.insert(digits.size() - decimals, 1, '.');
    found_.end = sign + kCent.size();
  }

  bool take_group() {
    const std::size_t at = found_.end;
    if (at >= text_.size()) return false;
    const char c = text_[at];
    if (c == '.' || c == ',') return take_after_separator(c, at + 1);
    if (c == '\'') {
      if (digits_at(text_, at + 1) != 3) return false;
      ++found_.end;
      take_digits();
      return true;
    }
    return c == ' ' && take_after_space(at);
  }

  bool take_after_separator(char separator, std::size_t at) {
    const std::size_t spaces = spaces_at(text_, at);
    const std::size_t digits = digits_at(text_, at + spaces);
    if (digits == 0) return false;
    // "119. 95": a space behind the separator is forgiven before a fraction, not before another number.
    if (spaces > 0 && (spaces > 1 || digits > 2 || has_fraction_)) return false;
    found_.digits += separator;
    found_.end = at + spaces;
    take_digits();
    has_fraction_ = last_group_ != 3;
    return true;
  }

  bool take_after_space(std::size_t at) {
    const std::size_t spaces = spaces_at(text_, at);
    const bool groups = spaces <= 2 && digits_at(text_, at + spaces) == 3 && last_group_ <= 3 && !has_fraction_;
    if (!groups) return false;
    // "4 500,00" is one number, "4.500 500" is two.
    if (found_.digits.find_first_of(".,") != std::string::npos) return false;
    found_.end = at + spaces;
    take_digits();
    return true;
  }

  std::string_view text_;
  AmountFound found_;
  std::size_t last_group_ = 0;
  bool has_fraction_ = false;
};

bool is_letter_or_slash(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '/' || static_cast<unsigned char>(c) >= 0x80;
}

// "$.75" is 75 cents, but the dot of "Rs.75" and "S/.75" ends the sign.
bool starts_with_point(std::string_view text, std::size_t at) {
  if (text[at] != '.' || at + 1 >= text.size() || !is_digit(text[at + 1])) return false;
  if (at == 0) return true;
  static constexpr std::string_view kEuro = "\u20AC", kPound = "\u00A3";
  const std::string_view before = text.substr(0, at);
  return !is_letter_or_slash(text[at - 1]) || before.ends_with(kEuro) || before.ends_with(kPound);
}

bool is_percentage(std::string_view text, std::size_t end) {
  end += spaces_at(text, end);
  return end < text.size() && text[end] == '%';
}

// "35€99" and "35 € 99": the sign stands where the decimal point would.
void take_cents_behind_euro(std::string_view text, AmountFound& found) {
  static constexpr std::string_view kEuro = "\u20AC";
  if (found.digits.find_first_of(".,") != std::string::npos) return;
  // "€ 60 € 50" are two prices.
  std::size_t before = found.begin;
  while (before > 0 && text[before - 1] == ' ') --before;
  if (text.substr(0, before).ends_with(kEuro)) return;
  std::size_t at = found.end + spaces_at(text, found.end);
  if (text.substr(at, kEuro.size()) != kEuro || text.find(kEuro, at + kEuro.size()) != std::string_view::npos) return;
  at += kEuro.size();
  at += spaces_at(text, at);
  if (digits_at(text, at) != 2) return;
  const std::size_t end = at + 2;
  const bool goes_on = end + 1 < text.size() && (text[end] == '.' || text[end] == ',') && is_digit(text[end + 1]);
  if (goes_on || is_percentage(text, end)) return;
  found.digits += '.';
  found.digits += text.substr(at, 2);
  found.end = end;
}

}  // namespace

std::string price_text(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  std::size_t kept = 0;  // from here on nothing has to change
  const auto replace = [&](std::size_t begin, std::size_t end, char with) {
    out.append(text, kept, begin - kept);
    if (with != 0) out += with;
    kept = end;
  };
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t begin = at;
    if (const char c = text[at]; static_cast<unsigned char>(c) < 0x80) {
      ++at;
      if (c >= '\t' && c <= '\r') replace(begin, at, ' ');
      if (c == '`') replace(begin, at, '\'');
      continue;
    }
    const char32_t code_point = next_code_point(text, at);
    const char plain = plain_of(code_point);
    if (plain != 0 || is_mark_of_direction(code_point)) replace(begin, at, plain);
  }
  replace(text.size(), text.size(), 0);
  return out;
}

std::optional<AmountFound> find_amount(std::string_view plain) {
  for (std::size_t at = 0; at < plain.size(); ++at) {
    if (!is_digit(plain[at]) && !starts_with_point(plain, at)) continue;
    AmountFound found = NumberReader(plain, at).read();
    if (!is_percentage(plain, found.end)) {
      take_cents_behind_euro(plain, found);
      return found;
    }
    at = found.end - 1;
  }
  return std::nullopt;
}

std::string decimal_amount(const AmountFound& found, bool three_decimals) {
  const std::string& digits = found.digits;
  const std::size_t last = digits.find_last_of(".,");
  std::string whole, fraction;
  const auto append_digits = [](std::string& out, std::string_view text) {
    for (const char c : text) {
      if (is_digit(c)) out += c;
    }
  };
  if (last == std::string::npos) {
    append_digits(whole, digits);
  } else {
    const std::string_view before = std::string_view(digits).substr(0, last), behind = std::string_view(digits).substr(last + 1);
    const bool only = before.find_first_of(".,") == std::string_view::npos;
    const bool zeros = only && !before.empty() && before.find_first_not_of('0') == std::string_view::npos;
    // "1.234.567" and "1,234,567" only group; so does a fraction of three digits, but for "0.125" and currencies with three decimals.
    const bool same_before = !only && before.find(digits[last]) != std::string_view::npos;
    const bool groups = behind.size() == 3 ? !(zeros || (three_decimals && !same_before)) : same_before && behind.size() > 2;
    append_digits(whole, before);
    append_digits(groups ? whole : fraction, behind);
  }
  whole.erase(0, std::min(whole.find_first_not_of('0'), whole.size()));
  if (whole.empty()) whole = "0";
  return fraction.empty() ? whole : whole + "." + fraction;
}

}  // namespace magpie
