#pragma once
// For tests: the outside cases, one JSON object a line, found by MAGPIE_SHARED or beside the source.
#include <gtest/gtest.h>
#include <simdjson.h>

#include <cstdlib>
#include <fstream>
#include <functional>
#include <string>

#include "base/hash.h"

namespace magpie::crawl::cases {

/// Calls `check` for each case of cases/<folder>/cases.jsonl; false when the file is not there.
inline bool for_each_case(const std::string& folder, const std::function<void(const simdjson::dom::element&)>& check) {
  const char* shared = std::getenv("MAGPIE_SHARED");
  std::ifstream file((shared ? std::string(shared) : std::string(MAGPIE_SOURCE_DIR "/../shared")) + "/cases/" + folder + "/cases.jsonl");
  if (!file) return false;
  simdjson::dom::parser parser;
  std::string line;
  while (std::getline(file, line)) {
    simdjson::dom::element root;
    if (parser.parse(line).get(root) != simdjson::SUCCESS) {
      ADD_FAILURE() << "unreadable case: " << line.substr(0, 200);
      continue;
    }
    check(root);
  }
  return true;
}

inline std::string text_of(const simdjson::dom::element& object, std::string_view key) {
  std::string_view text;
  if (object[key].get(text) == simdjson::SUCCESS) return std::string(text);
  if (object[std::string(key) + "_b64"].get(text) == simdjson::SUCCESS) return base64_decode(text).value();
  return {};
}

}  // namespace magpie::crawl::cases
