#include "extract/visible_product.h"

#include <algorithm>
#include <climits>
#include <unordered_map>

#include "base/utf8.h"
#include "text/price.h"
#include "text/price_amount.h"
#include "text/price_currency.h"
#include "text/tokens.h"

namespace magpie {
namespace {

constexpr std::size_t kAmountsMax = 1'000;
constexpr std::size_t kLabelReach = 40;   // bytes between a label and its amount
constexpr std::size_t kProseBytes = 120;  // longer lines tell something
constexpr std::size_t kValueBytesMax = 40;
constexpr std::size_t kFar = 1u << 30;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }

struct Match {
  std::size_t begin = 0, end = 0;
  Says what = Says::kCode;
  std::uint32_t strength = 0;
};

std::size_t distance(std::size_t a, std::size_t b) { return a < b ? b - a : a - b; }

class Reader {
 public:
  Reader(const VisibleLines& lines, std::string_view site_currency) : lines_(lines), text_(lines.text), site_currency_(site_currency) {}

  VisibleProduct read(bool is_marked) {
    if (lines_.lines.empty()) return std::move(out_);
    find_words();
    find_carts();
    for (std::size_t i = 0; i < lines_.lines.size() && out_.amounts.size() < kAmountsMax; ++i) read_amounts(i);
    mark_repeated();
    choose_price();
    if (!is_marked && out_.price == nullptr) return std::move(out_);
    read_labels();
    read_brand_elements();
    judge_offer();
    judge_availability();
    return std::move(out_);
  }

 private:
  const VisibleLine& line_at(std::size_t at) const {
    const auto behind = std::upper_bound(lines_.lines.begin(), lines_.lines.end(), at,
                                         [](std::size_t x, const VisibleLine& line) { return x < line.begin; });
    return *(behind == lines_.lines.begin() ? behind : behind - 1);
  }

  /// Matches that begin in [begin, end); they are in the order of their ends, so a little more is looked at.
  template <class Use>
  void each_match(std::size_t begin, std::size_t end, Use&& use) const {
    auto at = std::lower_bound(matches_.begin(), matches_.end(), begin, [](const Match& match, std::size_t x) { return match.end <= x; });
    for (; at != matches_.end() && at->end <= end + kLabelReach; ++at) {
      if (at->begin >= begin && at->end <= end) use(*at);
    }
  }

  // Labels stand at the beginning of lines, and none of other products' counts.
  void find_words() {
    constexpr std::size_t kLabelBytesMax = 256;
    for (const VisibleLine& line : lines_.lines) {
      if ((lines_.pieces[line.piece].marks & kMarkElsewhere) != 0) continue;
      text_words().each(lines_.words(line).substr(0, kLabelBytesMax), [&](std::size_t begin, std::size_t end, std::uint32_t value) {
        matches_.push_back({line.begin + begin, line.begin + end, what_it_says(value), strength_of(value)});
      });
    }
  }

  // ---- the cart ----
  void find_carts() {
    for (const Match& match : matches_) {
      if (match.what != Says::kCart) continue;
      const std::uint32_t marks = lines_.piece_at(match.begin).marks;
      if ((marks & (kMarkButton | kMarkCart)) == 0) continue;
      note_cart(match.begin, marks);
    }
    for (const auto& [at, marks] : lines_.carts) note_cart(at, marks);
    std::sort(carts_.begin(), carts_.end());
  }
  void note_cart(std::size_t at, std::uint32_t marks) {
    if ((marks & (kMarkElsewhere | kMarkHidden)) != 0 || (marks & kMarkCard) != 0) return;
    if ((marks & kMarkDisabled) != 0) {
      has_dead_cart_ = true;
    } else {
      carts_.push_back(at);
    }
  }
  // To the first one behind the heading: later ones are other sellers' or other products'.
  std::size_t to_cart(std::size_t at) const {
    const auto first = std::lower_bound(carts_.begin(), carts_.end(), lines_.heading_begin);
    return first == carts_.end() ? kFar : distance(*first, at);
  }

  // ---- amounts ----
  void read_amounts(std::size_t index) {
    const VisibleLine& line = lines_.lines[index];
    const std::string_view words = lines_.words(line);
    for (std::size_t at = 0; at < words.size() && out_.amounts.size() < kAmountsMax;) {
      while (at < words.size() && !is_digit(words[at])) ++at;
      if (at >= words.size()) return;
      const std::optional<AmountFound> found = find_amount(words.substr(at, 64));
      if (!found) {
        while (at < words.size() && is_digit(words[at])) ++at;
        continue;
      }
      read_amount(index, words, at + found->begin, at + found->end, *found);
      at += std::max<std::size_t>(found->end, 1);
    }
  }

