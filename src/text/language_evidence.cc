#include "text/language_evidence.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <unordered_map>

#include "base/ascii.h"
#include "text/stop_words.h"

namespace magpie {
namespace {

constexpr std::array<std::string_view, 24> kLanguages = {"en", "de", "fr", "es", "it", "pt", "nl", "sv", "da", "no", "fi", "pl",
                                                         "cs", "ro", "hu", "tr", "id", "ru", "uk", "el", "ar", "fa", "he", "hi"};

constexpr std::size_t kStopWordBytesMax = 16;

/// Each stop word and the languages that have it, one bit each in kLanguages' order.
using StopWordMasks = std::unordered_map<std::string_view, std::uint32_t>;

StopWordMasks make_stop_word_masks() {
  StopWordMasks masks;
  for (std::size_t i = 0; i < kLanguages.size(); ++i) {
    std::string_view words = stop_words(kLanguages[i]);
    while (!words.empty()) {
      const std::size_t end = std::min(words.find(' '), words.size());
      if (end > 0 && end <= kStopWordBytesMax) masks[words.substr(0, end)] |= std::uint32_t{1} << i;
      words.remove_prefix(std::min(end + 1, words.size()));
    }
  }
  return masks;
}

/// How many of a text's words are each language's commonest.
struct StopWordCounts {
  std::size_t words = 0;
  std::array<std::size_t, kLanguages.size()> hits{};
};

bool is_word_byte(unsigned char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c >= 0x80; }

// Words as they stand, in lower case where that is ASCII: a word with an accent is missed, which costs evidence and nothing else.
StopWordCounts count_stop_words(std::string_view text) {
  static const StopWordMasks kMasks = make_stop_word_masks();
  StopWordCounts counts;
  std::array<char, kStopWordBytesMax> word;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t size = 0;
    for (; at < text.size() && is_word_byte(static_cast<unsigned char>(text[at])); ++at, ++size) {
      const char c = text[at];
      if (size < word.size()) word[size] = ascii_lower(c);
    }
    if (size == 0) {
      ++at;
      continue;
    }
    ++counts.words;
    if (size > word.size()) continue;
    const auto found = kMasks.find(std::string_view(word.data(), size));
    if (found == kMasks.end()) continue;
    for (std::uint32_t mask = found->second; mask != 0; mask &= mask - 1) ++counts.hits[static_cast<std::size_t>(__builtin_ctz(mask))];
  }
  return counts;
}

std::size_t place_of(std::string_view primary) {
  if (primary == "nb" || primary == "nn") primary = "no";
  return static_cast<std::size_t>(std::find(kLanguages.begin(), kLanguages.end(), primary) - kLanguages.begin());
}

std::size_t most_of_others(const StopWordCounts& counts, std::size_t place) {
  std::size_t most = 0;
  for (std::size_t i = 0; i < counts.hits.size(); ++i) {
    if (i != place) most = std::max(most, counts.hits[i]);
  }
  return most;
}

// Scripts by the first byte or two of their UTF-8, as CLD2 takes them together.
enum Script : std::uint8_t { kLatin, kGreek, kCyrillic, kHebrew, kArabic, kIndic, kThai, kCjk, kOther, kScripts };

struct ScriptBytes {
  std::size_t letters = 0;
  std::array<std::size_t, kScripts> of{};
  std::size_t kana = 0, hangul = 0;  // of kCjk
};

Script script_of(std::uint32_t c) {
  if (c < 0x250) return kLatin;
  if (c >= 0x370 && c < 0x400) return kGreek;
  if (c >= 0x400 && c < 0x530) return kCyrillic;
  if (c >= 0x590 && c < 0x600) return kHebrew;
  if (c >= 0x600 && c < 0x780) return kArabic;
  if (c >= 0x900 && c < 0xE00) return kIndic;
  if (c >= 0xE00 && c < 0xE80) return kThai;
  if (c >= 0x1E00 && c < 0x1F00) return kLatin;
  if (c >= 0x1F00 && c < 0x2000) return kGreek;
  if ((c >= 0x1100 && c < 0x1200) || (c >= 0x2E80 && c < 0x3000) || (c >= 0x3040 && c < 0xA000) || (c >= 0xAC00 && c < 0xD7B0) ||
      (c >= 0xF900 && c < 0xFB00)) {
    return kCjk;
  }
  return kOther;
}

ScriptBytes count_scripts(std::string_view text) {
  ScriptBytes bytes;
  for (std::size_t at = 0; at < text.size();) {
    const auto first = static_cast<unsigned char>(text[at]);
    if (first < 0x80) {
      bytes.of[kLatin] += (first | 0x20) >= 'a' && (first | 0x20) <= 'z';
      ++at;
      continue;
    }
    const std::size_t size = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    if (at + size > text.size()) break;
    const auto low = [&](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(text[at + i]) & 0x3F); };
    std::uint32_t c = 0x10000;
    if (size == 2) c = (static_cast<std::uint32_t>(first & 0x1F) << 6) | low(1);
    if (size == 3) c = (static_cast<std::uint32_t>(first & 0x0F) << 12) | (low(1) << 6) | low(2);
    at += size;
    const bool is_sign = (c >= 0x80 && c < 0xC0) || (c >= 0x2000 && c < 0x2C00) || (c >= 0x3000 && c < 0x3040) || c >= 0x10000;
    if (is_sign) continue;
    const Script script = script_of(c);
    bytes.of[script] += size;
    if (c >= 0x3040 && c < 0x3100) bytes.kana += size;
    if (c >= 0xAC00 && c < 0xD7B0) bytes.hangul += size;
  }
  for (const std::size_t count : bytes.of) bytes.letters += count;
  return bytes;
}

bool own_script_says(const ScriptBytes& bytes, std::string_view primary) {
  const std::size_t half = bytes.letters / 2;
  if (primary == "th") return bytes.of[kThai] > half;
  if (primary == "el") return bytes.of[kGreek] > half;
  if (primary == "ko") return bytes.hangul > half;
  if (primary == "ja") return bytes.of[kCjk] > half && bytes.kana > bytes.of[kCjk] / 5;
  if (primary == "zh") return bytes.of[kCjk] > half && bytes.kana + bytes.hangul < bytes.of[kCjk] / 50;
  return false;
}

}  // namespace

bool speaks_language(std::string_view text, std::string_view primary) {
  const ScriptBytes bytes = count_scripts(text);
  const std::size_t most = *std::max_element(bytes.of.begin(), bytes.of.end());
  if (most * 10 < bytes.letters * 7) return true;  // no script, so no language, has four fifths
  if (own_script_says(bytes, primary)) return true;
  const std::size_t place = place_of(primary);
  if (place == kLanguages.size()) return false;
  const StopWordCounts counts = count_stop_words(text);
  const std::size_t hits = counts.hits[place];
  // Spanish and Portuguese, or Danish and Norwegian, share so many that the ratio leaves them to CLD2.
  return hits >= 12 && hits * 20 >= counts.words * 3 && hits * 2 >= most_of_others(counts, place) * 3;
}

std::string_view plain_language(std::string_view text) {
  constexpr std::size_t kWithoutRelatives = 3;
  const StopWordCounts counts = count_stop_words(text);
  for (std::size_t place = 0; place < kWithoutRelatives; ++place) {
    const std::size_t hits = counts.hits[place];
    if (hits >= 20 && hits * 4 >= counts.words && hits >= most_of_others(counts, place) * 2) return kLanguages[place];
  }
  return {};
}

}  // namespace magpie
