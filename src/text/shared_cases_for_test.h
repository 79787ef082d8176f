#pragma once
// For tests: the shared cases, one JSON object a line, found by $MAGPIE_SHARED or beside the source tree.
#include <simdjson.h>

#include <cstdlib>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>

namespace magpie::testing {

inline std::string shared_folder() {
  const char* given = std::getenv("MAGPIE_SHARED");
  return given != nullptr ? given : MAGPIE_SOURCE_DIR "/../shared";
}

/// Calls use(root) for each case of shared/cases/<name>/cases.jsonl; false when the file is missing.
template <class Use>
bool each_case(std::string_view name, Use&& use) {
  std::ifstream file(shared_folder() + "/cases/" + std::string(name) + "/cases.jsonl");
  if (!file) return false;
  simdjson::dom::parser parser;
  for (std::string line; std::getline(file, line);) {
    simdjson::dom::element root;
    if (parser.parse(line).get(root) == simdjson::SUCCESS) use(root);
  }
  return true;
}

inline std::optional<std::string> text_at(const simdjson::dom::element& value, std::string_view key) {
  std::string_view text;
  if (value[key].get(text) != simdjson::SUCCESS) return std::nullopt;
  return std::string(text);
}

}  // namespace magpie::testing
