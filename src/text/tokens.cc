#include "text/tokens.h"

#include <libstemmer.h>
#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <unordered_map>
#include <unordered_set>

#include "base/ascii.h"
#include "base/utf8.h"
#include "text/stop_words.h"

namespace magpie {
namespace {

enum class Kind { kSpace, kLetter, kDigit, kMark, kDense, kJoiner };

// Scripts written without spaces between words.
bool is_dense(char32_t c) {
  return (c >= 0x0E00 && c <= 0x0EFF) || (c >= 0x1000 && c <= 0x109F) || (c >= 0x1780 && c <= 0x17FF) || (c >= 0x3040 && c <= 0x30FF) ||
         (c >= 0x31F0 && c <= 0x31FF) || (c >= 0x3400 && c <= 0x4DBF) || (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0xF900 && c <= 0xFAFF) ||
         (c >= 0x20000 && c <= 0x3FFFF);
}

Kind kind_of_ascii(char c) {
  if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) return Kind::kLetter;
  if (c >= '0' && c <= '9') return Kind::kDigit;
  return c == '\'' || c == '.' ? Kind::kJoiner : Kind::kSpace;
}

Kind kind_of(char32_t c) {
  if (c < 0x80) return kind_of_ascii(static_cast<char>(c));
  if (c == 0x2019) return Kind::kJoiner;
  switch (utf8proc_category(static_cast<utf8proc_int32_t>(c))) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO: return is_dense(c) ? Kind::kDense : Kind::kLetter;
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME: return is_dense(c) ? Kind::kDense : Kind::kMark;
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO: return Kind::kDigit;
    default: return c == 0x200C || c == 0x200D ? Kind::kMark : Kind::kSpace;  // joiners inside Persian and Indic words
  }
}

// Letters that NFKD leaves whole though people type them as their base letter.
std::string_view plain_form(char32_t c) {
  switch (c) {
    case 0xF8:
    case 0xD8: return "o";
    case 0x142:
    case 0x141: return "l";
    case 0x111:
    case 0x110:
    case 0xF0:
    case 0xD0: return "d";
    case 0x131: return "i";
    case 0x127:
    case 0x126: return "h";
    case 0xE6:
    case 0xC6: return "ae";
    case 0x153:
    case 0x152: return "oe";
    case 0xFE:
    case 0xDE: return "th";
    default: return {};
  }
}

void append_folded(std::string& out, char32_t c) {
  if (c < 0x80) {
    out += ascii_lower(c);
    return;
  }
  if (const std::string_view plain = plain_form(c); !plain.empty()) {
    out += plain;
    return;
  }
  std::array<utf8proc_int32_t, 32> parts;
  int boundary = 0;
  const auto options = static_cast<utf8proc_option_t>(UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD | UTF8PROC_IGNORE);
  const utf8proc_ssize_t count = utf8proc_decompose_char(static_cast<utf8proc_int32_t>(c), parts.data(), parts.size(), options, &boundary);
  for (utf8proc_ssize_t i = 0; i < std::min<utf8proc_ssize_t>(count, parts.size()); ++i) {
    const utf8proc_category_t category = utf8proc_category(parts[static_cast<std::size_t>(i)]);
    // Signs above and below letters go; marks that are vowels of an Indic or Thai syllable (spacing or not) stay in their scripts.
    const bool accent = category == UTF8PROC_CATEGORY_MN && !is_dense(c) && !(c >= 0x0900 && c <= 0x0DFF);
    if (!accent) append_utf8(out, static_cast<char32_t>(parts[static_cast<std::size_t>(i)]));
  }
}

class Tokeniser {
 public:
  Tokeniser(std::string_view text, std::size_t tokens_max) : text_(text), tokens_max_(tokens_max) {}

  std::vector<Token> run() {
    for (std::size_t at = 0; at < text_.size() && tokens_.size() < tokens_max_;) {
      if (take_plain(text_[at])) {
        ++at;
        continue;
      }
      const char32_t c = next_code_point(text_, at);
      take(c, kind_of(c), at);
    }
    end_word();
    end_dense();
    return std::move(tokens_);
  }

 private:
  // What take() does with nearly all characters of most texts. False for the others.
  bool take_plain(char c) {
    if (static_cast<unsigned char>(c) >= 0x80 || !dense_.empty()) return false;
    switch (kind_of_ascii(c)) {
      case Kind::kSpace: end_word(); return true;
      case Kind::kLetter:
      case Kind::kDigit:
        word_ += ascii_lower(c);
        previous_is_digit_ = c <= '9';
        return true;
      default: return false;
    }
  }

  void take(char32_t c, Kind kind, std::size_t next) {
    if (kind == Kind::kDense) {
      end_word();
      return take_dense(c);
    }
    if (kind == Kind::kMark && (!word_.empty() || !dense_.empty()))
      return dense_.empty() ? append_folded(word_, c) : append_folded(dense_.back(), c);
    end_dense();
    if (kind == Kind::kJoiner && joins(c, next)) {
      if (c == '.') word_ += '.';
      return;
    }
    if (kind != Kind::kLetter && kind != Kind::kDigit) return end_word();
    append_folded(word_, c);
    previous_is_digit_ = kind == Kind::kDigit;
  }

