#include "collect/item.h"

#include "base/utf8.h"

namespace magpie::collect {

std::string one_line(std::string_view text) {
  constexpr std::string_view kSpace(" \t\r\n\f\v\0", 7);
  const std::string valid = to_valid_utf8(text);
  std::string line;
  for (std::string_view rest = valid; line.size() < kItemTextBytesMax;) {
    const std::size_t begin = rest.find_first_not_of(kSpace);
    if (begin == std::string_view::npos) break;
    rest.remove_prefix(begin);
    const std::string_view word = rest.substr(0, rest.find_first_of(kSpace));
    if (!line.empty()) line += ' ';
    line += word;
    rest.remove_prefix(word.size());
  }
  line.resize(utf8_prefix(line, kItemTextBytesMax).size());
  return line;
}

}  // namespace magpie::collect