  void read_amount(std::size_t index, std::string_view words, std::size_t begin, std::size_t end, const AmountFound& found) {
    constexpr std::size_t kWindow = 16;
    std::size_t from = begin > kWindow ? begin - kWindow : 0;
    while (from < begin && (static_cast<unsigned char>(words[from]) & 0xC0) == 0x80) ++from;
    const std::string_view window = utf8_prefix(words.substr(from), end - from + kWindow);
    const CurrencyFound currency = find_currency(window, begin - from, end - from);
    const std::size_t at = lines_.lines[index].begin + begin;
    const VisiblePiece& piece = lines_.piece_at(at);
    const bool is_named = (piece.marks & kMarkPrice) != 0;
    const bool has_currency = currency.is_adjacent && is_trusted(currency, is_named);
    const bool is_number = (piece.marks & (kMarkCode | kMarkStock)) != 0 || end - begin > 9;
    if (!has_currency && !(is_named && !is_number && words.size() <= 24)) return;
    if (!has_currency && begin > 0 && (is_lower(words[begin - 1]) || is_upper(words[begin - 1]))) return;

    VisibleAmount amount;
    amount.at = at;
    amount.currency = has_currency ? std::string(currency.code) : std::string(site_currency_);
    if (has_currency && !currency.is_code && symbol_may_mean(currency.symbol, site_currency_)) amount.currency = site_currency_;
    amount.amount = decimal_amount(found, has_three_decimals(amount.currency));
    if (amount.amount.find_first_not_of("0.") == std::string::npos) return;
    amount.score = score(index, words, begin, end, piece, has_currency);
    amount.is_old = (piece.marks & kMarkOld) != 0 || (label_ == Says::kOldPrice && (piece.marks & kMarkNow) == 0);
    amount.is_net = label_ == Says::kWithoutTax;
    amount.is_apart = (piece.marks & (kMarkCard | kMarkLink)) != 0;
    if (amount.score > -4 || amount.is_old) {
      by_names_[names_of(piece)].push_back(out_.amounts.size());
      out_.amounts.push_back(std::move(amount));
    }
  }

  // A letter or two beside a number is more often a measure ("2 L") than money, and a rare code a word ("TOP 10").
  bool is_trusted(const CurrencyFound& currency, bool is_named) const {
    if (is_named || currency.code == site_currency_ || symbol_may_mean(currency.symbol, site_currency_)) return true;
    if (currency.is_code) {
      static constexpr std::string_view kMajor =
          "USD EUR GBP CAD AUD NZD CHF SEK NOK DKK PLN CZK HUF RON BGN RUB UAH JPY CNY KRW TWD HKD SGD INR IDR THB MYR PHP VND AED SAR ZAR "
          "BRL MXN ARS CLP COP PEN ILS EGP";
      return kMajor.find(currency.code) != std::string_view::npos;
    }
    const bool is_letters = std::all_of(currency.symbol.begin(), currency.symbol.end(), [](char c) { return is_lower(c) || is_upper(c); });
    return !is_letters || currency.symbol.size() > 2 || currency.symbol == "Ft" || currency.symbol == "kr" || currency.symbol == "Rs";
  }

  static std::string names_of(const VisiblePiece& piece) {
    std::string names(piece.named.name());
    names += ' ';
    names += piece.named.attribute("class").substr(0, 128);
    return names;
  }

  int score(std::size_t index, std::string_view words, std::size_t begin, std::size_t end, const VisiblePiece& piece, bool has_currency) {
    const VisibleLine& line = lines_.lines[index];
    const std::size_t at = line.begin + begin;
    int score = by_marks(piece.marks) + by_place(at) + (has_currency ? 2 : 0);
    if (words.size() <= end - begin + 14) score += 2;
    if (words.size() > kProseBytes) score -= 3;
    label_ = label_of(index, begin, end);
    if (label_ == Says::kNowPrice) score += 2;
    if (label_ == Says::kOtherAmount || is_signed(words, begin) || is_times(words, begin)) score -= 6;
    if (is_per_unit(words, end)) score -= 2;
    return score;
  }

