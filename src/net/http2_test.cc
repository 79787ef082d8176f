// HTTP/2 against a server that other people wrote: nghttpd.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <map>
#include <thread>

#include "base/files.h"
#include "net/http_client.h"
#include "net/tls_identity_for_test.h"

namespace magpie {
namespace {

constexpr const char* kServer = "/usr/sbin/nghttpd";

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

std::uint16_t free_port() {
  const UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address = loopback(0);
  bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address);
  socklen_t size = sizeof address;
  getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin_port);
}

/// Serves a folder over TLS and HTTP/2 until destroyed.
class Http2Server {
 public:
  Http2Server(const std::filesystem::path& folder, const TlsIdentity& identity) : port_(free_port()) {
    const std::string port = std::to_string(port_);
    child_ = fork();
    if (child_ != 0) return;
    execl(kServer, kServer, "--address=127.0.0.1", "-d", folder.c_str(), port.c_str(), identity.key_file().c_str(),
          identity.certificate_file().c_str(), nullptr);
    _exit(127);
  }
  ~Http2Server() {
    kill(child_, SIGTERM);
    waitpid(child_, nullptr, 0);
  }
  bool listens() const {
    for (int i = 0; i < 200; ++i) {
      const UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
      const sockaddr_in address = loopback(port_);
      if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    return false;
  }
  Url url(std::string_view path) const { return *Url::parse(fmt::format("https://127.0.0.1:{}{}", port_, path)); }

 private:
  std::uint16_t port_;
  pid_t child_ = -1;
};

TEST(Http2, ManyRequestsShareOneConnection) {
  if (access(kServer, X_OK) != 0) GTEST_SKIP() << kServer << " is missing; ./dev setup installs it (nghttp2-server)";
  constexpr int kFiles = 40;
  const auto folder = std::filesystem::temp_directory_path() / fmt::format("magpie-http2-{}", getpid());
  std::filesystem::create_directories(folder);
  for (int i = 0; i < kFiles; ++i) std::ofstream(folder / fmt::format("{}.html", i)) << "<title>page " << i << "</title>";
  {
    TlsIdentity identity;
    const Http2Server server(folder, identity);
    ASSERT_TRUE(server.listens());
    HttpClientOptions options{.user_agent = "magpie-test"};
    options.addresses.allow_loopback = true;
    options.ca_file = identity.certificate_file();
    auto http = HttpClient::make(options);
    ASSERT_TRUE(http) << http.error().message;
    for (int i = 0; i < kFiles; ++i) (*http)->submit({.url = server.url(fmt::format("/{}.html", i)), .tag = static_cast<std::uint64_t>(i)});
    std::map<std::uint64_t, std::string> bodies;
    while ((*http)->in_flight() > 0) {
      for (const HttpResponse& response : (*http)->poll(Deadline::after(std::chrono::seconds(10)))) {
        ASSERT_TRUE(response.complete()) << response.error->message;
        EXPECT_EQ(response.http_version, "2");
        EXPECT_EQ(response.status, 200);
        bodies[response.tag] = response.body;
      }
    }
    ASSERT_EQ(bodies.size(), static_cast<std::size_t>(kFiles));
    for (const auto& [tag, body] : bodies) EXPECT_EQ(body, fmt::format("<title>page {}</title>", tag));
    EXPECT_EQ((*http)->counts().connections, 1u);
  }
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace magpie
