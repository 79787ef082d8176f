#include "crawl/settings.h"

namespace magpie::crawl {

Result<std::string> user_agent(const CrawlSettings& settings) {
  const std::string& name = settings.agent();
  if (name.empty()) return fail(Code::kBadInput, "a crawl needs a name that sites can know it by; give --agent NAME or set crawl.agent");
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
  if (name.find_first_not_of(kAllowed) != std::string::npos) {
    return fail(Code::kBadInput, "crawl.agent '{}' must be one word of letters, digits, '-', '_' and '.'", name);
  }
  const std::string& contact = settings.contact();
  if (contact.find_first_of("\r\n()") != std::string::npos)
    return fail(Code::kBadInput, "crawl.contact must be one line without parentheses");
  return contact.empty() ? fmt::format("{}/0.1", name) : fmt::format("{}/0.1 (+{})", name, contact);
}

}  // namespace magpie::crawl