  static int by_marks(std::uint32_t marks) {
    int score = 0;
    if ((marks & kMarkPrice) != 0) score += 4;
    if ((marks & kMarkProperty) != 0) score += 3;
    if ((marks & kMarkNow) != 0) score += 2;
    if ((marks & kMarkBig) != 0) score += 3;
    if ((marks & kMarkRegular) != 0) score -= 1;
    if ((marks & kMarkCard) != 0) score -= 2;
    if ((marks & kMarkLink) != 0) score -= 2;
    if ((marks & kMarkHidden) != 0) score -= 4;
    if ((marks & kMarkChoice) != 0) score -= 4;
    if ((marks & kMarkOther) != 0) score -= 6;
    if ((marks & kMarkElsewhere) != 0) score -= 9;
    return score;
  }

  int by_place(std::size_t at) const {
    int score = 0;
    if (at >= lines_.heading_end) {
      const std::size_t behind = at - lines_.heading_end;
      score += behind < 200 ? 4 : behind < 600 ? 3 : behind < 1'500 ? 2 : behind < 4'000 ? 1 : -2;
    } else if (at >= lines_.heading_begin) {
      score += 6;
    } else {
      score += lines_.heading_begin - at < 300 ? 1 : -2;
    }
    const std::size_t cart = to_cart(at);
    score += cart < 200 ? 2 : cart < 1'000 ? 1 : 0;
    return score;
  }

  // What the nearest label before the amount calls it, or a note behind it.
  Says label_of(std::size_t index, std::size_t begin, std::size_t end) const {
    const VisibleLine& line = lines_.lines[index];
    const std::size_t at = line.begin + begin;
    Says label = Says::kNothing;
    std::size_t from = std::max(line.begin, at > kLabelReach ? at - kLabelReach : 0);
    if (begin <= 4 && index > 0) {
      const VisibleLine& before = lines_.lines[index - 1];
      const std::string_view words = lines_.words(before);
      const bool is_label = words.size() <= kLabelReach && std::none_of(words.begin(), words.end(), is_digit);
      if (is_label) from = before.begin;
    }
    const auto is_about_amount = [](Says what) {
      return what == Says::kOldPrice || what == Says::kNowPrice || what == Says::kOtherAmount || what == Says::kWithoutTax;
    };
    each_match(from, at, [&](const Match& match) {
      if (!is_about_amount(match.what)) return;
      // Another amount in between has taken the label.
      const std::string_view between = text_.substr(match.end, at - match.end);
      if (std::none_of(between.begin(), between.end(), is_digit)) label = match.what;
    });
    each_match(line.begin + end, std::min(line.end, line.begin + end + 24), [&](const Match& match) {
      const std::string_view between = text_.substr(line.begin + end, match.begin - line.begin - end);
      const bool is_behind = (match.what == Says::kOtherAmount && match.strength >= 2) || match.what == Says::kWithoutTax;
      if (is_behind && std::none_of(between.begin(), between.end(), is_digit)) label = match.what;
    });
    return label;
  }

  // "-$10", "(+5,00 €)": a difference.
  static bool is_signed(std::string_view words, std::size_t begin) {
    std::size_t at = begin;
    while (at > 0 && (words[at - 1] == '$' || words[at - 1] == ' ' || static_cast<unsigned char>(words[at - 1]) >= 0x80)) --at;
    if (at == 0 || (words[at - 1] != '-' && words[at - 1] != '+')) return false;
    // "10 - 20" is a range.
    return at == 1 || words[at - 2] == '(' || (words[at - 2] == ' ' && (at < 3 || !is_digit(words[at - 3])) && words[at] != ' ');
  }

  // "12 x 9,90".
  static bool is_times(std::string_view words, std::size_t begin) {
    std::size_t at = begin;
    std::size_t steps = 0;
    while (at > 0 && ++steps < 8 && !is_digit(words[at - 1]) && words[at - 1] != 'x' && words[at - 1] != 'X') --at;
    if (at < 2 || (words[at - 1] != 'x' && words[at - 1] != 'X')) return false;
    return is_digit(words[at - 2]) || (at >= 3 && words[at - 2] == ' ' && is_digit(words[at - 3]));
  }