  // "don't" and "3.5" are one word each, "end.Next" is two, and so is "3.b".
  bool joins(char32_t c, std::size_t next) const {
    if (word_.empty() || next >= text_.size()) return false;
    const Kind follows = kind_of(next_code_point(text_, next));
    return c == '.' ? previous_is_digit_ && follows == Kind::kDigit : follows == Kind::kLetter && !previous_is_digit_;
  }

  // Overlapping pairs: "abc" -> "ab", "bc".
  void take_dense(char32_t c) {
    std::string folded;
    append_folded(folded, c);
    if (folded.empty()) return;
    if (!dense_.empty()) {
      add(dense_.back() + folded);
      paired_ = true;
      dense_.clear();
    }
    dense_.push_back(std::move(folded));
  }
  void end_dense() {
    if (!dense_.empty() && !paired_) add(dense_.back());
    dense_.clear();
    paired_ = false;
  }
  void end_word() {
    if (!word_.empty()) add(std::move(word_));
    word_.clear();
    previous_is_digit_ = false;
  }

  void add(std::string term) {
    if (term.size() > kTermBytesMax) term.resize(utf8_prefix(term, kTermBytesMax).size());
    tokens_.push_back({std::move(term), position_++});
  }

  std::string_view text_;
  std::size_t tokens_max_;
  std::vector<Token> tokens_;
  std::string word_;
  std::vector<std::string> dense_;  // none, or the last character of a dense run
  bool paired_ = false;
  bool previous_is_digit_ = false;
  std::uint32_t position_ = 0;
};

const char* stemmer_name(std::string_view primary) {
  static const std::map<std::string_view, const char*> kNames = {
      {"ar", "arabic"},    {"ca", "catalan"},   {"da", "danish"},     {"de", "german"},    {"el", "greek"},      {"en", "english"},
      {"es", "spanish"},   {"eu", "basque"},    {"fi", "finnish"},    {"fr", "french"},    {"ga", "irish"},      {"hi", "hindi"},
      {"hu", "hungarian"}, {"hy", "armenian"},  {"id", "indonesian"}, {"it", "italian"},   {"lt", "lithuanian"}, {"ne", "nepali"},
      {"nl", "dutch"},     {"no", "norwegian"}, {"nb", "norwegian"},  {"nn", "norwegian"}, {"pt", "portuguese"}, {"ro", "romanian"},
      {"ru", "russian"},   {"sr", "serbian"},   {"sv", "swedish"},    {"ta", "tamil"},     {"tr", "turkish"},    {"yi", "yiddish"}};
  const auto found = kNames.find(primary);
  return found == kNames.end() ? nullptr : found->second;
}

struct StemmerDeleter {
  void operator()(sb_stemmer* stemmer) const { sb_stemmer_delete(stemmer); }
};

sb_stemmer* stemmer_of(std::string_view primary) {
  thread_local std::map<std::string, std::unique_ptr<sb_stemmer, StemmerDeleter>, std::less<>> stemmers;
  const auto found = stemmers.find(primary);
  if (found != stemmers.end()) return found->second.get();
  const char* name = stemmer_name(primary);
  if (name == nullptr) return nullptr;
  return stemmers.emplace(std::string(primary), sb_stemmer_new(name, "UTF_8")).first->second.get();
}

std::string_view primary_of(std::string_view language) { return language.substr(0, language.find_first_of("-_")); }

}  // namespace

std::vector<Token> tokenise(std::string_view text, std::size_t tokens_max) { return Tokeniser(text, tokens_max).run(); }

std::string fold(std::string_view text) {
  std::string out;
  for (const Token& token : tokenise(text)) {
    if (!out.empty()) out += ' ';
    out += token.term;
  }
  return out;
}

std::string stem(std::string_view term, std::string_view language) {
  sb_stemmer* stemmer = stemmer_of(primary_of(language));
  if (stemmer == nullptr) return std::string(term);
  const sb_symbol* stemmed = sb_stemmer_stem(stemmer, reinterpret_cast<const sb_symbol*>(term.data()), static_cast<int>(term.size()));
  if (stemmed == nullptr) return std::string(term);
  return std::string(reinterpret_cast<const char*>(stemmed), static_cast<std::size_t>(sb_stemmer_length(stemmer)));
}

bool is_stop_word(std::string_view term, std::string_view language) {
  using Words = std::unordered_set<std::string_view>;
  // One set a list, made when its language is first asked for.
  thread_local std::unordered_map<const char*, Words> sets;
  std::string_view words = stop_words(primary_of(language));
  if (words.empty()) return false;
  const auto [known, is_new] = sets.try_emplace(words.data());
  while (is_new && !words.empty()) {
    const std::size_t end = std::min(words.find(' '), words.size());
    known->second.insert(words.substr(0, end));
    words.remove_prefix(std::min(end + 1, words.size()));
  }
  return known->second.contains(term);
}

}  // namespace magpie
