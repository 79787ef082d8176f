#include "text/price_currency.h"

#include <algorithm>
#include <array>
#include <bitset>
#include <string>
#include <unordered_set>
#include <vector>

#include "base/utf8.h"
#include "text/price.h"

namespace magpie {
namespace {

// ISO 4217 list one (2024) and the withdrawn codes that shops and archives still show.
constexpr std::string_view kCodes =
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLF CLP CNY COP CRC "
    "CUC CUP "
    "CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HRK HTG HUF IDR ILS INR IQD IRR ISK JMD JOD "
    "JPY KES "
    "KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR "
    "NZD OMR "
    "PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SLL SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP "
    "TRY TTD "
    "TWD TZS UAH UGX USD UYU UZS VED VES VND VUV WST XAF XCD XOF XPF YER ZAR ZMW ZWL "
    "ATS AZM BEF BYR BYB CSK CYP DEM ECS EEK ESP FIM FRF GHC GRD IEP ITL LTL LUF LVL MGF MRO MTL MZM NLG PTE ROL RUR SDD SIT SKK SRG STD "
    "TMM TRL "
    "UYP VEF XEU YUM ZMK ZWD";
// Words that are codes as well; they count only beside an amount.
constexpr std::string_view kWordCodes = "ALL ANG BAM COP CUP ERN ESP GEL LAK MAD MOP PEN SOS TOP TRY VES";

struct Sign {
  std::string_view text;
  std::string_view code;
  bool is_weak;  // common letters: counts only beside an amount, or in a hint that holds nothing else
};

// The commonest meaning of each sign; kShared lists the others. Dots at the end are matched as part of the sign, so "kr." and "kr" differ.
constexpr Sign kSigns[] = {
    {"US$", "USD", false},
    {"U$S", "USD", false},
    {"U.S.$", "USD", false},
    {"$", "USD", false},
    {"C$", "CAD", false},
    {"CA$", "CAD", false},
    {"Can$", "CAD", false},
    {"A$", "AUD", false},
    {"AU$", "AUD", false},
    {"NZ$", "NZD", false},
    {"HK$", "HKD", false},
    {"NT$", "TWD", false},
    {"S$", "SGD", false},
    {"SG$", "SGD", false},
    {"R$", "BRL", false},
    {"MX$", "MXN", false},
    {"Mex$", "MXN", false},
    {"AR$", "ARS", false},
    {"CL$", "CLP", false},
    {"CO$", "COP", false},
    {"COL$", "COP", false},
    {"RD$", "DOP", false},
    {"J$", "JMD", false},
    {"TT$", "TTD", false},
    {"Z$", "ZWL", false},
    {"$U", "UYU", false},
    {"N$", "NAD", false},
    {"BZ$", "BZD", false},
    {"Bds$", "BBD", false},
    {"EC$", "XCD", false},
    {"G$", "GYD", false},
    {"FJ$", "FJD", false},
    {"L$", "LRD", false},
    {"B$", "BND", false},
    {"BN$", "BND", false},
    {"T$", "TOP", false},
    {"WS$", "WST", false},
    {"SI$", "SBD", false},
    {"CI$", "KYD", false},
    {"MOP$", "MOP", false},
    {"CUC$", "CUC", false},
    {"CV$", "CVE", false},
    {"$b", "BOB", true},
    {"Bs.", "BOB", true},
    {"Bs", "BOB", true},
    {"B/.", "PAB", false},
    {"S/.", "PEN", false},
    {"S/", "PEN", true},
    {"\u20AC", "EUR", false},
    {"euro", "EUR", false},
    {"Euro", "EUR", false},
    {"EURO", "EUR", false},
    {"euros", "EUR", false},
    {"Euros", "EUR", false},
    {"eur", "EUR", true},
    {"\u03B5\u03C5\u03C1\u03CE", "EUR", false},
    {"\u0435\u0432\u0440\u043E", "EUR", false},
    {"\u00A3", "GBP", false},
    {"\uFFE1", "GBP", false},
    {"E\u00A3", "EGP", false},
    {"LB\u00A3", "LBP", false},
    {"SY\u00A3", "SYP", false},
    {"\u20A4", "GBP", false},
    {"CN\u00A5", "CNY", false},
    {"\u00A5", "JPY", false},
    {"\uFFE5", "JPY", false},
    {"JP\u00A5", "JPY", false},
    {"\u5186", "JPY", false},
    {"\u5143", "CNY", false},
    {"RMB", "CNY", false},
    {"\u4EBA\u6C11\u5E01", "CNY", false},
    {"NT", "TWD", true},
    {"\u65B0\u53F0\u5E63", "TWD", false},
    {"\u20A9", "KRW", false},
    {"\uFFE6", "KRW", false},
    {"\uC6D0", "KRW", false},
    {"z\u0142", "PLN", false},
    {"Z\u0142", "PLN", false},
    {"Z\u0141", "PLN", false},
    {"zl", "PLN", true},
    {"K\u010D", "CZK", false},
    {"k\u010D", "CZK", false},
    {"Kc", "CZK", true},
    {"Ft", "HUF", false},
    {"ft", "HUF", true},
    {"lei", "RON", false},
    {"Lei", "RON", false},
    {"LEI", "RON", false},
    {"leu", "RON", true},
    {"\u043B\u0432", "BGN", false},
    {"\u043B\u0432.", "BGN", false},
    {"lv", "BGN", true},
    {"lv.", "BGN", true},
    {"\u20BD", "RUB", false},
    {"\u0440\u0443\u0431", "RUB", false},
    {"\u0440\u0443\u0431.", "RUB", false},
    {"\u0420\u0443\u0431", "RUB", false},
    {"\u0420\u0423\u0411", "RUB", false},
    {"\u0440\u0443\u0431\u043B\u0435\u0439", "RUB", false},
    {"\u0440\u0443\u0431\u043B\u044F", "RUB", false},
    {"\u0440\u0443\u0431\u043B\u044C", "RUB", false},
    {"\u0440.", "RUB", true},
    {"\u0440", "RUB", true},
    {"\u0420", "RUB", true},
    {"rub", "RUB", true},
    {"\u20B4", "UAH", false},
    {"\u0433\u0440\u043D", "UAH", false},
    {"\u0433\u0440\u043D.", "UAH", false},
    {"\u0413\u0440\u043D", "UAH", false},
    {"\u20B8", "KZT", false},
    {"\u0442\u0433", "KZT", false},
    {"\u0442\u0435\u043D\u0433\u0435", "KZT", false},
    {"\u0441\u0443\u043C", "UZS", true},
    {"\u0441\u043E\u043C", "KGS", true},
    {"\u20AB", "VND", false},
    {"\u0111", "VND", true},
    {"VN\u0110", "VND", false},
    {"VN\u0111", "VND", false},
    {"\u20B9", "INR", false},
    {"Rs.", "INR", false},
    {"Rs", "INR", true},
    {"rs.", "INR", true},
    {"\u20A8", "INR", false},
    {"\u0930\u0941", "INR", false},
    {"\u0930\u0941.", "INR", false},
    {"\u0930", "INR", true},
    {"\u09F3", "BDT", false},
    {"Tk", "BDT", true},
    {"Tk.", "BDT", true},
    {"\u20B1", "PHP", false},
    {"\u0E3F", "THB", false},
    {"\u0E1A\u0E32\u0E17", "THB", false},
    {"RM", "MYR", true},
    {"Rp", "IDR", false},
    {"Rp.", "IDR", false},
    {"\u20AA", "ILS", false},
    {"\u05E9\"\u05D7", "ILS", false},
    {"\u05E9\u05F4\u05D7", "ILS", false},
    {"NIS", "ILS", true},
    {"\u20BA", "TRY", false},
    {"TL", "TRY", false},
    {"tl", "TRY", true},
    {"kr", "SEK", false},
    {"kr.", "SEK", false},
    {"Kr", "SEK", false},
    {"Kr.", "SEK", false},
    {"KR", "SEK", true},
    {"\u0631.\u0633", "SAR", false},
    {"\u0631\u064A\u0627\u0644", "SAR", false},
    {"SR", "SAR", true},
    {"\u0631.\u0642", "QAR", false},
    {"QR", "QAR", true},
    {"\u062F.\u0625", "AED", false},
    {"\u062F\u0631\u0647\u0645", "AED", false},
    {"Dhs", "AED", true},
    {"Dhs.", "AED", true},
    {"Dh", "AED", true},
    {"\u062C\u0646\u064A\u0647", "EGP", false},
    {"\u062C.\u0645", "EGP", false},
    {"LE", "EGP", true},
    {"\u062F.\u0643", "KWD", false},
    {"KD", "KWD", true},
    {"\u062F\u064A\u0646\u0627\u0631", "KWD", false},
    {"\u062F.\u0623", "JOD", false},
    {"JD", "JOD", true},
    {"\u0631.\u0639", "OMR", false},
    {"\u062F.\u0628", "BHD", false},
    {"BD", "BHD", true},
    {"\u062F.\u0645", "MAD", false},
    {"DH", "MAD", true},
    {"\u062F\u062C", "DZD", false},
    {"\u062F.\u062C", "DZD", false},
    {"DA", "DZD", true},
    {"\u062F.\u062A", "TND", false},
    {"DT", "TND", true},
    {"\u0644.\u0644", "LBP", false},
    {"LL", "LBP", true},
    {"\uFDFC", "IRR", false},
    {"\u0631\u06CC\u0627\u0644", "IRR", false},
    {"\u062A\u0648\u0645\u0627\u0646", "", false},
    {"\u062A\u0648\u0645\u0646", "", true},
    {"toman", "", true},
    {"Toman", "", true},
    {"\u20A6", "NGN", false},
    {"R", "ZAR", true},
    {"KSh", "KES", false},
    {"Ksh", "KES", false},
    {"KSH", "KES", false},
    {"Ksh.", "KES", false},
    {"TSh", "TZS", false},
    {"USh", "UGX", false},
    {"GH\u20B5", "GHS", false},
    {"GH\u00A2", "GHS", false},
    {"\u20B5", "GHS", false},
    {"Br", "ETB", true},
    {"FCFA", "XOF", false},
    {"CFA", "XOF", false},
    {"F CFA", "XOF", false},
    {"\u20A1", "CRC", false},
    {"\u20B2", "PYG", false},
    {"Gs", "PYG", true},
    {"Gs.", "PYG", true},
    {"Q", "GTQ", true},
    {"L", "HNL", true},
    {"\u20AD", "LAK", false},
    {"\u17DB", "KHR", false},
    {"\u20AE", "MNT", false},
    {"\u20BE", "GEL", false},
    {"\u058F", "AMD", false},
    {"\u20BC", "AZN", false},
    {"Lek", "ALL", true},
    {"lek", "ALL", true},
    {"\u0434\u0435\u043D", "MKD", true},
    {"\u0434\u0435\u043D.", "MKD", true},
    {"\u0434\u0438\u043D", "RSD", true},
    {"\u0434\u0438\u043D.", "RSD", true},
    {"din", "RSD", true},
    {"din.", "RSD", true},
    {"dinara", "RSD", true},
    {"Dinara", "RSD", true},
    {"kn", "HRK", true},
    {"Kn", "HRK", true},
    {"kn.", "HRK", true},
    {"Kn.", "HRK", true},
    {"\u00A2", "USD", false},
    {"KM", "BAM", true},
    {"Fr.", "CHF", true},
    {"Fr", "CHF", true},
    {"SFr.", "CHF", false},
    {"SFr", "CHF", false},
    {"sFr.", "CHF", false},
    {"\u20A3", "CHF", false},
    {"MK", "MWK", true},
    {"Rf", "MVR", true},
    {"Rf.", "MVR", true},
    {"Db", "STN", true},
    {"DM", "DEM", true},
    {"Lt", "LTL", true},
    {"Ls", "LVL", true},
    {"\u0192", "AWG", true},
    {"Afl.", "AWG", true},
    {"\u060B", "AFN", false},
    {"\u20BF", "", true},
};

struct Shared {
  std::string_view sign, codes;
};
constexpr Shared kShared[] = {
    {"$", "USD CAD AUD NZD HKD SGD MXN ARS CLP COP TWD BBD BSD BZD BMD BND FJD GYD JMD LRD NAD SRD TTD XCD UYU KYD SBD DOP CUP"},
    {"\u00A2", "USD CAD AUD NZD HKD SGD MXN TWD BBD BSD BZD BMD FJD GYD JMD LRD NAD SRD TTD XCD EUR"},
    {"C$", "CAD NIO"},
    {"kr", "SEK NOK DKK ISK CZK"},
    {"kr.", "SEK NOK DKK ISK CZK"},
    {"Kr", "SEK NOK DKK ISK CZK"},
    {"Kr.", "SEK NOK DKK ISK CZK"},
    {"KR", "SEK NOK DKK ISK"},
    {"\u00A3", "GBP EGP LBP SYP GIP FKP SHP"},
    {"\u20A4", "GBP ITL TRL"},
    {"\u00A5", "JPY CNY"},
    {"\uFFE5", "JPY CNY"},
    {"\u5143", "CNY TWD HKD"},
    {"\u0440\u0443\u0431", "RUB BYN"},
    {"\u0440\u0443\u0431.", "RUB BYN"},
    {"\u0440.", "RUB BYN"},
    {"\u0440", "RUB BYN"},
    {"\u0420", "RUB BYN"},
    {"\u0440\u0443\u0431\u043B\u0435\u0439", "RUB BYN"},
    {"lei", "RON MDL"},
    {"Lei", "RON MDL"},
    {"LEI", "RON MDL"},
    {"leu", "RON MDL"},
    {"Rs.", "INR PKR LKR NPR MUR SCR"},
    {"Rs", "INR PKR LKR NPR MUR SCR"},
    {"\u20A8", "INR PKR LKR NPR MUR SCR"},
    {"Br", "ETB BYN"},
    {"Fr.", "CHF XOF XAF RWF DJF GNF"},
    {"Fr", "CHF XOF XAF RWF DJF GNF"},
    {"\u20A3", "CHF FRF"},
    {"CFA", "XOF XAF"},
    {"FCFA", "XOF XAF"},
    {"F CFA", "XOF XAF"},
    {"\u062F\u0631\u0647\u0645", "AED MAD"},
    {"\u062C\u0646\u064A\u0647", "EGP SDG"},
    {"\u0631\u064A\u0627\u0644", "SAR QAR OMR YER"},
    {"\u062F\u064A\u0646\u0627\u0631", "KWD JOD IQD BHD TND DZD LYD"},
    {"din", "RSD MKD"},
    {"DA", "DZD"},
    {"R", "ZAR"},
    {"Dh", "AED MAD"},
    {"DH", "MAD AED"},
    {"Dhs", "AED MAD"},
    {"L", "HNL MDL"},
    {"\u20B1", "PHP CUP"},
    {"\u0192", "AWG ANG"},
};

bool lists(std::string_view words, std::string_view word) {
  if (word.empty() || word.find(' ') != std::string_view::npos) return false;
  for (std::size_t at = words.find(word); at != std::string_view::npos; at = words.find(word, at + 1)) {
    const std::size_t end = at + word.size();
    if ((at == 0 || words[at - 1] == ' ') && (end == words.size() || words[end] == ' ')) return true;
  }
  return false;
}

bool is_capital(char c) { return c >= 'A' && c <= 'Z'; }

// Letters of the alphabets that signs are written in. Han, kana and Hangul do not count: there a sign stands without a gap.
bool is_letter(char32_t c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= 0xC0 && c <= 0x24F && c != 0xD7 && c != 0xF7) ||
         (c >= 0x370 && c <= 0x5FF) || (c >= 0x620 && c <= 0x65F) || (c >= 0x66E && c <= 0x6EF) || (c >= 0x900 && c <= 0xE3E);
}

char32_t code_point_before(std::string_view text, std::size_t at) {
  std::size_t begin = at;
  while (begin > 0 && (static_cast<unsigned char>(text[--begin]) & 0xC0) == 0x80) {}
  return begin < at ? next_code_point(text, begin) : 0;
}

char32_t code_point_at(std::string_view text, std::size_t at) { return at < text.size() ? next_code_point(text, at) : 0; }

// A sign that begins or ends with a letter must not be a piece of a longer word.
bool stands_alone(std::string_view text, std::size_t begin, std::size_t end) {
  const bool open_left = !is_letter(code_point_at(text, begin)) || !is_letter(code_point_before(text, begin));
  const bool open_right = !is_letter(code_point_before(text, end)) || !is_letter(code_point_at(text, end));
  return open_left && open_right;
}

struct Match {
  std::size_t begin = 0, end = 0;
  std::string_view code;
  bool is_code = false, is_weak = false;
};

// Signs by their first byte, longest first.
struct SignTable {
  std::array<std::vector<const Sign*>, 256> by_byte;
  SignTable() {
    for (const Sign& sign : kSigns) by_byte[static_cast<unsigned char>(sign.text[0])].push_back(&sign);
    for (auto& signs : by_byte) {
      std::sort(signs.begin(), signs.end(), [](const Sign* a, const Sign* b) { return a->text.size() > b->text.size(); });
    }
  }
};

// Which three capitals are a code: a bit each.
struct CodeTable {
  std::bitset<26 * 26 * 26> known;
  CodeTable() {
    for (std::size_t at = 0; at + 3 <= kCodes.size(); at += 4) known.set(number_of(kCodes.substr(at, 3)));
  }
  static std::size_t number_of(std::string_view code) {
    return static_cast<std::size_t>(((code[0] - 'A') * 26 + (code[1] - 'A')) * 26 + (code[2] - 'A'));
  }
};

std::string_view code_at(std::string_view text, std::size_t at) {
  static const CodeTable kTable;
  if (at + 3 > text.size() || !is_capital(text[at]) || !is_capital(text[at + 1]) || !is_capital(text[at + 2])) return {};
  const std::string_view code = text.substr(at, 3);
  return kTable.known[CodeTable::number_of(code)] ? kCodes.substr(kCodes.find(code), 3) : std::string_view();
}

std::vector<Match> matches_in(std::string_view text) {
  static const SignTable kTable;
  std::vector<Match> found;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t step = 1;
    if (const std::string_view code = code_at(text, at); !code.empty() && stands_alone(text, at, at + 3)) {
      found.push_back({at, at + 3, code, true, lists(kWordCodes, code)});
      step = 3;
    } else {
      for (const Sign* sign : kTable.by_byte[static_cast<unsigned char>(text[at])]) {
        if (text.substr(at, sign->text.size()) != sign->text || !stands_alone(text, at, at + sign->text.size())) continue;
        found.push_back({at, at + sign->text.size(), sign->code, false, sign->is_weak});
        step = sign->text.size();
        break;
      }
    }
    at += step;
  }
  return found;
}

