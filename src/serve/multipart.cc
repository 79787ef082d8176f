#include "serve/multipart.h"

#include <algorithm>
#include <string>

#include "net/http_headers.h"

namespace magpie {
namespace {

constexpr std::size_t kPartsMax = 100;
constexpr std::size_t kPartHeaderBytesMax = 8 * 1024;

/// The value of `name=` in a header like `form-data; name="picture"; filename="a;b.png"`; without quotes. Empty when absent.
std::string parameter(std::string_view header, std::string_view name) {
  std::size_t at = std::min(header.find(';'), header.size());
  while (at < header.size()) {
    at = std::min(header.find_first_not_of("; \t", at), header.size());
    const std::size_t equals = header.find('=', at);
    if (equals == std::string_view::npos) return "";
    const std::string_view key = header.substr(at, equals - at);
    std::string value;
    at = equals + 1;
    if (at < header.size() && header[at] == '"') {
      for (++at; at < header.size() && header[at] != '"'; ++at) {
        if (header[at] == '\\' && at + 1 < header.size()) ++at;
        value += header[at];
      }
      at = std::min(header.find(';', at), header.size());
    } else {
      const std::size_t end = std::min(header.find_first_of("; \t", at), header.size());
      value = header.substr(at, end - at);
      at = end;
    }
    if (same_header_name(key, name)) return value;
  }
  return "";
}

/// Whether the part's header lines name this field.
bool is_field(std::string_view lines, std::string_view field) {
  const HttpHeaders headers = parse_header_block(std::string("part\r\n").append(lines));
  const auto disposition = find_header(headers, "content-disposition");
  return disposition && parameter(*disposition, "name") == field;
}

}  // namespace

Result<std::string_view> multipart_field(std::string_view content_type, std::string_view body, std::string_view field) {
  const std::string boundary = parameter(content_type, "boundary");
  if (boundary.empty() || boundary.size() > 70) return fail(Code::kBadInput, "the form's Content-Type has no usable boundary");
  const std::string delimiter = "\r\n--" + boundary;
  // The first delimiter may stand at the very beginning, without a line break before it.
  std::size_t at = body.starts_with(std::string_view(delimiter).substr(2)) ? delimiter.size() - 2 : body.find(delimiter);
  if (at == std::string_view::npos) return fail(Code::kBadInput, "the form does not contain its boundary");
  if (!body.starts_with(std::string_view(delimiter).substr(2))) at += delimiter.size();
  for (std::size_t parts = 0; parts < kPartsMax; ++parts) {
    if (body.substr(at).starts_with("--")) return fail(Code::kNotFound, "the form has no field '{}'", field);
    const std::size_t line_end = body.find("\r\n", at);
    if (line_end == std::string_view::npos) break;
    const std::size_t headers_end = body.substr(line_end, kPartHeaderBytesMax).find("\r\n\r\n");
    if (headers_end == std::string_view::npos) break;
    const std::size_t begin = line_end + headers_end + 4;
    const std::size_t end = body.find(delimiter, begin - 2);  // an empty part ends where it begins
    if (end == std::string_view::npos) break;
    if (is_field(body.substr(line_end + 2, headers_end > 2 ? headers_end - 2 : 0), field))
      return body.substr(begin, end < begin ? 0 : end - begin);
    at = end + delimiter.size();
  }
  return fail(Code::kBadInput, "the form is malformed or has too many parts");
}

}  // namespace magpie
