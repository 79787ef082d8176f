#include "extract/srcset.h"

#include <charconv>
#include <optional>

namespace magpie {
namespace {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\r'; }

std::optional<double> number(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !(value >= 0)) return std::nullopt;
  return value;
}

// False when the descriptors make the candidate an error.
bool apply(const std::vector<std::string_view>& descriptors, SrcsetCandidate& candidate) {
  bool has_width = false, has_density = false, has_height = false;
  for (const std::string_view descriptor : descriptors) {
    const std::optional<double> value = number(descriptor.substr(0, descriptor.size() - 1));
    if (!value) return false;
    switch (descriptor.back()) {
      case 'w':
        if (has_width || has_density || *value == 0) return false;
        candidate.width = *value;
        has_width = true;
        break;
      case 'x':
        if (has_width || has_density || has_height) return false;
        candidate.density = *value;
        has_density = true;
        break;
      case 'h':
        if (has_height || has_density || *value == 0) return false;
        has_height = true;
        break;
      default: return false;
    }
  }
  if (has_height && !has_width) return false;
  if (!has_width && !has_density) candidate.density = 1;
  return true;
}

class SrcsetReader {
 public:
  SrcsetReader(std::string_view text, std::size_t count_max) : text_(text), count_max_(count_max) {}

  std::vector<SrcsetCandidate> read() {
    while (found_.size() < count_max_) {
      while (at_ < text_.size() && (is_space(text_[at_]) || text_[at_] == ',')) ++at_;
      if (at_ >= text_.size()) break;
      const std::size_t begin = at_;
      while (at_ < text_.size() && !is_space(text_[at_])) ++at_;
      std::string_view url = text_.substr(begin, at_ - begin);
      descriptors_.clear();
      if (url.ends_with(',')) {
        while (url.ends_with(',')) url.remove_suffix(1);
      } else {
        read_descriptors();
      }
      SrcsetCandidate candidate{.url = url};
      if (!url.empty() && apply(descriptors_, candidate)) found_.push_back(candidate);
    }
    return std::move(found_);
  }

 private:
  // Up to the next comma that is not inside parentheses.
  void read_descriptors() {
    std::size_t begin = std::string_view::npos;
    bool in_parens = false;
    for (; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      const bool splits = !in_parens && (is_space(c) || c == ',');
      if (splits && begin != std::string_view::npos) {
        descriptors_.push_back(text_.substr(begin, at_ - begin));
        begin = std::string_view::npos;
      }
      if (!in_parens && c == ',') {
        ++at_;
        return;
      }
      if (!splits && begin == std::string_view::npos) begin = at_;
      if (c == '(') in_parens = true;
      if (c == ')') in_parens = false;
    }
    if (begin != std::string_view::npos) descriptors_.push_back(text_.substr(begin));
  }

  std::string_view text_;
  std::size_t count_max_;
  std::size_t at_ = 0;
  std::vector<std::string_view> descriptors_;  // of the candidate at hand
  std::vector<SrcsetCandidate> found_;
};

}  // namespace

std::vector<SrcsetCandidate> parse_srcset(std::string_view text, std::size_t count_max) { return SrcsetReader(text, count_max).read(); }

}  // namespace magpie