  // "€ 3,40/kg", "$0.12 per 100 ml".
  static bool is_per_unit(std::string_view words, std::size_t end) {
    std::string_view behind = words.substr(end, 24);
    const std::size_t slash = std::min(behind.find('/'), behind.find(" per "));
    if (slash > 8) return false;
    behind.remove_prefix(slash + (behind[slash] == '/' ? 1 : 5));
    while (!behind.empty() && behind.front() == ' ') behind.remove_prefix(1);
    static constexpr std::string_view kUnits[] = {"kg",   "g",   "l",     "ml",    "cl",    "m",    "oz", "lb", "unit",
                                                  "item", "stk", "stuck", "liter", "litre", "kilo", "ks", "szt"};
    if (!behind.empty() && is_digit(behind.front())) return true;
    return std::any_of(std::begin(kUnits), std::end(kUnits), [&](std::string_view unit) {
      return behind.size() >= unit.size() && equal_fold(behind.substr(0, unit.size()), unit) &&
             (behind.size() == unit.size() || !is_code_char(behind[unit.size()]));
    });
  }

  // Four or more different amounts under the same names are a list of other things.
  void mark_repeated() {
    for (const auto& [names, places] : by_names_) {
      if (names.ends_with(' ')) continue;  // no class: they have nothing in common
      std::vector<std::string_view> different;
      for (const std::size_t place : places) {
        const std::string_view amount = out_.amounts[place].amount;
        if (different.size() < 4 && std::find(different.begin(), different.end(), amount) == different.end()) different.push_back(amount);
      }
      if (different.size() < 4) continue;
      for (const std::size_t place : places) out_.amounts[place].score -= 3;
    }
  }

  void choose_price() {
    if (!lines_.heading) return;
    const VisibleAmount* best = nullptr;
    for (const VisibleAmount& amount : out_.amounts) {
      if (!amount.is_old && amount.score >= kLikelyScore && (best == nullptr || amount.score > best->score)) best = &amount;
    }
    if (best != nullptr) best = first_near(best);
    if (best == nullptr || best->is_net) best = gross_beside(best);
    if (best == nullptr) return;
    if (!best->is_net) best = lower_beside(best);
    out_.price = best;
    const VisibleAmount* old = nullptr;
    for (const VisibleAmount& amount : out_.amounts) {
      if (!is_more(amount, *best) || amount.currency != best->currency || distance(amount.at, best->at) > 250) continue;
      if (amount.is_old && (old == nullptr || distance(amount.at, best->at) < distance(old->at, best->at))) old = &amount;
    }
    if (old != nullptr) out_.old_price = old->amount;
  }

  // A listing shows many prices, in entries of their own; a product page has a number, or one cart.
  void judge_offer() {
    const VisibleAmount* best = out_.price;
    if (best == nullptr) return;
    int rivals = 0;
    for (const VisibleAmount& amount : out_.amounts) {
      if (!amount.is_old && amount.score + 1 >= best->score && distance(amount.at, best->at) > 100 &&
          !same_amount(amount.amount, best->amount))
        ++rivals;
    }
    const auto carts = carts_.end() - std::lower_bound(carts_.begin(), carts_.end(), lines_.heading_begin);
    const bool is_numbered = out_.code.sure >= 65 && distance(code_at_, best->at) < 4'000;
    // As many carts as prices of one kind belong to as many products.
    const std::string names = names_of(lines_.piece_at(best->at));
    const auto peers = std::count_if(out_.amounts.begin(), out_.amounts.end(), [&](const VisibleAmount& amount) {
      const bool is_other = !amount.is_old && amount.score > 0 && !same_amount(amount.amount, best->amount);
      return is_other && distance(amount.at, best->at) > 100 && names_of(lines_.piece_at(amount.at)) == names;
    });
    const bool is_listing = carts >= 3 && peers + 1 >= carts;
    out_.is_sure_offer = is_numbered || (carts >= 1 && carts <= 3 && !is_listing);
    const int least = (lines_.piece_at(best->at).marks & kMarkPrice) != 0 ? kLikelyScore + 1 : kLikelyScore + 2;
    out_.is_offer = out_.is_sure_offer || (best->score >= least && !best->is_apart && rivals < 3 && !is_listing);
  }

  static bool is_more(const VisibleAmount& a, const VisibleAmount& b) {
    return std::strtod(a.amount.c_str(), nullptr) > std::strtod(b.amount.c_str(), nullptr);
  }

