// A Content-Type header, a line break, and the body of a form. The field found must lie inside the body.
#include <cstdint>
#include <functional>
#include <string_view>

#include "base/check.h"
#include "serve/multipart.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t split = input.find('\n');
  if (split == std::string_view::npos) return 0;
  const std::string_view body = input.substr(split + 1);
  const auto field = magpie::multipart_field(input.substr(0, split), body, "picture");
  if (!field) return 0;
  const std::less_equal<> before;
  MAGPIE_CHECK(before(body.data(), field->data()) && before(field->data() + field->size(), body.data() + body.size()),
               "the field lies outside the body");
  return 0;
}
