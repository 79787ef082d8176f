#include "text/word_finder.h"

#include <utf8proc.h>

#include <string>

#include "base/ascii.h"
#include "base/check.h"
#include "base/utf8.h"

namespace magpie {
namespace {

bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_alphanumeric(char c) { return is_upper(c) || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

// With its first `count` characters as capitals.
std::string capitalised(std::string_view text, std::size_t count) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const char32_t code_point = next_code_point(text, at);
    append_utf8(out, count > 0 ? static_cast<char32_t>(utf8proc_toupper(static_cast<utf8proc_int32_t>(code_point))) : code_point);
    if (count > 0) --count;
  }
  return out;
}

bool is_ascii(std::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) >= 0x80) return false;
  }
  return true;
}

}  // namespace

WordFinder::WordFinder(std::span<const Word> words) : words_(words) {
  // ASCII letters meet by the class of their byte; words with others stand in three forms: as is, with a capital, all in capitals.
  std::vector<std::pair<std::string, std::uint32_t>> forms;
  for (std::uint32_t word = 0; word < words.size(); ++word) {
    const std::string_view text = words[word].text;
    forms.emplace_back(text, word);
    if (is_ascii(text)) continue;
    for (const std::size_t count : {std::size_t{1}, text.size()}) {
      std::string form = capitalised(text, count);
      // A capital of another length would make the begin wrong.
      if (form.size() == text.size() && form != forms.back().first) forms.emplace_back(std::move(form), word);
    }
  }
  for (const auto& [form, word] : forms) {
    for (const char c : form) {
      std::uint8_t& number = class_of_[static_cast<unsigned char>(ascii_lower(c))];
      if (number == 0) number = static_cast<std::uint8_t>(width_++);
    }
  }
  for (int c = 'A'; c <= 'Z'; ++c) class_of_[static_cast<std::size_t>(c)] = class_of_[static_cast<std::size_t>(c + 32)];
  next_.assign(width_, 0);
  first_end_.assign(1, 0);
  ends_.assign(1, End{});
  for (const auto& [form, word] : forms) add(form, word);
  link();
}

void WordFinder::add(std::string_view text, std::uint32_t word) {
  std::uint32_t state = 0;
  for (const char c : text) {
    const std::size_t at = state * width_ + class_of_[static_cast<unsigned char>(c)];
    if (next_[at] == 0) {
      MAGPIE_CHECK(first_end_.size() < kStateBits, "a list of words that has too many states");
      next_[at] = static_cast<std::uint16_t>(first_end_.size());
      first_end_.push_back(0);
      next_.resize(next_.size() + width_, 0);
    }
    state = next_[at];
  }
  ends_.push_back({word, first_end_[state]});
  first_end_[state] = static_cast<std::uint32_t>(ends_.size() - 1);
}

// Breadth first: each state's missing steps are those of the longest proper suffix that is a state, and it ends what that ends.
void WordFinder::link() {
  std::vector<std::uint32_t> suffix(first_end_.size(), 0), queue;
  for (std::size_t c = 0; c < width_; ++c) {
    if (next_[c] != 0) queue.push_back(next_[c]);
  }
  for (std::size_t i = 0; i < queue.size(); ++i) {
    const std::uint32_t state = queue[i];
    const std::uint32_t shorter = suffix[state];
    if (first_end_[state] == 0) {
      first_end_[state] = first_end_[shorter];
    } else {
      std::uint32_t last = first_end_[state];
      while (ends_[last].next != 0) last = ends_[last].next;
      ends_[last].next = first_end_[shorter];
    }
    for (std::size_t c = 0; c < width_; ++c) {
      std::uint16_t& step = next_[state * width_ + c];
      if (step == 0) {
        step = next_[shorter * width_ + c];
      } else {
        suffix[step] = next_[shorter * width_ + c];
        queue.push_back(step);
      }
    }
  }
  for (std::uint16_t& step : next_) {
    if (first_end_[step] != 0) step |= kEndsWord;
  }
}

bool WordFinder::stands_alone(std::string_view text, std::size_t begin, std::size_t end) {
  const auto joined = [&](std::size_t left) {
    const char before = text[left], behind = text[left + 1];
    return is_alphanumeric(before) && is_alphanumeric(behind) && !(is_upper(behind) && !is_upper(before));
  };
  return (begin == 0 || !joined(begin - 1)) && (end == text.size() || !joined(end - 1));
}

}  // namespace magpie