// Only spaces, and signs such as ":" or a second sign as in "SGD$4.90", between the currency and the amount.
bool is_adjacent(std::string_view text, const Match& match, std::size_t begin, std::size_t end) {
  if (begin == std::string_view::npos) return false;
  if (match.begin >= begin && match.end <= end) return true;
  const std::string_view gap = match.end <= begin ? text.substr(match.end, begin - match.end) : text.substr(end, match.begin - end);
  return gap.size() <= 4 && gap.find_first_not_of(" :.,-$\xC2\xE2\x82\xAC\xA3*") == std::string_view::npos;
}

int rank(const Match& match, bool adjacent) {
  if (adjacent) return match.is_code ? 5 : match.is_weak ? 3 : 4;
  if (match.is_weak) return 0;
  return match.is_code ? 2 : 1;
}

}  // namespace

CurrencyFound find_currency(std::string_view plain, std::size_t begin, std::size_t end) {
  const Match* best = nullptr;
  int best_rank = 0;
  bool best_adjacent = false;
  const std::vector<Match> matches = matches_in(plain);
  for (const Match& match : matches) {
    const bool adjacent = is_adjacent(plain, match, begin, end);
    int value = rank(match, adjacent);
    // A hint that holds nothing but the sign means it, however common its letters are.
    if (value == 0 && begin == std::string_view::npos && match.end - match.begin + 2 >= plain.size()) value = 1;
    if (value > best_rank) {
      best = &match;
      best_rank = value;
      best_adjacent = adjacent;
    }
  }
  if (best == nullptr) return {};
  return {best->code, plain.substr(best->begin, best->end - best->begin), best->is_code, best_adjacent};
}

bool symbol_may_mean(std::string_view symbol, std::string_view code) {
  for (const Shared& shared : kShared) {
    if (shared.sign == symbol) return lists(shared.codes, code);
  }
  for (const Sign& sign : kSigns) {
    if (sign.text == symbol) return sign.code == code;
  }
  return false;
}

bool has_three_decimals(std::string_view code) { return lists("BHD IQD JOD KWD LYD OMR TND", code); }
bool has_no_decimals(std::string_view code) { return lists("CLP COP IDR IRR ISK JPY KRW PYG UGX VND XAF XOF XPF HUF LBP LAK KHR", code); }

bool is_currency_code(std::string_view code) { return code.size() == 3 && !code_at(code, 0).empty(); }

}  // namespace magpie
