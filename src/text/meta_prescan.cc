#include "text/meta_prescan.h"

#include <array>
#include <optional>
#include <vector>

#include "base/ascii.h"
#include "text/charset.h"

namespace magpie {
namespace {

bool is_space(char c) { return c == '\t' || c == '\n' || c == '\f' || c == '\r' || c == ' '; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

bool starts_with_ignoring_case(std::string_view text, std::string_view prefix) {
  if (text.size() < prefix.size()) return false;
  for (std::size_t i = 0; i < prefix.size(); ++i) {
    if (ascii_lower(text[i]) != prefix[i]) return false;
  }
  return true;
}

// Whether "charset" stands anywhere, in any letter case (Boyer-Moore-Horspool: about one look for seven bytes).
bool mentions_charset(std::string_view bytes) {
  static constexpr std::string_view kWord = "charset";
  static constexpr std::array<std::uint8_t, 256> kSteps = [] {
    std::array<std::uint8_t, 256> steps{};
    steps.fill(kWord.size());
    for (std::size_t i = 0; i + 1 < kWord.size(); ++i) {
      const auto step = static_cast<std::uint8_t>(kWord.size() - 1 - i);
      steps[static_cast<unsigned char>(kWord[i])] = steps[static_cast<unsigned char>(kWord[i] - 32)] = step;
    }
    return steps;
  }();
  for (std::size_t at = 0; at + kWord.size() <= bytes.size();) {
    if (starts_with_ignoring_case(bytes.substr(at), kWord)) return true;
    at += kSteps[static_cast<unsigned char>(bytes[at + kWord.size() - 1])];
  }
  return false;
}

struct Attribute {
  std::string name, value;
};

// The position is the standard's pointer. Each function leaves it where the standard's step does.
class Prescan {
 public:
  Prescan(std::string_view bytes, bool skip_raw_text) : bytes_(bytes), skip_raw_text_(skip_raw_text) {}

  std::string run() {
    while (at_ < bytes_.size()) {
      at_ = bytes_.find('<', at_);
      if (at_ == std::string_view::npos) break;
      if (std::string charset = step(); !charset.empty()) return charset;
    }
    return {};
  }

 private:
  std::string step() {
    const std::string_view rest = bytes_.substr(at_);
    if (rest.starts_with("<!--")) {
      skip_to("-->", at_ + 2);
      return {};
    }
    if (starts_with_ignoring_case(rest, "<meta") && rest.size() > 5 && (is_space(rest[5]) || rest[5] == '/')) {
      at_ += 5;
      return meta();
    }
    if (rest.size() > 1 && (is_letter(rest[1]) || (rest[1] == '/' && rest.size() > 2 && is_letter(rest[2])))) {
      tag();
      return {};
    }
    if (rest.size() > 1 && (rest[1] == '!' || rest[1] == '/' || rest[1] == '?')) {
      skip_to(">", at_);
      return {};
    }
    ++at_;
    return {};
  }

  void skip_to(std::string_view mark, std::size_t from) {
    const std::size_t found = bytes_.find(mark, from);
    at_ = found == std::string_view::npos ? bytes_.size() : found + mark.size();
  }

  void tag() {
    const std::size_t begin = at_ + 1;
    while (at_ < bytes_.size() && !is_space(bytes_[at_]) && bytes_[at_] != '>') ++at_;
    const std::string name = ascii_lowered(bytes_.substr(begin, at_ - begin));
    while (attribute()) {}
    if (at_ < bytes_.size() && bytes_[at_] == '>') ++at_;
    const bool is_raw = name == "script" || name == "style" || name == "title" || name == "textarea";
    if (skip_raw_text_ && is_raw) skip_raw_text_of(name);
  }

  void skip_raw_text_of(const std::string& name) {
    const std::string end = "</" + name;
    while (at_ < bytes_.size()) {
      at_ = bytes_.find("</", at_);
      if (at_ == std::string_view::npos) at_ = bytes_.size();
      if (starts_with_ignoring_case(bytes_.substr(at_), end)) return;
      at_ += 2;
    }
  }

  std::string meta() {
    bool got_pragma = false;
    std::optional<bool> need_pragma;
    std::optional<std::string> charset;
    std::vector<std::string> seen;
    while (std::optional<Attribute> found = attribute()) {
      bool again = false;
      for (const std::string& name : seen) again = again || name == found->name;
      if (again) continue;
      if (seen.size() < 64) seen.push_back(found->name);
      if (found->name == "http-equiv") {
        got_pragma = got_pragma || found->value == "content-type";
      } else if (found->name == "content" && !charset) {
        if (std::string name = charset_from_label(charset_parameter(found->value)); !name.empty()) {
          charset = std::move(name);
          need_pragma = true;
        }
      } else if (found->name == "charset") {
        charset = charset_from_label(found->value);
        need_pragma = false;
      }
    }
    if (!need_pragma || (*need_pragma && !got_pragma) || !charset) return {};
    if (*charset == "utf-16be" || *charset == "utf-16le") return "utf-8";
    if (*charset == "x-user-defined") return "windows-1252";
    return *charset;
  }

  // "Get an attribute". At the end of the bytes the whole scan is over, so a half-read attribute counts for nothing.
  std::optional<Attribute> attribute() {
    while (at_ < bytes_.size() && (is_space(bytes_[at_]) || bytes_[at_] == '/')) ++at_;
    if (at_ >= bytes_.size() || bytes_[at_] == '>') return std::nullopt;
    Attribute out;
    while (at_ < bytes_.size() && !(bytes_[at_] == '=' && !out.name.empty()) && !is_space(bytes_[at_]) && bytes_[at_] != '/' &&
           bytes_[at_] != '>') {
      out.name += ascii_lower(bytes_[at_++]);
    }
    while (at_ < bytes_.size() && is_space(bytes_[at_])) ++at_;
    if (at_ >= bytes_.size()) return cut_off();
    if (bytes_[at_] != '=') return out;
    ++at_;
    while (at_ < bytes_.size() && is_space(bytes_[at_])) ++at_;
    if (at_ >= bytes_.size()) return cut_off();
    const char quote = bytes_[at_];
    if (quote == '"' || quote == '\'') {
      const std::size_t end = bytes_.find(quote, at_ + 1);
      if (end == std::string_view::npos) return cut_off();
      out.value = ascii_lowered(bytes_.substr(at_ + 1, end - at_ - 1));
      at_ = end + 1;
      return out;
    }
    const std::size_t begin = at_;
    while (at_ < bytes_.size() && !is_space(bytes_[at_]) && bytes_[at_] != '>') ++at_;
    if (at_ >= bytes_.size()) return cut_off();
    out.value = ascii_lowered(bytes_.substr(begin, at_ - begin));
    return out;
  }

  std::optional<Attribute> cut_off() {
    at_ = bytes_.size();
    cut_off_ = true;
    return std::nullopt;
  }

  std::string_view bytes_;
  std::size_t at_ = 0;
  bool skip_raw_text_;

 public:
  bool cut_off_ = false;
};

}  // namespace

std::string prescan_for_charset(std::string_view bytes, bool skip_raw_text) {
  // No <meta> can name a charset without the word; the scan proper takes thirty times as long.
  if (!mentions_charset(bytes)) return {};
  Prescan prescan(bytes, skip_raw_text);
  std::string charset = prescan.run();
  // A <meta> that the scanned bytes cut in two names nothing.
  return prescan.cut_off_ ? std::string() : charset;
}

std::string_view charset_parameter(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    if (!starts_with_ignoring_case(text.substr(at), "charset")) {
      ++at;
      continue;
    }
    at += 7;
    while (at < text.size() && is_space(text[at])) ++at;
    if (at >= text.size() || text[at] != '=') continue;
    ++at;
    while (at < text.size() && is_space(text[at])) ++at;
    if (at >= text.size()) return {};
    if (text[at] == '"' || text[at] == '\'') {
      const std::size_t end = text.find(text[at], at + 1);
      return end == std::string_view::npos ? std::string_view() : text.substr(at + 1, end - at - 1);
    }
    std::size_t end = at;
    while (end < text.size() && !is_space(text[end]) && text[end] != ';') ++end;
    return text.substr(at, end - at);
  }
  return {};
}

}  // namespace magpie