  // Of prices about as likely the one that follows the heading first is the product's; later ones are other sellers' or other products'.
  const VisibleAmount* first_near(const VisibleAmount* best) const {
    for (const VisibleAmount& amount : out_.amounts) {
      const bool is_rival = !amount.is_old && amount.score >= kLikelyScore && amount.score + 3 >= best->score;
      if (is_rival && amount.at >= lines_.heading_begin && amount.at < best->at && lines_.piece_at(amount.at).marks & kMarkPrice)
        return &amount;
    }
    return best;
  }

  // What names itself old, and stands alone or beside nothing but a price before tax, is the price after all.
  const VisibleAmount* gross_beside(const VisibleAmount* net) const {
    const VisibleAmount* gross = nullptr;
    for (const VisibleAmount& amount : out_.amounts) {
      const bool is_like =
          net == nullptr ? amount.score >= kSureScore : distance(amount.at, net->at) <= 60 && amount.at < net->at && is_more(amount, *net);
      if (amount.is_old && is_like && (gross == nullptr || amount.score > gross->score)) gross = &amount;
    }
    return gross == nullptr ? net : gross;
  }

  // Two prices side by side: the lower one is to be paid, or begins the range.
  const VisibleAmount* lower_beside(const VisibleAmount* best) const {
    const VisibleAmount* lower = best;
    for (const VisibleAmount& amount : out_.amounts) {
      const bool is_beside = distance(amount.at, best->at) <= 40 && amount.score + 1 >= best->score && !amount.is_old && !amount.is_net;
      // A twentieth is a price per unit or an instalment, not a reduced one.
      const bool is_like = std::strtod(amount.amount.c_str(), nullptr) * 10 > std::strtod(best->amount.c_str(), nullptr);
      if (is_beside && is_like && amount.currency == best->currency && is_more(*lower, amount)) lower = &amount;
    }
    return lower;
  }

  // ---- labels and their values ----
  void read_labels() {
    int best_code = 0, best_brand = 0;
    for (const Match& match : matches_) {
      if (match.what != Says::kCode && match.what != Says::kGtin && match.what != Says::kBrand) continue;
      const std::uint32_t marks = lines_.piece_at(match.begin).marks;
      if ((marks & (kMarkElsewhere | kMarkChoice)) != 0) continue;
      const VisibleLine& line = line_at(match.begin);
      if (match.what == Says::kBrand) {
        read_brand_label(match, line, marks, best_brand);
      } else {
        read_code_label(match, line, marks, best_code);
      }
    }
  }

