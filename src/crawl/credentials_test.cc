// Passwords and cookies that a user gave: where they go, and above all where they do not.
#include "crawl/credentials.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "base/files.h"
#include "crawl/request_builder.h"

namespace magpie::crawl {
namespace {

using namespace std::chrono_literals;

Url url(std::string_view text) { return *Url::parse(text); }
constexpr Timestamp kNow{1'700'000'000'000ms};
constexpr std::string_view kLogins = R"([{"origin": "https://shop.test", "user": "me", "password": "s3cret:x"}])";

TEST(Logins, GoToTheirVeryOriginOnly) {
  const auto logins = Logins::parse(kLogins);
  ASSERT_TRUE(logins) << logins.error().message;
  EXPECT_EQ(logins->authorization_for(url("https://shop.test/a?b")), "Basic bWU6czNjcmV0Ong=");
  for (const char* other :
       {"http://shop.test/", "https://shop.test:8443/", "https://www.shop.test/", "https://shop.test.evil.test/", "https://evil.test/"})
    EXPECT_EQ(logins->authorization_for(url(other)), "") << other;
}

TEST(Logins, MayComeFromTheEnvironment) {
  setenv("MAGPIE_TEST_PASSWORD", "pw", 1);
  const auto logins = Logins::parse(R"([{"origin": "https://a.test:8080", "user": "u", "password_env": "MAGPIE_TEST_PASSWORD"}])");
  unsetenv("MAGPIE_TEST_PASSWORD");
  ASSERT_TRUE(logins) << logins.error().message;
  EXPECT_EQ(logins->authorization_for(url("https://a.test:8080/")), "Basic dTpwdw==");
  EXPECT_EQ(Logins::parse(R"([{"origin": "https://a.test", "user": "u", "password_env": "MAGPIE_TEST_PASSWORD"}])").error().code,
            Code::kNotFound);
}

TEST(Logins, ErrorsNameTheEntryAndNeverItsWords) {
  for (const char* bad :
       {"", "{}", "[1]", R"([{"user": "tell-tale", "password": "tell-tale"}])", R"([{"origin": "https://a.test", "user": "tell-tale"}])",
        R"([{"origin": "https://tell-tale:x@a.test", "user": "u", "password": "tell-tale"}])",
        R"([{"origin": "https://a.test/path", "user": "u", "password": "tell-tale"}])",
        R"([{"origin": "ftp://a.test", "user": "u", "password": "tell-tale"}])",
        R"([{"origin": "http://a.test", "user": "u", "password": "tell-tale"}])",
        R"([{"origin": "http://192.0.2.1", "form": "/login", "user": "u", "password": "tell-tale"}])",
        R"([{"origin": "https://a.test", "form": "https://b.test/tell-tale", "user": "u", "password": "tell-tale"}])",
        R"([{"origin": "https://a.test", "form": 1, "user": "u", "password": "tell-tale"}])",
        R"([{"origin": "https://a.test", "user_field": "tell-tale", "user": "u", "password": "tell-tale"}])",
        R"([{"origin": "https://a.test", "user": "tell:tale", "password": "tell-tale"}])",
        R"([{"origin": "https://a.test", "user": "u", "password": "tell-tale\r\nX: y"}])",
        R"([{"origin": "https://a.test", "user": "u", "password": "tell-tale", "tell-tale": 1}])",
        R"([{"origin": "https://a.test", "user": "u", "password": "a"}, {"origin": "https://a.test/", "user": "u", "password": "b"}])"}) {
    const auto logins = Logins::parse(bad);
    ASSERT_FALSE(logins) << bad;
    EXPECT_EQ(logins.error().message.find("tell"), std::string::npos) << logins.error().message;
  }
}

TEST(Logins, APasswordThatIsNoTextIsSaidToBeNone) {
  for (const char* bad : {R"([{"origin": "https://a.test", "user": "u", "password": 123}])",
                          R"([{"origin": "https://a.test", "user": "u", "password_env": null}])"})
    EXPECT_NE(Logins::parse(bad).error().message.find("is no text"), std::string::npos) << bad;
}

TEST(Logins, PlainHttpIsForThisMachineOrForThoseWhoSaySo) {
  const auto says = [](const std::string& origin, const std::string& more) {
    const auto logins = Logins::parse(fmt::format(R"([{{"origin": "{}", "user": "u", "password": "p"{}}}])", origin, more));
    return logins ? std::string() : logins.error().message;
  };
  for (const char* own : {"https://a.test", "http://127.0.0.1:8080", "http://[::1]", "http://localhost:8080"}) EXPECT_EQ(says(own, ""), "");
  for (const char* open : {"http://a.test", "http://10.0.0.1", "http://localhost.test", "http://127.0.0.1.a.test"}) {
    EXPECT_NE(says(open, "").find("plain_http"), std::string::npos) << open;
    EXPECT_NE(says(open, R"(, "plain_http": false)"), "") << open;
    EXPECT_EQ(says(open, R"(, "plain_http": true)"), "") << open;
  }
}

TEST(Logins, FormsAreOfTheirOrigin) {
  const auto logins = Logins::parse(
      R"([{"origin": "https://a.test", "user": "basic", "password": "1"},
          {"origin": "https://a.test", "form": "/in?x=1#y", "user": "me:too", "password": "2", "user_field": "mail", "password_field": "word"}])");
  ASSERT_TRUE(logins) << logins.error().message;
  ASSERT_EQ(logins->forms().size(), 1u);
  const FormLogin& form = logins->forms().at("https://a.test");
  EXPECT_EQ(form.page.href(), "https://a.test/in?x=1");
  EXPECT_EQ(form.user + " " + form.password + " " + form.user_field + " " + form.password_field, "me:too 2 mail word");
  EXPECT_EQ(logins->authorization_for(url("https://a.test/in")), "Basic YmFzaWM6MQ==") << "one origin may have both";
}

constexpr std::string_view kCookies =
    "# Netscape HTTP Cookie File\n"
    "shop.test\tFALSE\t/\tTRUE\t0\tsid\tabc\r\n"
    "#HttpOnly_.wide.test\tTRUE\t/in\tFALSE\t1800000000\ttoken\tt=1\n"
    ".wide.test\tTRUE\t/\tFALSE\t1600000000\told\tgone\n"
    ".com\tTRUE\t/\tFALSE\t0\tall\tcom\n"
    "broken line\n"
    "a.test\tFALSE\t/\tFALSE\tsoon\tn\tv\n"
    "a.test\tFALSE\t/\tFALSE\t0\tn\tv;w\n";

TEST(CookieFile, CookiesGoWhereTheirLineSays) {
  const auto file = CookieFile::parse(kCookies);
  ASSERT_TRUE(file);
  EXPECT_EQ(file->size(), 4u);
  const auto header = [&](std::string_view text, std::string own = "") { return file->header_for(url(text), std::move(own), kNow); };
  EXPECT_EQ(header("https://shop.test/x"), "sid=abc");
  EXPECT_EQ(header("http://shop.test/x"), "") << "for https only";
  EXPECT_EQ(header("https://www.shop.test/x"), "") << "not for its subdomains";
  EXPECT_EQ(header("http://wide.test/in/a"), "token=t=1");
  EXPECT_EQ(header("http://a.b.wide.test/in"), "token=t=1");
  EXPECT_EQ(header("http://wide.test/inside"), "");
  EXPECT_EQ(header("http://awide.test/in"), "");
  EXPECT_EQ(header("http://a.com/"), "") << "a public suffix is nobody's";
  EXPECT_EQ(header("https://shop.test/x", "sid=newer; b=2"), "sid=newer; b=2") << "what the host has set since counts";
  EXPECT_EQ(header("https://shop.test/x", "b=2"), "b=2; sid=abc");
  EXPECT_EQ(CookieFile::parse("{\"cookies\": []}").error().code, Code::kBadInput);
  EXPECT_EQ(CookieFile::parse("# empty\n")->size(), 0u);
}

class CredentialFiles : public testing::Test {
 protected:
  std::string file(std::string_view name, std::string_view text, mode_t mode = 0600) {
    const std::string path = fmt::format("{}/{}-{}", testing::TempDir(), ::getpid(), name);  // tests run side by side
    std::ofstream(path) << text;
    chmod(path.c_str(), mode);
    return path;
  }
  CrawlSettings settings;
};

TEST_F(CredentialFiles, AreReadWhenNobodyElseCanReadThem) {
  settings.logins.value = file("logins.json", kLogins);
  settings.cookie_file.value = file("cookies.txt", kCookies);
  const auto credentials = load_credentials(settings);
  ASSERT_TRUE(credentials) << credentials.error().message;
  EXPECT_TRUE(credentials->concern(url("https://shop.test/")));
  EXPECT_TRUE(credentials->concern(url("http://x.wide.test/")));
  EXPECT_FALSE(credentials->concern(url("http://other.test/")));
  for (const mode_t mode : {0640, 0604, 0660, 0644}) {
    settings.logins.value = file("open.json", kLogins, mode);
    const auto refused = load_credentials(settings);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::kForbidden);
    EXPECT_NE(refused.error().message.find("chmod 600"), std::string::npos);
  }
  settings.logins.value = file("forms.json", R"([{"origin": "https://a.test", "form": "/in", "user": "u", "password": "p"}])");
  ASSERT_TRUE(load_credentials(settings));
  EXPECT_TRUE(load_credentials(settings)->concern(url("https://a.test/page")));
  EXPECT_TRUE(load_credentials(settings)->concern(url("http://a.test:8080/page"))) << "it may be sent what another port has set";
  EXPECT_FALSE(load_credentials(settings)->concern(url("https://www.a.test/page")));
  settings.cookies.value = false;
  EXPECT_NE(load_credentials(settings).error().message.find("crawl.cookies"), std::string::npos);
  settings.cookies.value = true;
  settings.logins.value = testing::TempDir();
  EXPECT_EQ(load_credentials(settings).error().code, Code::kForbidden);
  settings.logins.value = testing::TempDir() + "/none.json";
  EXPECT_EQ(load_credentials(settings).error().code, Code::kNotFound);
}

TEST_F(CredentialFiles, RequestsCarryThemAndArchivedAnswersNoSession) {
  settings.logins.value = file("logins.json", kLogins);
  settings.cookie_file.value = file("cookies.txt", kCookies);
  RequestBuilder requests(settings, *load_credentials(settings));
  const HttpRequest page = requests.build(url("https://shop.test/a"), UrlKind::kPage, kNow);
  EXPECT_EQ(find_header(page.headers, "Authorization"), "Basic bWU6czNjcmV0Ong=");
  EXPECT_EQ(find_header(page.headers, "Cookie"), "sid=abc");
  const HttpRequest elsewhere = requests.build(url("https://evil.test/a"), UrlKind::kPage, kNow);
  EXPECT_FALSE(find_header(elsewhere.headers, "Authorization"));
  EXPECT_FALSE(find_header(elsewhere.headers, "Cookie"));

  HttpResponse answer{.url = url("https://shop.test/a"), .status = 200};
  answer.header_block = "HTTP/1.1 200 OK\r\nSet-Cookie: sid=new;\r\n folded=1\r\nContent-Type: text/html\r\nset-cookie: b=2\r\n\r\n";
  requests.hide_session(answer);
  EXPECT_EQ(answer.header_block, "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n");
  HttpResponse other_port{.url = url("https://shop.test:8443/a"), .status = 200};
  other_port.header_block = answer.header_block + "Set-Cookie: sid=newer\r\n";
  requests.hide_session(other_port);
  EXPECT_EQ(other_port.header_block, answer.header_block);
  HttpResponse other{.url = url("https://other.test/a"), .status = 200};
  other.header_block = "HTTP/1.1 200 OK\r\nSet-Cookie: sid=new\r\n\r\n";
  requests.hide_session(other);
  EXPECT_EQ(other.header_block, "HTTP/1.1 200 OK\r\nSet-Cookie: sid=new\r\n\r\n");
}

}  // namespace
}  // namespace magpie::crawl
