// Any bytes are a tdmrep.json: the first line is the path to judge, the rest the file.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "crawl/tdm_rules.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::size_t line = bytes.find('\n');
  const auto rules = magpie::crawl::TdmRules::parse(line == bytes.npos ? bytes : bytes.substr(line + 1));
  const auto url = magpie::Url::parse("https://a.test/" + std::string(bytes.substr(0, line)));
  if (!url) return 0;
  MAGPIE_CHECK(!rules.reserve(*url) || rules.rule_count() > 0, "only a rule can reserve");
  return 0;
}