  void read_code_label(const Match& match, const VisibleLine& line, std::uint32_t marks, int& best) {
    if (match.begin > line.begin + 4 && line.end - line.begin > kProseBytes) return;
    // A word before the label makes it another's ("coupon code").
    std::string value = code_behind(match, line);
    if (value.empty()) return;
    if (match.what == Says::kGtin) {
      const std::size_t digits = static_cast<std::size_t>(std::count_if(value.begin(), value.end(), is_digit));
      if (out_.gtin.text.empty() && digits >= 8 && digits <= 14) {
        value.erase(std::remove_if(value.begin(), value.end(), [](char c) { return !is_digit(c) && c != 'X'; }), value.end());
        out_.gtin = {value, 90};
      }
      return;
    }
    int score = static_cast<int>(match.strength) * 10 + ((marks & kMarkCode) != 0 ? 4 : 0) - ((marks & kMarkCard) != 0 ? 1 : 0);
    if ((marks & kMarkLink) != 0) score -= 6;
    if ((marks & kMarkHidden) != 0) score -= 6;
    if (match.begin >= lines_.heading_begin && match.begin < lines_.heading_end + 6'000) score += 3;
    if (match.begin + 600 < lines_.heading_begin) score -= 8;
    if (score <= best) return;
    best = score;
    code_at_ = match.begin;
    out_.code = {std::move(value), match.strength >= 3 ? 85 : match.strength == 2 ? 65 : 45};
  }

  static bool is_code_char(char c) { return is_digit(c) || is_upper(c) || is_lower(c) || c == '-' || c == '_' || c == '/' || c == '.'; }

  std::string code_behind(const Match& match, const VisibleLine& line) const {
    std::string_view rest = after_label(text_.substr(match.end, line.end - match.end));
    bool on_next_line = false;
    if (rest.empty() && &line != &lines_.lines.back()) {
      rest = lines_.words(*(&line + 1));
      on_next_line = true;
      if (rest.size() > kValueBytesMax) return {};
    }
    if (rest.size() <= 30 && is_shouted(rest)) return std::string(rest);
    std::size_t size = 0;
    const auto at = static_cast<std::size_t>(rest.data() - text_.data());
    const VisiblePiece* piece = &lines_.piece_at(at);
    const std::size_t piece_end = piece == &lines_.pieces.back() ? text_.size() : (piece + 1)->begin;
    while (size < rest.size() && size <= kValueBytesMax && is_code_char(rest[size])) {
      // "202.481.18" and "This" in elements of their own, without a space.
      if (at + size == piece_end && is_code(rest.substr(0, size))) break;
      ++size;
    }
    if (on_next_line && size * 10 < rest.size() * 6) return {};
    std::string_view value = rest.substr(0, size);
    while (!value.empty() && (value.back() == '.' || value.back() == '-' || value.back() == '/' || value.back() == '_'))
      value.remove_suffix(1);
    return is_code(value) ? std::string(value) : std::string();
  }

  // "no.", "nr", ":" and the like between a label and what it labels.
  static std::string_view after_label(std::string_view rest) {
    static constexpr std::string_view kFiller[] = {"no",     "nr",     "number",  "id",     "code",  "is",
                                                   "\u2116", "\uFF1A", "n\u00B0", "\u00B0", "\u00BA"};
    for (bool again = true; again;) {
      again = false;
      while (!rest.empty() && std::string_view(" .:#=-|()[]*").find(rest.front()) != std::string_view::npos) rest.remove_prefix(1);
      for (const std::string_view filler : kFiller) {
        const bool is_word = is_lower(filler.front());
        if (rest.size() < filler.size() || !equal_fold(rest.substr(0, filler.size()), filler)) continue;
        if (is_word && rest.size() > filler.size() && is_code_char(rest[filler.size()]) && rest[filler.size()] != '.') continue;
        rest.remove_prefix(filler.size());
        again = true;
      }
    }
    return rest;
  }

  static bool equal_fold(std::string_view text, std::string_view lower) {
    return std::equal(text.begin(), text.end(), lower.begin(), lower.end(), [](char a, char b) { return (is_upper(a) ? a + 32 : a) == b; });
  }

  // "GARNI 570 EASY II": words of capitals and digits.
  static bool is_shouted(std::string_view text) {
    const bool shouted = std::all_of(text.begin(), text.end(), [](char c) {
      return is_upper(c) || is_digit(c) || c == ' ' || c == '-' || c == '/' || c == '.' || c == '_';
    });
    return shouted && std::count_if(text.begin(), text.end(), is_digit) >= 2 && !text.empty() && text.back() != ' ' &&
           text.find(' ') != std::string_view::npos;
  }

  static bool is_code(std::string_view value) {
    const auto digits = std::count_if(value.begin(), value.end(), is_digit);
    const auto capitals = std::count_if(value.begin(), value.end(), is_upper);
    if (value.size() < 3) return false;
    return digits >= 2 || (digits == 1 && value.size() >= 4) || (capitals >= 4 && capitals == static_cast<std::ptrdiff_t>(value.size()));
  }

  void read_brand_label(const Match& match, const VisibleLine& line, std::uint32_t marks, int& best) {
    if (match.begin > line.begin + 2) return;
    std::string_view rest = text_.substr(match.end, line.end - match.end);
    const bool is_labelled = rest.empty() || rest.front() == ':' || rest.starts_with(" :") || rest.starts_with("\uFF1A");
    // "Marke Bosch" in a cell of its own label; "brand new" is none.
    if (!is_labelled) return;
    rest = after_label(rest);
    if (rest.empty() && &line != &lines_.lines.back()) rest = lines_.words(*(&line + 1));
    if (!is_brand(rest)) return;
    int score = static_cast<int>(match.strength) * 10 - ((marks & kMarkLink) != 0 ? 8 : 0) - ((marks & kMarkHidden) != 0 ? 6 : 0);
    if (is_in_heading(rest)) score += 8;
    if (score <= best) return;
    best = score;
    out_.brand = {std::string(rest), match.strength >= 2 ? 80 : 65};
  }

  bool is_brand(std::string_view text) const {
    if (text.size() < 2 || text.size() > kValueBytesMax || text.back() == ':') return false;
    if (std::none_of(text.begin(), text.end(), [](char c) { return is_lower(c) || is_upper(c) || static_cast<unsigned char>(c) >= 0x80; }))
      return false;
    if (std::count(text.begin(), text.end(), ' ') > 4 || fold(text).empty()) return false;  // a font's icons are no words
    bool is_label = false;
    text_words().each(text, [&](std::size_t begin, std::size_t end, std::uint32_t value) {
      const Says what = what_it_says(value);
      is_label = is_label || ((what == Says::kBrand || what == Says::kCode || what == Says::kCart || what == Says::kSoldOut) &&
                              begin == 0 && end == text.size());
    });
    return !is_label;
  }

  std::string_view heading_words() const {
    return text_.substr(lines_.heading_begin, std::max(lines_.heading_end, lines_.heading_begin) - lines_.heading_begin);
  }
  bool is_in_heading(std::string_view brand) const {
    const std::string_view heading = heading_words().substr(0, 1'024);
    const auto at = std::search(heading.begin(), heading.end(), brand.begin(), brand.end(),
                                [](char a, char b) { return (is_upper(a) ? a + 32 : a) == (is_upper(b) ? b + 32 : b); });
    return at != heading.end();
  }

  // "Visit the Acme Store", "by Acme", "Brand: Acme".
  static std::string_view without_invitation(std::string_view words) {
    if (equal_fold(words.substr(0, 10), "visit the ") && words.size() > 16 && equal_fold(words.substr(words.size() - 6), " store"))
      return words.substr(10, words.size() - 16);
    for (const std::string_view before :
         {std::string_view("brand: "), std::string_view("by "), std::string_view("von "), std::string_view("par ")}) {
      if (equal_fold(words.substr(0, before.size()), before)) return words.substr(before.size());
    }
    return words;
  }

  // A short text near the heading whose element calls itself a brand, or links to one.
  void read_brand_elements() {
    if (!lines_.heading || out_.brand.sure >= 80) return;
    int best = out_.brand.text.empty() ? 0 : 10;
    for (const VisiblePiece& piece : lines_.pieces) {
      const bool near = piece.begin + 400 > lines_.heading_begin && piece.begin < lines_.heading_end + 1'500;
      if (!near || (piece.marks & (kMarkElsewhere | kMarkChoice | kMarkCrumbs | kMarkHidden)) != 0) continue;
      const std::string_view all = words_of(piece), words = without_invitation(all);
      if (!is_brand(words) || words.find_first_of("0123456789:>") != std::string_view::npos || is_invitation(words)) continue;
      const int score = brand_score(piece, words, words.size() < all.size());
      if (score <= best) continue;
      best = score;
      out_.brand = {std::string(words), score >= 11 ? 75 : 50};
    }
  }

  // 0 when it is none.
  int brand_score(const VisiblePiece& piece, std::string_view words, bool is_introduced) const {
    const bool in_heading = is_in_heading(words);
    const bool is_close = distance(piece.begin, lines_.heading_begin) < 150 || distance(piece.begin, lines_.heading_end) < 150;
    if ((piece.marks & kMarkBrand) != 0)
      return in_heading || is_close ? 5 + (in_heading ? 8 : 0) - ((piece.marks & kMarkCard) != 0 ? 2 : 0) : 0;
    // "by Acme", or a link of the words that the heading begins with.
    const bool begins = (piece.marks & kMarkLink) != 0 && begins_heading(words);
    return is_close && in_heading && (is_introduced || begins) ? 9 : 0;
  }

  std::string_view words_of(const VisiblePiece& piece) const {
    const std::size_t next = &piece == &lines_.pieces.back() ? text_.size() : (&piece + 1)->begin;
    std::string_view words = text_.substr(piece.begin, std::min(next, line_at(piece.begin).end) - piece.begin);
    while (!words.empty() && (words.back() == ' ' || words.back() == ',')) words.remove_suffix(1);
    return words;
  }

  static bool is_invitation(std::string_view words) {
    static constexpr std::string_view kPhrases[] = {"visit ", "more ", "shop ", "view ", "see ", "all ", "brand", "other "};
    return std::any_of(std::begin(kPhrases), std::end(kPhrases),
                       [&](std::string_view phrase) { return equal_fold(words.substr(0, phrase.size()), phrase); });
  }

  bool begins_heading(std::string_view words) const {
    const std::string_view heading = heading_words();
    if (heading.size() <= words.size() + 1 || heading[words.size()] != ' ') return false;
    return std::equal(words.begin(), words.end(), heading.begin(),
                      [](char a, char b) { return (is_upper(a) ? a + 32 : a) == (is_upper(b) ? b + 32 : b); });
  }

  // ---- availability ----
  void judge_availability() {
    if (!lines_.heading) return;
    bool out = false, out_in_stock_box = false, in = false;
    for (const Match& match : matches_) {
      if (match.what != Says::kSoldOut && match.what != Says::kInStock) continue;
      const std::uint32_t marks = lines_.piece_at(match.begin).marks;
      const VisibleLine& line = line_at(match.begin);
      if ((marks & (kMarkElsewhere | kMarkChoice | kMarkHidden | kMarkCrumbs)) != 0 || line.end - line.begin > kProseBytes) continue;
      const std::size_t to_price = out_.price == nullptr ? kFar : distance(match.begin, out_.price->at);
      const bool is_near = match.begin + 300 > lines_.heading_begin && (match.begin < lines_.heading_end + 500 || to_price < 500);
      const bool is_boxed = (marks & kMarkStock) != 0;
      if (!is_near || ((marks & kMarkLink) != 0 && (marks & kMarkButton) == 0 && !is_boxed)) continue;
      if (match.what == Says::kInStock) {
        in = true;
      } else if (match.strength >= 2 && ((marks & kMarkCard) == 0 || is_boxed)) {
        out = true;
        out_in_stock_box = out_in_stock_box || is_boxed || (marks & kMarkButton) != 0;
      }
    }
    const bool can_buy = std::any_of(carts_.begin(), carts_.end(),
                                     [&](std::size_t at) { return at + 600 > lines_.heading_begin && at < lines_.heading_end + 4'000; });
    if (out && !can_buy) {
      out_.availability = {"OutOfStock", out_in_stock_box || !in ? 80 : 50};
    } else if (in && !out) {
      out_.availability = {"InStock", 70};
    } else if (can_buy && !out) {
      out_.availability = {"InStock", 60};
    } else if (has_dead_cart_ && !can_buy && !has_choices()) {
      out_.availability = {"OutOfStock", 40};
    }
  }

  // A cart that opens once a size is chosen says nothing.
  bool has_choices() const {
    return std::any_of(lines_.pieces.begin(), lines_.pieces.end(), [&](const VisiblePiece& piece) {
      const bool is_near = piece.begin >= lines_.heading_end && piece.begin < lines_.heading_end + 3'000;
      return is_near && ((piece.marks & kMarkChoice) != 0 || (piece.marks & (kMarkDisabled | kMarkCart | kMarkButton)) == kMarkDisabled);
    });
  }

  const VisibleLines& lines_;
  std::string_view text_, site_currency_;
  std::vector<Match> matches_;
  std::vector<std::size_t> carts_;
  bool has_dead_cart_ = false;
  std::size_t code_at_ = 0;
  Says label_ = Says::kNothing;
  std::unordered_map<std::string, std::vector<std::size_t>> by_names_;
  VisibleProduct out_;
};

}  // namespace

bool same_amount(std::string_view one, std::string_view other) {
  const auto trimmed = [](std::string_view text) {
    if (text.find('.') == std::string_view::npos) return text;
    while (text.ends_with('0')) text.remove_suffix(1);
    if (text.ends_with('.')) text.remove_suffix(1);
    return text;
  };
  return trimmed(one) == trimmed(other);
}

bool VisibleProduct::shows(std::string_view amount) const {
  const int best = best_score(amount);
  return best >= kLikelyScore || (best > INT_MIN && !shows_as_old(amount));
}

int VisibleProduct::best_score(std::string_view amount) const {
  int best = INT_MIN;
  for (const VisibleAmount& seen : amounts) {
    if (!seen.is_old && same_amount(seen.amount, amount)) best = std::max(best, seen.score);
  }
  return best;
}

bool VisibleProduct::shows_as_old(std::string_view amount) const {
  return std::any_of(amounts.begin(), amounts.end(),
                     [&](const VisibleAmount& seen) { return seen.is_old && same_amount(seen.amount, amount); });
}

VisibleProduct visible_product(const VisibleLines& lines, std::string_view site_currency, bool is_marked) {
  return Reader(lines, site_currency).read(is_marked);
}

}  // namespace magpie
