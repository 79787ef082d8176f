#include "text/language.h"

#include <cld2/public/compact_lang_det.h>
#include <cld2/public/encodings.h>
#include <simdjson.h>

#include <algorithm>
#include <cctype>

#include "base/ascii.h"
#include "base/utf8.h"
#include "text/language_evidence.h"

namespace magpie {
namespace {

constexpr std::size_t kTextBytesMax = 32 * 1024;
// Below this CLD2 guesses from names and numbers.
constexpr std::size_t kTextBytesMin = 40;
// A sample: of a longer text this much, of a shorter one half.
constexpr std::size_t kSlices = 3;
constexpr std::size_t kSliceBytesMin = 120, kSliceBytesMax = 320;
constexpr std::size_t kWordBytesMax = 24;  // so far a slice looks for the end of a word; not all languages have spaces

struct Judgement {
  std::string language;
  bool is_reliable = false;
  int percent = 0;
};

Judgement judge(std::string_view text) {
  text = utf8_prefix(text, kTextBytesMax);
  if (text.size() < kTextBytesMin) return {};
  std::string repaired;
  if (!simdjson::validate_utf8(text.data(), text.size())) text = repaired = to_valid_utf8(text);
  CLD2::Language languages[3];
  int percents[3];
  double scores[3];
  int text_bytes = 0, valid_prefix_bytes = 0;
  bool reliable = false;
  const CLD2::CLDHints hints = {nullptr, nullptr, CLD2::UNKNOWN_ENCODING, CLD2::UNKNOWN_LANGUAGE};
  const CLD2::Language best =
      CLD2::ExtDetectLanguageSummaryCheckUTF8(text.data(), static_cast<int>(text.size()), /*is_plain_text=*/true, &hints, 0, languages,
                                              percents, scores, nullptr, &text_bytes, &reliable, &valid_prefix_bytes);
  if (best == CLD2::UNKNOWN_LANGUAGE) return {};
  std::string code = CLD2::LanguageCode(best);
  if (code == "iw") code = "he";
  if (code == "zh") code = "zh-Hans";
  return {normalise_language_tag(code), reliable, percents[0]};
}

char upper(char c) { return static_cast<char>(std::toupper(static_cast<unsigned char>(c))); }

// Slices from all over a text, to ask CLD2 half of it or less first: a text in one language is so in any of its parts.
std::string sample_of(std::string_view text) {
  std::string sample;
  const std::size_t slice = std::min(text.size() / (2 * kSlices), kSliceBytesMax);
  for (std::size_t i = 0; i < kSlices; ++i) {
    std::size_t begin = i * (text.size() / kSlices);
    while (begin > 0 && begin < text.size() && (static_cast<unsigned char>(text[begin]) & 0xC0) == 0x80) ++begin;  // within a character
    if (const std::size_t space = text.substr(begin, kWordBytesMax).find(' '); i > 0 && space != std::string_view::npos) begin += space;
    sample += utf8_prefix(text.substr(begin), slice);
  }
  return sample;
}
bool is_worth_sampling(std::string_view text) { return text.size() >= 2 * kSlices * kSliceBytesMin; }

std::string undeclared_language(std::string_view text) {
  if (const std::string_view plain = plain_language(text); !plain.empty()) return std::string(plain);
  if (is_worth_sampling(text)) {
    const Judgement found = judge(sample_of(text));
    if (found.is_reliable && found.percent >= 90) return found.language;
  }
  const Judgement found = judge(text);
  return found.is_reliable ? found.language : std::string();
}

// The declared tag, unless nearly all of a longer text is in another language.
std::string confirmed_or_found(std::string_view text, const std::string& tag) {
  constexpr std::size_t kTellingBytes = 400;
  if (text.size() < kTellingBytes || speaks_language(text, primary_language(tag))) return tag;
  const auto contradicts = [&](const Judgement& found, int percent) {
    return found.is_reliable && found.percent >= percent && !same_language(tag, found.language);
  };
  if (is_worth_sampling(text) && !contradicts(judge(sample_of(text)), 60)) return tag;
  Judgement found = judge(text);
  return contradicts(found, 80) ? std::move(found.language) : tag;
}

}  // namespace

bool same_language(std::string_view a, std::string_view b) {
  // ISO 639 names that pages use for what is the same language, and macrolanguages with their members.
  const auto family = [](std::string_view tag) -> std::string {
    const std::string primary = primary_language(tag);
    if (primary == "nb" || primary == "nn") return "no";
    if (primary == "hr" || primary == "bs" || primary == "sh") return "sr";
    if (primary == "ms") return "id";
    return primary == "fil" ? "tl" : primary;
  };
  return family(a) == family(b);
}

std::string detect_language(std::string_view text, std::string_view declared) {
  const std::string tag = normalise_language_tag(declared);
  return tag.empty() ? undeclared_language(text) : confirmed_or_found(text, tag);
}

std::string normalise_language_tag(std::string_view tag) {
  std::string out;
  std::size_t parts = 0;
  while (!tag.empty() && parts < 4) {
    const std::size_t end = tag.find_first_of("-_");
    const std::string_view part = tag.substr(0, end);
    tag = end == std::string_view::npos ? std::string_view() : tag.substr(end + 1);
    const bool size_ok = parts == 0 ? part.size() == 2 || part.size() == 3 : part.size() >= 2 && part.size() <= 8;
    if (!size_ok) return parts == 0 ? std::string() : out;
    std::string cased;
    for (std::size_t i = 0; i < part.size(); ++i) {
      if (!std::isalnum(static_cast<unsigned char>(part[i])) || (parts == 0 && std::isdigit(static_cast<unsigned char>(part[i]))))
        return parts == 0 ? std::string() : out;
      const bool capital = parts > 0 && (part.size() == 2 || (part.size() == 4 && i == 0));
      cased += capital ? upper(part[i]) : ascii_lower(part[i]);
    }
    if (parts > 0) out += '-';
    out += cased;
    ++parts;
  }
  return out;
}

std::string primary_language(std::string_view tag) { return std::string(tag.substr(0, tag.find_first_of("-_"))); }

}  // namespace magpie
