#include "search/typed_words.h"

#include <algorithm>
#include <optional>

#include "base/utf8.h"

namespace magpie {
namespace {

/// As the page has it, which shows what is typed in the same parts (JavaScript's white space).
bool is_space(char32_t c) {
  return c == U' ' || (c >= U'\t' && c <= U'\r') || c == U'\u00A0' || c == U'\u1680' || (c >= U'\u2000' && c <= U'\u200A') ||
         c == U'\u2028' || c == U'\u2029' || c == U'\u202F' || c == U'\u205F' || c == U'\u3000' || c == U'\uFEFF';
}

/// Straight, curved, low and angled ones. Any of them closes what any of them has opened.
bool is_quotation_mark(char32_t c) {
  return c == U'"' || c == U'\u201C' || c == U'\u201D' || c == U'\u201E' || c == U'\u201F' || c == U'\u00AB' || c == U'\u00BB';
}

class TypedWordsParser {
 public:
  explicit TypedWordsParser(std::string_view text) : text_(text) {}

  TypedWords parse() {
    while (pass_spaces()) take_part();
    return std::move(found_);
  }

 private:
  bool pass_spaces() {
    while (at_ < text_.size()) {
      const std::size_t here = at_;
      if (is_space(next_code_point(text_, at_))) continue;
      at_ = here;
      return true;
    }
    return false;
  }

  void take_part() {
    const bool is_excluded = text_[at_] == '-';
    if (const auto phrase = quoted(at_ + (is_excluded ? 1 : 0))) {
      if (has_words(*phrase)) (is_excluded ? found_.without : found_.phrases).emplace_back(*phrase);
      return;
    }
    const std::string_view word = take_word();
    if (!has_words(word)) return;
    if (is_excluded && word[1] != '-') found_.without.emplace_back(word.substr(1));
    else found_.words.append(found_.words.empty() ? "" : " ").append(word);
  }

  /// What stands between the marks, the reader then behind them; nothing unless one opens at `from` and another follows.
  std::optional<std::string_view> quoted(std::size_t from) {
    std::size_t at = from;
    if (at >= text_.size() || !is_quotation_mark(next_code_point(text_, at))) return std::nullopt;
    const std::size_t begin = at;
    while (at < text_.size()) {
      const std::size_t end = at;
      if (!is_quotation_mark(next_code_point(text_, at))) continue;
      at_ = at;
      return text_.substr(begin, end - begin);
    }
    return std::nullopt;
  }

  std::string_view take_word() {
    const std::size_t begin = at_;
    while (at_ < text_.size()) {
      const std::size_t here = at_;
      if (!is_space(next_code_point(text_, at_))) continue;
      at_ = here;
      break;
    }
    return text_.substr(begin, at_ - begin);
  }

  std::string_view text_;
  std::size_t at_ = 0;
  TypedWords found_;
};

}  // namespace

Result<TypedWords> parse_typed_words(std::string_view typed) {
  TypedWords found = TypedWordsParser(typed).parse();
  if (found.phrases.size() > kTypedPhrasesMax)
    return fail(Code::kBadInput, "a search may have {} phrases in quotation marks, not {}", kTypedPhrasesMax, found.phrases.size());
  if (found.without.size() > kTypedPhrasesMax)
    return fail(Code::kBadInput, "a search may leave out {} words or phrases, not {}", kTypedPhrasesMax, found.without.size());
  return found;
}

bool has_words(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x80 || (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
  });
}

}  // namespace magpie
