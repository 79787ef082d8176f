// Against name servers on loopback that answer, refuse, keep silent and lie.
#include "net/resolver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>

#include <fstream>
#include <set>

#include "net/hosts_file.h"
#include "net/name_cache.h"
#include "net/name_server_for_test.h"

namespace magpie {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

constexpr int kServFail = 2, kNxDomain = 3, kRefused = 5;

/// One address for every name; no IPv6.
NameReply only(const NameQuestion& question, const std::string& address, std::uint32_t ttl = 300) {
  if (question.type != kTypeA) return {};
  return {.records = {{question.name, ttl, address}}};
}

class ResolverTest : public testing::Test {
 protected:
  ResolverOptions options(std::vector<std::string> servers) {
    return {
        .servers = std::move(servers), .server_timeout = 300ms, .rounds = 1, .hosts_file = "/nonexistent", .ipv6 = false, .now = [this] {
          return Deadline::Clock::now() + later_;
        }};
  }
  static std::unique_ptr<Resolver> make(ResolverOptions options) {
    auto made = Resolver::make(std::move(options));
    EXPECT_TRUE(made) << made.error().message;
    return std::move(*made);
  }

  /// Drives it until one answer is there.
  NameAnswer next(Resolver& resolver) {
    const Deadline deadline = Deadline::after(20s);
    while (!deadline.passed()) {
      auto answers = resolver.work();
      if (!answers.empty()) {
        EXPECT_EQ(answers.size(), 1u);
        return std::move(answers[0]);
      }
      const auto due = resolver.next_timeout();
      const auto wait = due == Deadline::Clock::time_point::max()
                            ? 10'000ms
                            : std::chrono::ceil<std::chrono::milliseconds>(due - later_ - Deadline::Clock::now());
      pollfd one{.fd = resolver.fd(), .events = POLLIN, .revents = 0};
      ::poll(&one, 1, static_cast<int>(std::clamp<std::int64_t>(wait.count(), 0, 10'000)));
    }
    ADD_FAILURE() << "no answer";
    return {"", fail(Code::kTimeout, "no answer")};
  }
  NameAnswer ask(Resolver& resolver, std::string_view name) {
    if (auto known = resolver.look_up(name)) return std::move(*known);
    return next(resolver);
  }
  static std::vector<std::string> texts(const NameAnswer& answer) {
    if (!answer.addresses) return {answer.addresses.error().message};
    std::vector<std::string> out;
    for (const IpAddress& address : *answer.addresses) out.push_back(address.to_string());
    return out;
  }

  Deadline::Clock::duration later_{0};
};

TEST_F(ResolverTest, AsksOnceAndKeepsTheAnswerForItsTime) {
  NameServer server([](const NameQuestion& q) { return only(q, q.number == 0 ? "192.0.2.1" : "192.0.2.2", 100); });
  auto resolver = make(options({server.address()}));
  EXPECT_THAT(texts(ask(*resolver, "a.test")), ElementsAre("192.0.2.1"));
  later_ += 99s;
  EXPECT_THAT(texts(ask(*resolver, "a.test")), ElementsAre("192.0.2.1"));
  EXPECT_EQ(server.count("a.test A"), 1u);
  later_ += 2s;
  EXPECT_THAT(texts(ask(*resolver, "a.test")), ElementsAre("192.0.2.2"));
  EXPECT_EQ(resolver->counts().hits, 1u);
  EXPECT_EQ(resolver->counts().misses, 2u);
  EXPECT_EQ(resolver->counts().failures, 0u);
  EXPECT_GT(resolver->counts().waited.count(), 0);
}

TEST_F(ResolverTest, ShortAndLongTimesAreHeldWithinBounds) {
  NameServer server([](const NameQuestion& q) { return only(q, "192.0.2.1", q.name == "short.test" ? 0 : 0x7FFF'FFFF); });
  ResolverOptions bounded = options({server.address()});
  bounded.ttl_min = 30s;
  bounded.ttl_max = 3'600s;
  auto resolver = make(std::move(bounded));
  ask(*resolver, "short.test");
  ask(*resolver, "long.test");
  later_ += 29s;
  EXPECT_TRUE(resolver->look_up("short.test"));
  later_ += 2s;
  ask(*resolver, "short.test");
  EXPECT_EQ(server.count("short.test A"), 2u);
  later_ += 3'568s;
  EXPECT_TRUE(resolver->look_up("long.test"));
  later_ += 2s;
  EXPECT_FALSE(resolver->look_up("long.test"));
}

TEST_F(ResolverTest, AnAliasHoldsNoLongerThanItsShortestPart) {
  NameServer server([](const NameQuestion& q) -> NameReply {
    if (q.type != kTypeA) return {};
    return {.records = {{q.name, 40, "cdn.test"}, {"cdn.test", 900, "192.0.2.7"}}};
  });
  auto resolver = make(options({server.address()}));
  EXPECT_THAT(texts(ask(*resolver, "www.test")), ElementsAre("192.0.2.7"));
  later_ += 41s;
  EXPECT_FALSE(resolver->look_up("www.test"));
}

TEST_F(ResolverTest, ANameThatIsNotThereIsRememberedForAWhile) {
  NameServer server([](const NameQuestion& q) -> NameReply { return {.rcode = q.name == "gone.test" ? kNxDomain : 0}; });
  auto resolver = make(options({server.address()}));
  const NameAnswer gone = ask(*resolver, "gone.test");
  ASSERT_FALSE(gone.addresses);
  EXPECT_EQ(gone.addresses.error().code, Code::kNotFound);
  EXPECT_THAT(gone.addresses.error().message, HasSubstr("Domain name not found"));
  EXPECT_EQ(ask(*resolver, "empty.test").addresses.error().code, Code::kNotFound);
  EXPECT_EQ(ask(*resolver, "gone.test").addresses.error().code, Code::kNotFound);
  EXPECT_EQ(server.count("gone.test A"), 1u);
  later_ += 61s;
  EXPECT_FALSE(resolver->look_up("gone.test"));
  EXPECT_EQ(resolver->counts().failures, 2u);
}

TEST_F(ResolverTest, TheNextServerIsAskedWhenOneFailsOrIsSilentOrIsNotThere) {
  NameServer failing([](const NameQuestion&) -> NameReply { return {.rcode = kServFail}; });
  NameServer silent([](const NameQuestion&) -> NameReply { return {.silent = true}; });
  NameServer good([](const NameQuestion& q) { return only(q, "192.0.2.9"); });
  auto resolver = make(options({failing.address(), silent.address(), "127.0.0.1:1", good.address()}));
  EXPECT_THAT(texts(ask(*resolver, "a.test")), ElementsAre("192.0.2.9"));
  EXPECT_GE(failing.count("a.test A"), 1u);
  EXPECT_EQ(silent.count("a.test A"), 1u);
  // Those in trouble come behind the others from now on.
  for (const char* name : {"b.test", "c.test", "d.test", "e.test"}) EXPECT_THAT(texts(ask(*resolver, name)), ElementsAre("192.0.2.9"));
  EXPECT_EQ(silent.asked().size(), 1u);
}

TEST_F(ResolverTest, GivenServersShareTheLoad) {
  const auto answer = [](const NameQuestion& q) { return only(q, "192.0.2.1"); };
  NameServer one(answer), two(answer);
  auto resolver = make(options({one.address(), two.address()}));
  for (int i = 0; i < 10; ++i) ask(*resolver, fmt::format("h{}.test", i));
  EXPECT_EQ(one.asked().size(), 5u);
  EXPECT_EQ(two.asked().size(), 5u);
}

TEST_F(ResolverTest, SaysWhatEachServerDidWhenNoneCanTell) {
  NameServer failing([](const NameQuestion&) -> NameReply { return {.rcode = kServFail}; });
  NameServer refusing([](const NameQuestion&) -> NameReply { return {.rcode = kRefused}; });
  NameServer silent([](const NameQuestion&) -> NameReply { return {.silent = true}; });
  auto resolver = make(options({failing.address(), refusing.address(), silent.address()}));
  const NameAnswer answer = ask(*resolver, "a.test");
  ASSERT_FALSE(answer.addresses);
  EXPECT_EQ(answer.addresses.error().code, Code::kUnavailable);
  const std::string& words = answer.addresses.error().message;
  EXPECT_THAT(words, HasSubstr(failing.address() + ": DNS server returned general failure"));
  EXPECT_THAT(words, HasSubstr(refusing.address() + ": DNS server refused query"));
  EXPECT_THAT(words, HasSubstr(silent.address() + ": no answer in 300 ms"));
  EXPECT_TRUE(resolver->look_up("a.test")) << "not asked again at once";
  later_ += 6s;
  EXPECT_FALSE(resolver->look_up("a.test"));
}

TEST_F(ResolverTest, WhatDoesNotFitComesOverTcp) {
  NameServer server([](const NameQuestion& q) -> NameReply {
    if (!q.tcp) return {.truncated = true};
    NameReply reply;
    for (int i = 0; i < 100; ++i) reply.records.push_back({q.name, 300, fmt::format("192.0.2.{}", i)});
    return reply;
  });
  auto resolver = make(options({server.address()}));
  EXPECT_EQ(texts(ask(*resolver, "big.test")).size(), Resolver::kAddressesMax);
  EXPECT_EQ(server.count("big.test A tcp"), 1u);
}

TEST_F(ResolverTest, AnswersThatDoNotFitTheQuestionAreNotBelieved) {
  NameServer liar([](const NameQuestion& q) {
    NameReply reply = only(q, "192.0.2.66");
    if (q.name == "number.test") reply.id_offset = 1;
    if (q.name == "other.test") reply.other_question = "bank.test";
    if (q.name == "stranger.test") reply.records[0].name = "bank.test";  // an answer to what nobody asked
    if (q.name == "noise.test") reply.raw = std::string("\xFF\xFF\xFF\xFF", 4) + std::string(200, '\xC0');
    if (q.name == "cut.test") reply.raw = q.bytes.substr(0, 2) + std::string("\x81\x80\0\1\0\1\0\0\0\0\3", 11);
    if (q.name == "loop.test") reply.raw = q.bytes.substr(0, 2) + std::string("\x81\x80\0\1\0\1\0\0\0\0\xC0\x0C\0\1\0\1", 16);
    return reply;
  });
  NameServer good([](const NameQuestion& q) { return only(q, "192.0.2.1"); });
  for (const char* name : {"number.test", "other.test", "noise.test", "cut.test", "loop.test"}) {
    auto resolver = make(options({liar.address(), good.address()}));
    EXPECT_THAT(texts(ask(*resolver, name)), ElementsAre("192.0.2.1")) << name;
    EXPECT_FALSE(resolver->look_up("bank.test")) << name;
  }
  auto resolver = make(options({liar.address()}));
  EXPECT_EQ(ask(*resolver, "stranger.test").addresses.error().code, Code::kNotFound);
  EXPECT_FALSE(resolver->look_up("bank.test"));
}

TEST_F(ResolverTest, BothFamiliesAreAskedAndASilentOneIsNotWaitedFor) {
  NameServer server([](const NameQuestion& q) -> NameReply {
    if (q.type == kTypeA) return {.records = {{q.name, 300, "192.0.2.1"}}};
    if (q.name == "half.test") return {.silent = true};
    if (q.name == "ill.test") return {.rcode = kServFail};
    return {.records = {{q.name, 300, "2001:db8::1"}}};
  });
  ResolverOptions both = options({server.address()});
  both.ipv6 = true;
  both.server_timeout = 20s;
  both.total_max = 20s;
  auto resolver = make(std::move(both));
  EXPECT_THAT(texts(ask(*resolver, "a.test")), ElementsAre("2001:db8::1", "192.0.2.1"));
  EXPECT_THAT(texts(ask(*resolver, "half.test")), ElementsAre("192.0.2.1"));
  EXPECT_THAT(texts(ask(*resolver, "ill.test")), ElementsAre("192.0.2.1"));
}

TEST_F(ResolverTest, OneFamilysFailureIsNoWordThatTheNameIsNotThere) {
  NameServer server([](const NameQuestion& q) -> NameReply { return {.rcode = q.type == kTypeA ? kServFail : 0}; });
  ResolverOptions both = options({server.address()});
  both.ipv6 = true;
  EXPECT_EQ(ask(*make(std::move(both)), "a.test").addresses.error().code, Code::kUnavailable);
}

TEST_F(ResolverTest, TheHostsFileComesFirstAndIsReadAgain) {
  const std::string path = testing::TempDir() + "/resolver_hosts";
  std::ofstream(path) << "# ours\n192.0.2.5\tShop.test  www.shop.test # the shop\n::1 six.test\nnonsense shop2.test\n192.0.2.6 shop.test";
  NameServer server([](const NameQuestion&) -> NameReply { return {.rcode = kNxDomain}; });
  ResolverOptions with_file = options({server.address()});
  with_file.hosts_file = path;
  auto resolver = make(std::move(with_file));
  EXPECT_THAT(texts(ask(*resolver, "shop.test")), ElementsAre("192.0.2.5", "192.0.2.6"));
  EXPECT_THAT(texts(ask(*resolver, "www.shop.test.")), ElementsAre("192.0.2.5"));
  EXPECT_THAT(texts(ask(*resolver, "six.test")), ElementsAre("::1"));
  EXPECT_FALSE(ask(*resolver, "shop2.test").addresses);
  std::ofstream(path) << "192.0.2.77 shop.test\n";
  later_ += 11s;
  EXPECT_THAT(texts(ask(*resolver, "shop.test")), ElementsAre("192.0.2.77"));
  std::filesystem::remove(path);
  later_ += 11s;
  EXPECT_FALSE(ask(*resolver, "shop.test").addresses);
}

TEST_F(ResolverTest, SomeNamesAreNoMatterOfNameServers) {
  NameServer server([](const NameQuestion& q) { return only(q, "192.0.2.1"); });
  auto resolver = make(options({server.address()}));
  for (const char* name : {"localhost", "a.b.localhost", "localhost."})
    EXPECT_THAT(texts(ask(*resolver, name)), ElementsAre("127.0.0.1", "::1"));
  for (const char* name : {"a.invalid", "abc.onion"}) EXPECT_EQ(ask(*resolver, name).addresses.error().code, Code::kNotFound);
  EXPECT_FALSE(ask(*resolver, std::string(70, 'a') + ".test").addresses);
  std::string long_name;
  for (int i = 0; i < 60; ++i) long_name += "abcdef.";
  EXPECT_FALSE(ask(*resolver, long_name + "test").addresses);
  EXPECT_THAT(server.asked(), ElementsAre());
  EXPECT_THAT(texts(ask(*resolver, "notlocalhost")), ElementsAre("192.0.2.1"));
  EXPECT_THAT(texts(ask(*resolver, "under_score.test.")), ElementsAre("192.0.2.1"));
}

TEST_F(ResolverTest, ManyNamesAtOnceAreEachAskedOnceFromPortsOfTheirOwn) {
  NameServer server([](const NameQuestion& q) { return only(q, "192.0.2.1"); });
  auto resolver = make(options({server.address()}));
  std::set<std::string> open;
  for (int i = 0; i < 500; ++i) {
    const std::string name = fmt::format("h{}.test", i);
    EXPECT_FALSE(resolver->look_up(name));
    EXPECT_FALSE(resolver->look_up(name)) << "joins the one under way";
    open.insert(name);
  }
  const Deadline deadline = Deadline::after(30s);
  while (!open.empty() && !deadline.passed()) {
    for (const NameAnswer& answer : resolver->work()) {
      EXPECT_TRUE(answer.addresses);
      EXPECT_EQ(open.erase(answer.name), 1u);
    }
    pollfd one{.fd = resolver->fd(), .events = POLLIN, .revents = 0};
    ::poll(&one, 1, 10);
  }
  EXPECT_TRUE(open.empty());
  EXPECT_EQ(server.asked().size(), 500u);
  const auto ports = server.ports();
  EXPECT_GT(std::set<int>(ports.begin(), ports.end()).size(), 100u);
}

TEST_F(ResolverTest, RefusesWhatIsNoServer) {
  for (const char* good : {"192.0.2.1", "192.0.2.1:5353", "2001:db8::1", "[2001:db8::1]", "[2001:db8::1]:53"})
    EXPECT_TRUE(check_name_server(good)) << good;
  for (const char* bad :
       {"", "dns.test", "192.0.2.1:", "192.0.2.1:0", "192.0.2.1:70000", "192.0.2.1:x", "[192.0.2.1]:53", "tls://9.9.9.9"}) {
    EXPECT_FALSE(check_name_server(bad)) << bad;
    EXPECT_FALSE(Resolver::make(options({bad}))) << bad;
  }
}

TEST_F(ResolverTest, WithoutAServerItSaysSo) {
  ResolverOptions none = options({"127.0.0.1:1"});
  none.rounds = 0;
  auto resolver = make(std::move(none));
  EXPECT_EQ(ask(*resolver, "a.test").addresses.error().code, Code::kUnavailable);
}

TEST(NameCache, KeepsTheLastUsedAndForgetsInTime) {
  const auto start = Deadline::Clock::time_point(1h);
  const NameCache::Addresses one = std::vector{*IpAddress::parse("192.0.2.1")};
  NameCache cache(2);
  cache.put("a", one, start + 10s);
  cache.put("b", one, start + 20s);
  ASSERT_NE(cache.find("a", start), nullptr);
  cache.put("c", one, start + 20s);
  EXPECT_EQ(cache.find("b", start), nullptr) << "used the longest ago";
  EXPECT_NE(cache.find("a", start), nullptr);
  EXPECT_EQ(cache.find("a", start + 10s), nullptr);
  cache.put("c", fail(Code::kNotFound, "gone"), start + 30s);
  ASSERT_NE(cache.find("c", start + 25s), nullptr);
  EXPECT_FALSE(*cache.find("c", start + 25s));
  EXPECT_EQ(cache.size(), 1u);
}

}  // namespace
}  // namespace magpie
