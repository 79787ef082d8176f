#pragma once
// A name server on loopback for tests: one thread that answers each question, over UDP and TCP on one port, as a script says.
// Wire format: RFC 1035 §4.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <atomic>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/files.h"
#include "base/guarded.h"
#include "net/address_guard.h"

namespace magpie {

constexpr std::uint16_t kTypeA = 1, kTypeCname = 5, kTypeAaaa = 28;

struct NameQuestion {
  std::string name;  // "a.test"
  std::uint16_t type = kTypeA;
  bool tcp = false;
  int number = 0;     // of this name and type, from 0
  std::string bytes;  // the whole query
};

struct NameRecord {
  std::string name;
  std::uint32_t ttl = 300;
  std::string target;  // an address, or the name of an alias
};

struct NameReply {
  int rcode = 0;
  std::vector<NameRecord> records{};
  bool truncated = false;
  bool silent = false;
  int id_offset = 0;                 // added to the question's number: a lie
  std::string other_question{};      // stands in place of the one asked: another lie
  std::optional<std::string> raw{};  // sent as it is
};

inline std::string wire_u16(unsigned value) { return {static_cast<char>(value >> 8 & 0xFF), static_cast<char>(value & 0xFF)}; }
inline std::string wire_name(std::string_view name) {
  std::string out;
  while (!name.empty()) {
    const std::string_view label = name.substr(0, name.find('.'));
    out += static_cast<char>(label.size());
    out += label;
    name.remove_prefix(std::min(label.size() + 1, name.size()));
  }
  return out + '\0';
}

class NameServer {
 public:
  using Script = std::function<NameReply(const NameQuestion&)>;

