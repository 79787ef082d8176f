#include "crawl/credentials.h"

#include "crawl/private_file.h"

namespace magpie::crawl {

Result<Credentials> load_credentials(const CrawlSettings& settings) {
  Credentials out;
  const auto named = [](std::string_view setting, const std::string& path, const Error& error) {
    return fail(error.code, "{}: {}: {}", setting, path, error.message);
  };
  if (const std::string& path = settings.logins(); !path.empty()) {
    MAGPIE_TRY(const std::string text, read_private_file(path, "crawl.logins", Logins::kBytesMax));
    auto logins = Logins::parse(text);
    if (!logins) return named("crawl.logins", path, logins.error());
    if (!logins->forms().empty() && !settings.cookies())
      return fail(Code::kBadInput, "crawl.logins: {} has a form, and being let in by one needs crawl.cookies", path);
    out.logins = std::move(*logins);
  }
  if (const std::string& path = settings.cookie_file(); !path.empty()) {
    MAGPIE_TRY(const std::string text, read_private_file(path, "crawl.cookie_file", CookieFile::kBytesMax));
    auto cookies = CookieFile::parse(text);
    if (!cookies) return named("crawl.cookie_file", path, cookies.error());
    out.cookies = std::move(*cookies);
  }
  return out;
}

}  // namespace magpie::crawl
