// JSON as found in pages: whatever is read is written as JSON that parses, and reads back the same.
#include <simdjson.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/utf8.h"
#include "extract/json_value.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text = magpie::to_valid_utf8({reinterpret_cast<const char*>(data), size});
  simdjson::dom::parser parser;
  for (const magpie::JsonValue& value : magpie::parse_json_texts(text)) {
    const std::string json = magpie::to_json(value);
    // Numbers beyond 64 bits are JSON, but not for simdjson.
    const simdjson::error_code error = parser.parse(json).error();
    MAGPIE_CHECK(error == simdjson::SUCCESS || error == simdjson::NUMBER_ERROR, "not JSON: {}", json);
    const auto again = magpie::parse_json_texts(json);
    MAGPIE_CHECK(again.size() == 1 && magpie::to_json(again.front()) == json, "reads back otherwise: {}", json);
  }
  return 0;
}