  explicit NameServer(Script script) : script_(std::move(script)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    // The port of the one is not always free for the other.
    for (bool bound = false; !bound;) {
      udp_ = UniqueFd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
      tcp_ = UniqueFd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
      address.sin_port = 0;
      EXPECT_EQ(bind(udp_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
      socklen_t size = sizeof address;
      getsockname(udp_.get(), reinterpret_cast<sockaddr*>(&address), &size);
      bound = bind(tcp_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 && listen(tcp_.get(), 16) == 0;
    }
    port_ = ntohs(address.sin_port);
    thread_ = std::jthread([this](std::stop_token stop) { run(stop); });
  }

  std::string address() const { return fmt::format("127.0.0.1:{}", port_); }
  /// Questions so far: "a.test A", "a.test AAAA tcp".
  std::vector<std::string> asked() const {
    return asked_.with([](const auto& asked) { return asked; });
  }
  std::size_t count(std::string_view question) const {
    const auto all = asked();
    return static_cast<std::size_t>(std::count(all.begin(), all.end(), question));
  }
  /// The ports that questions came from.
  std::vector<int> ports() const {
    return ports_.with([](const auto& ports) { return ports; });
  }

 private:
  static std::optional<NameQuestion> parse(std::string bytes, bool tcp) {
    NameQuestion question{.tcp = tcp};
    std::size_t at = 12;
    while (at < bytes.size() && bytes[at] != '\0') {
      const std::size_t size = static_cast<unsigned char>(bytes[at]);
      if (!question.name.empty()) question.name += '.';
      question.name += bytes.substr(at + 1, size);
      at += size + 1;
    }
    if (at + 4 >= bytes.size()) return std::nullopt;
    question.type = static_cast<std::uint16_t>(static_cast<unsigned char>(bytes[at + 1]) << 8 | static_cast<unsigned char>(bytes[at + 2]));
    question.bytes = std::move(bytes);
    return question;
  }

  static std::string encode(const NameRecord& record) {
    const auto address = IpAddress::parse(record.target);
    std::string data;
    std::uint16_t type = kTypeCname;
    if (address) {
      type = address->is_v4() ? kTypeA : kTypeAaaa;
      data.assign(reinterpret_cast<const char*>(address->bytes().data()), address->is_v4() ? 4 : 16);
    } else {
      data = wire_name(record.target);
    }
    return wire_name(record.name) + wire_u16(type) + wire_u16(1) + wire_u16(record.ttl >> 16) + wire_u16(record.ttl & 0xFFFF) +
           wire_u16(static_cast<unsigned>(data.size())) + data;
  }

  static std::string encode(const NameQuestion& question, const NameReply& reply) {
    if (reply.raw) return *reply.raw;
    const unsigned id = static_cast<unsigned char>(question.bytes[0]) << 8 | static_cast<unsigned char>(question.bytes[1]);
    const unsigned flags = 0x8180 | (reply.truncated ? 0x0200 : 0) | static_cast<unsigned>(reply.rcode);
    const std::string_view name = reply.other_question.empty() ? std::string_view(question.name) : reply.other_question;
    std::string out = wire_u16(id + static_cast<unsigned>(reply.id_offset)) + wire_u16(flags) + wire_u16(1) +
                      wire_u16(static_cast<unsigned>(reply.records.size())) + wire_u16(0) + wire_u16(0) + wire_name(name) +
                      wire_u16(question.type) + wire_u16(1);
    for (const NameRecord& record : reply.records) out += encode(record);
    return out;
  }

  std::optional<std::string> answer(std::string bytes, bool tcp) {
    auto question = parse(std::move(bytes), tcp);
    if (!question) return std::nullopt;
    const std::string key = question->name + (question->type == kTypeA ? " A" : question->type == kTypeAaaa ? " AAAA" : " ?");
    question->number = static_cast<int>(count(key) + count(key + " tcp"));
    asked_.with([&](auto& asked) { asked.push_back(tcp ? key + " tcp" : key); });
    const NameReply reply = script_(*question);
    if (reply.silent) return std::nullopt;
    return encode(*question, reply);
  }

  void run(std::stop_token stop) {
    while (!stop.stop_requested()) {
      pollfd both[] = {{.fd = udp_.get(), .events = POLLIN, .revents = 0}, {.fd = tcp_.get(), .events = POLLIN, .revents = 0}};
      if (::poll(both, 2, 10) <= 0) continue;
      if (both[0].revents != 0) answer_datagram();
      if (both[1].revents != 0) answer_connection();
    }
  }

  void answer_datagram() {
    char buffer[4096];
    sockaddr_in from{};
    socklen_t size = sizeof from;
    const auto count = recvfrom(udp_.get(), buffer, sizeof buffer, 0, reinterpret_cast<sockaddr*>(&from), &size);
    if (count < 12) return;
    ports_.with([&](auto& ports) { ports.push_back(ntohs(from.sin_port)); });
    const auto reply = answer(std::string(buffer, static_cast<std::size_t>(count)), /*tcp=*/false);
    if (reply) sendto(udp_.get(), reply->data(), reply->size(), 0, reinterpret_cast<sockaddr*>(&from), size);
  }

  void answer_connection() {
    const UniqueFd fd(accept4(tcp_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    std::string bytes;
    char buffer[4096];
    const auto whole = [&] {
      return bytes.size() >= 2 && bytes.size() >= 2u + (static_cast<unsigned char>(bytes[0]) << 8 | static_cast<unsigned char>(bytes[1]));
    };
    while (!whole()) {
      const auto count = read(fd.get(), buffer, sizeof buffer);
      if (count <= 0) return;
      bytes.append(buffer, static_cast<std::size_t>(count));
    }
    const auto reply = answer(bytes.substr(2), /*tcp=*/true);
    if (reply) (void)write_all(fd.get(), wire_u16(static_cast<unsigned>(reply->size())) + *reply);
  }

  Script script_;
  UniqueFd udp_, tcp_;
  int port_ = 0;
  Guarded<std::vector<std::string>> asked_;
  Guarded<std::vector<int>> ports_;
  std::jthread thread_;  // last: ends before the members it uses
};

}  // namespace magpie
