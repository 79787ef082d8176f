#include "net/url.h"

#include <gtest/gtest.h>
#include <simdjson.h>

#include <cstdlib>
#include <filesystem>

#include "net/domain.h"

namespace magpie {
namespace {

Url url(std::string_view text) {
  auto parsed = Url::parse(text);
  EXPECT_TRUE(parsed) << text;
  return *parsed;
}

std::string shared_cases(const std::string& name) {
  const char* folder = std::getenv("MAGPIE_SHARED");
  return std::string(folder ? folder : MAGPIE_SOURCE_DIR "/../shared") + "/cases/" + name + "/cases.jsonl";
}

std::optional<std::string> text_of(simdjson::dom::element object, std::string_view key) {
  std::string_view text;
  if (object[key].get(text) != simdjson::SUCCESS) return std::nullopt;
  return std::string(text);
}

/// Calls use(id, input, expect) for each line and returns how many there were.
template <class Use>
int for_each_case(const std::string& path, Use&& use) {
  simdjson::dom::parser parser;
  simdjson::dom::document_stream lines;
  simdjson::padded_string bytes = simdjson::padded_string::load(path).value();
  EXPECT_EQ(parser.parse_many(bytes).get(lines), simdjson::SUCCESS);
  int count = 0;
  for (auto line : lines) {
    const simdjson::dom::element one = line.value();
    use(text_of(one, "id").value_or("?"), simdjson::dom::element(one["input"]), simdjson::dom::element(one["expect"]));
    ++count;
  }
  return count;
}

Result<Url> parse_case(simdjson::dom::element input) {
  const auto base_text = text_of(input, "base");
  if (!base_text) return Url::parse(text_of(input, "url").value_or(""));
  MAGPIE_TRY(const Url base, Url::parse(*base_text));
  return Url::parse(text_of(input, "url").value_or(""), base);
}

TEST(Url, AgreesWithTheSharedCases) {
  const std::string path = shared_cases("url");
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no " << path << "; set MAGPIE_SHARED to the folder with the shared cases";
  const int count = for_each_case(path, [](const std::string& id, simdjson::dom::element input, simdjson::dom::element expect) {
    const Result<Url> parsed = parse_case(input);
    const auto href = text_of(expect, "href");
    ASSERT_EQ(parsed.has_value(), href.has_value()) << id;
    if (href) { EXPECT_EQ(parsed->href(), *href) << id; }
    for (const char* key : {"protocol", "username", "password", "host", "hostname", "port", "pathname", "search", "hash"}) {
      const auto wanted = text_of(expect, key);
      if (!wanted) continue;
      const std::map<std::string_view, std::string_view> parts = {
          {"protocol", parsed->protocol()}, {"username", parsed->username()}, {"password", parsed->password()},
          {"host", parsed->host()},         {"hostname", parsed->hostname()}, {"port", parsed->port()},
          {"pathname", parsed->pathname()}, {"search", parsed->search()},     {"hash", parsed->hash()}};
      EXPECT_EQ(parts.at(key), *wanted) << id << " " << key;
    }
  });
  EXPECT_GT(count, 800);
}

TEST(RegistrableDomain, AgreesWithTheSharedCases) {
  const std::string path = shared_cases("domain");
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no " << path << "; set MAGPIE_SHARED to the folder with the shared cases";
  const int count = for_each_case(path, [](const std::string& id, simdjson::dom::element input, simdjson::dom::element expect) {
    const auto wanted = text_of(expect, "registrable");
    const auto found = registrable_domain(text_of(input, "host").value_or(""));
    // The table has U-labels in places; A-labels are what counts.
    EXPECT_EQ(found, wanted ? std::optional(normalise_host(*wanted).value()) : std::nullopt) << id;
  });
  EXPECT_GT(count, 70);
}

TEST(Url, GivesItsParts) {
  const Url full = url("HTTPS://user:p%40ss@Example.TEST:8443/a/./b/../c;d?x=1#top");
  EXPECT_EQ(full.href(), "https://user:p%40ss@example.test:8443/a/c;d?x=1#top");
  EXPECT_EQ(full.protocol(), "https:");
  EXPECT_EQ(full.scheme(), "https");
  EXPECT_EQ(full.username(), "user");
  EXPECT_EQ(full.password(), "p%40ss");
  EXPECT_EQ(full.host(), "example.test:8443");
  EXPECT_EQ(full.hostname(), "example.test");
  EXPECT_EQ(full.port(), "8443");
  EXPECT_EQ(full.port_or_default(), 8443);
  EXPECT_EQ(full.pathname(), "/a/c;d");
  EXPECT_EQ(full.search(), "?x=1");
  EXPECT_EQ(full.path_and_query(), "/a/c;d?x=1");
  EXPECT_EQ(full.hash(), "#top");
  EXPECT_EQ(full.origin(), "https://example.test:8443");
}

TEST(Url, GivesEmptyPartsForWhatIsAbsent) {
  const Url bare = url("http://a.test?#");
  EXPECT_EQ(bare.href(), "http://a.test/?#");
  EXPECT_EQ(bare.search(), "");
  EXPECT_EQ(bare.hash(), "");
  EXPECT_EQ(bare.port(), "");
  EXPECT_EQ(bare.port_or_default(), 80);
  EXPECT_EQ(bare.username(), "");
  const Url user_only = url("http://me@a.test/");
  EXPECT_EQ(user_only.username(), "me");
  EXPECT_EQ(user_only.password(), "");
  EXPECT_EQ(url("http://:pw@a.test/").password(), "pw");
  EXPECT_EQ(url("mailto:me@a.test").pathname(), "me@a.test");
  EXPECT_EQ(url("mailto:me@a.test").host(), "");
  EXPECT_EQ(url("web+demo:/.//not-a-host/").pathname(), "//not-a-host/");
  EXPECT_EQ(url("web+demo:/.//not-a-host/").host(), "");
}

TEST(Url, HasAnOriginForNetworkSchemesOnly) {
  EXPECT_EQ(url("http://a.test:80/x").origin(), "http://a.test");
  EXPECT_EQ(url("blob:https://a.test/uuid").origin(), "https://a.test");
  EXPECT_EQ(url("file:///etc/hosts").origin(), "null");
  EXPECT_EQ(url("data:text/plain,x").origin(), "null");
}

TEST(Url, KnowsAddressesFromNames) {
  EXPECT_TRUE(url("http://0x7f.1/").has_ip_host());
  EXPECT_EQ(url("http://0x7f.1/").hostname(), "127.0.0.1");
  EXPECT_TRUE(url("http://[::1]/").has_ip_host());
  EXPECT_FALSE(url("http://a1.test1x/").has_ip_host());
}

TEST(Url, RefusesWhatIsTooLong) {
  const auto parsed = Url::parse("http://a.test/" + std::string(kUrlBytesMax, 'a'));
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().code, Code::kTooLarge);
}

TEST(Url, ErrorMessagesStayValidText) {
  const auto parsed = Url::parse("http://\xFF\xFE host/");
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().code, Code::kBadInput);
  EXPECT_NE(parsed.error().message.find("\xEF\xBF\xBD"), std::string::npos);
}

