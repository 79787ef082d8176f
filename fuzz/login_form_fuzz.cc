// Any bytes are a login page: what is sent goes to the page's own origin, and nowhere else.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "crawl/login_form.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view html(reinterpret_cast<const char*>(data), size);
  const magpie::crawl::FormLogin login{*magpie::Url::parse("https://a.test/in/login"), "me", "pw", "", ""};
  const auto filled = magpie::crawl::fill_login_form(html, login);
  if (!filled) return 0;
  MAGPIE_CHECK(filled->url.origin() == login.page.origin(), "a password goes to {}", filled->url);
  MAGPIE_CHECK(filled->post && filled->post->find("=pw") != std::string::npos, "no password is sent");
  return 0;
}
