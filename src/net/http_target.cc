#include "net/http_target.h"

#include <algorithm>

namespace magpie {
namespace {

constexpr std::size_t kParametersMax = 1'000;

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// In a query (application/x-www-form-urlencoded) a plus is a space.
std::string query_decoded(std::string_view text) {
  std::string spaced(text);
  std::replace(spaced.begin(), spaced.end(), '+', ' ');
  return percent_decoded(spaced);
}

}  // namespace

std::string percent_decoded(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '%' && i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
    const int low = high >= 0 ? hex_value(text[i + 2]) : -1;
    if (low < 0) {
      out += text[i];
    } else {
      out += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  return out;
}

Result<HttpTarget> parse_target(std::string_view target) {
  if (!target.starts_with('/')) return fail(Code::kBadInput, "the request target must begin with '/'");
  const std::size_t mark = std::min(target.find('?'), target.size());
  HttpTarget parsed{.path = percent_decoded(target.substr(0, mark)), .query = {}};
  std::string_view rest = target.substr(std::min(mark + 1, target.size()));
  rest = rest.substr(0, rest.find('#'));
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('&'), rest.size());
    const std::string_view one = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (one.empty()) continue;
    if (parsed.query.size() == kParametersMax) return fail(Code::kTooLarge, "the request has over {} parameters", kParametersMax);
    const std::size_t equals = std::min(one.find('='), one.size());
    parsed.query.emplace_back(query_decoded(one.substr(0, equals)), query_decoded(one.substr(std::min(equals + 1, one.size()))));
  }
  if (parsed.path.find('\0') != std::string::npos) return fail(Code::kBadInput, "the path has a NUL in it");
  return parsed;
}

}  // namespace magpie
