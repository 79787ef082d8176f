#include "net/address_guard.h"

#include <gtest/gtest.h>

namespace magpie {
namespace {

std::string refusal(std::string_view address, AddressPolicy policy = {}) {
  const auto parsed = IpAddress::parse(address);
  EXPECT_TRUE(parsed) << address;
  return std::string(address_refusal(*parsed, policy));
}

TEST(AddressGuard, LetsThePublicInternetThrough) {
  for (const char* address :
       {"8.8.8.8", "1.1.1.1", "93.184.216.34", "172.15.255.255", "172.32.0.0", "100.63.255.255", "100.128.0.1", "223.255.255.255",
        "192.0.1.1", "2606:4700::1111", "2a00:1450::1", "2001:4860:4860::8888", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"}) {
    EXPECT_EQ(refusal(address), "") << address;
  }
}

TEST(AddressGuard, RefusesEverySpecialRange) {
  for (const char* address : {"0.0.0.0",
                              "0.1.2.3",
                              "127.0.0.1",
                              "127.255.255.255",
                              "10.0.0.1",
                              "172.16.0.1",
                              "172.31.255.255",
                              "192.168.0.1",
                              "169.254.169.254",
                              "169.254.0.1",
                              "100.64.0.1",
                              "100.127.255.255",
                              "100.100.100.200",
                              "168.63.129.16",
                              "192.0.0.8",
                              "192.0.2.1",
                              "198.51.100.7",
                              "203.0.113.9",
                              "192.88.99.1",
                              "198.18.0.1",
                              "198.19.255.255",
                              "224.0.0.1",
                              "239.255.255.255",
                              "240.0.0.1",
                              "255.255.255.255",
                              "::",
                              "::1",
                              "fc00::1",
                              "fd12:3456::1",
                              "fd00:ec2::254",
                              "fe80::1",
                              "fec0::1",
                              "ff02::1",
                              "2001:db8::1",
                              "3fff::1",
                              "2001::1",
                              "2001:10::1",
                              "100::1",
                              "64:ff9b:1::1",
                              "4000::1",
                              "5f00::1"}) {
    EXPECT_NE(refusal(address), "") << address;
  }
}

TEST(AddressGuard, LooksInsideEmbeddedAddresses) {
  for (const char* address : {"::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe",
                              "2002:7f00:1::1", "2002:c0a8:101::", "::ffff:0:0"}) {
    EXPECT_NE(refusal(address), "") << address;
  }
  EXPECT_EQ(refusal("::ffff:127.0.0.1", {.allow_loopback = true}), "");
}

TEST(AddressGuard, OpensOnlyWhatAPolicyNames) {
  EXPECT_EQ(refusal("127.0.0.1", {.allow_loopback = true}), "");
  EXPECT_EQ(refusal("::1", {.allow_loopback = true}), "");
  EXPECT_EQ(refusal("10.0.0.1", {.allow_loopback = true}), "private");
  EXPECT_EQ(refusal("10.0.0.1", {.allow_private = true}), "");
  EXPECT_EQ(refusal("fd12::1", {.allow_private = true}), "");
  EXPECT_EQ(refusal("127.0.0.1", {.allow_private = true}), "loopback");
  const AddressPolicy both{.allow_loopback = true, .allow_private = true};
  for (const char* address : {"169.254.169.254", "fd00:ec2::254", "100.100.100.200", "0.0.0.0", "::", "224.0.0.1"}) {
    EXPECT_NE(refusal(address, both), "") << address;
  }
}

TEST(AddressGuard, NamesTheAddressAndTheReason) {
  const auto refused = check_address(*IpAddress::parse("[fe80::1]"), {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kForbidden);
  EXPECT_EQ(refused.error().message, "the address fe80::1 is link-local");
}

TEST(IpAddress, ParsesPlainFormsOnly) {
  EXPECT_EQ(IpAddress::parse("2001:DB8::0:1")->to_string(), "2001:db8::1");
  for (const char* bad : {"", "1.2.3", "0x7f.0.0.1", "1.2.3.4.5", "::g", "[::1", "a.test", "010.0.0.1"})
    EXPECT_FALSE(IpAddress::parse(bad)) << bad;
}

}  // namespace
}  // namespace magpie