/// Latin-1: one byte for what it has, the standard's escape for the rest.
std::string latin1(std::string_view utf8) {
  std::string out;
  for (std::size_t i = 0; i < utf8.size(); ++i) {
    const auto lead = static_cast<unsigned char>(utf8[i]);
    if (lead < 0x80) {
      out += utf8[i];
    } else if (lead == 0xC3) {
      out += static_cast<char>((utf8[++i] & 0x3F) | 0xC0);
    } else {
      out += "%26%239731%3B";  // the tests' only other character, U+2603
      i += 2;
    }
  }
  return out;
}

TEST(Url, EncodesTheQueryInThePagesCharset) {
  const Url base = url("http://a.test/dir/page");
  EXPECT_EQ(Url::parse("/\xC3\xA9?q=\xC3\xA9#\xC3\xA9", &base, latin1)->href(), "http://a.test/%C3%A9?q=%E9#%C3%A9");
  EXPECT_EQ(Url::parse("?q=\xE2\x98\x83 'x'", &base, latin1)->href(), "http://a.test/dir/page?q=%26%239731%3B%20%27x%27");
  EXPECT_EQ(Url::parse("ws://a.test/?q=\xC3\xA9", &base, latin1)->href(), "ws://a.test/?q=%C3%A9");
  EXPECT_EQ(Url::parse("mailto:x?q=\xC3\xA9", &base, latin1)->href(), "mailto:x?q=%C3%A9");
  EXPECT_EQ(Url::parse(" ?a=\xC3\xA9\tb%20 ", &base, latin1)->href(), "http://a.test/dir/page?a=%E9b%20");
}

TEST(CanonicalUrl, DropsTheFragmentAndNothingElse) {
  EXPECT_EQ(canonical_url(url("http://A.test:80/B/?b=2&a=1#x")).href(), "http://a.test/B/?b=2&a=1");
  EXPECT_EQ(canonical_url(url("http://a.test/?#x")).href(), "http://a.test/?");
  EXPECT_EQ(canonical_url(url("http://www.a.test/index.html")).href(), "http://www.a.test/index.html");
}

TEST(TrackingParameters, AreTakenOutAndTheRestStays) {
  const auto clean = [](std::string_view text) { return without_tracking_parameters(url(text)).href(); };
  EXPECT_EQ(clean("http://a.test/?utm_source=x&id=7&UTM_Medium=y&gclid=z"), "http://a.test/?id=7");
  EXPECT_EQ(clean("http://a.test/p?fbclid=1#part"), "http://a.test/p#part");
  EXPECT_EQ(clean("http://a.test/?b=2&&a=1"), "http://a.test/?b=2&&a=1");
  EXPECT_EQ(clean("http://a.test/?utmost=1&gclid2=3"), "http://a.test/?utmost=1&gclid2=3");
  EXPECT_EQ(clean("http://a.test/"), "http://a.test/");
}

TEST(NormaliseHost, GivesWhatAUrlWouldHave) {
  EXPECT_EQ(*normalise_host("M\xC3\xBCnchen.DE"), "xn--mnchen-3ya.de");
  EXPECT_EQ(*normalise_host("0x7f.1"), "127.0.0.1");
  EXPECT_EQ(*normalise_host("[0::1]"), "[::1]");
  for (const char* bad : {"", "a/b", "a:80", "u@h", "a b", "a?b", "[::1]:80"}) EXPECT_FALSE(normalise_host(bad)) << bad;
}

TEST(RegistrableDomain, IsNothingForAddressesAndSuffixes) {
  for (const char* host :
       {"192.168.1.1", "[2001:db8::1]", "2001:db8::1", "co.uk", "github.io", ".example.com", "a..example.com", "", "."}) {
    EXPECT_EQ(registrable_domain(host), std::nullopt) << host;
  }
  EXPECT_EQ(registrable_domain("deep.me.github.io"), "me.github.io");
  EXPECT_EQ(registrable_domain("www.example.com."), "example.com");
  EXPECT_EQ(registrable_domain("a.b.unlisted-tld"), "b.unlisted-tld");
  EXPECT_EQ(site_of_host("127.0.0.1"), "127.0.0.1");
  EXPECT_EQ(site_of_host("LOCALHOST"), "localhost");
}

}  // namespace
}  // namespace magpie
