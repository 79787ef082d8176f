// Any bytes are a robots.txt: the first line is the path to judge, the rest the file.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "crawl/robots.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::size_t line = bytes.find('\n');
  const std::string_view path = bytes.substr(0, line);
  const auto rules = magpie::crawl::RobotsRules::parse(line == bytes.npos ? bytes : bytes.substr(line + 1), "magpie");
  const auto verdict = rules.judge_path(path);
  MAGPIE_CHECK(verdict.line != 0 || verdict.allowed, "only a rule can forbid");
  MAGPIE_CHECK(rules.judge_path("/robots.txt").allowed, "robots.txt itself is always allowed");
  if (const auto delay = rules.crawl_delay()) MAGPIE_CHECK(*delay >= 0, "a delay is never negative");
  return 0;
}
