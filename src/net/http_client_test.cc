// Against a real server on loopback: one thread that answers each connection by a script, so that it can also break the rules.
#include "net/http_client.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <thread>

#include "base/files.h"
#include "base/guarded.h"
#include "net/name_server_for_test.h"
#include "net/tls_identity_for_test.h"

namespace magpie {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

/// What to send back, and whether the connection is closed behind it.
struct Reply {
  std::string bytes;
  bool close = false;
  bool hang = false;  // send nothing more, keep the connection until the client goes
};

std::string ok(std::string_view body, std::string_view more_headers = "") {
  return fmt::format("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n{}\r\n{}", body.size(), more_headers, body);
}

/// Listens on a free port of 127.0.0.1 and answers each request, head and body, with script(request).
class ScriptedServer {
 public:
  using Script = std::function<Reply(const std::string& head)>;
  explicit ScriptedServer(Script script, SSL_CTX* tls = nullptr) : script_(std::move(script)), tls_(tls) {
    listener_ = UniqueFd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(listen(listener_.get(), 512), 0);
    socklen_t size = sizeof address;
    getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::jthread([this](std::stop_token stop) { accept_all(stop); });
  }

  Url url(std::string_view path, std::string_view host = "127.0.0.1") const {
    return *Url::parse(fmt::format("{}://{}:{}{}", tls_ ? "https" : "http", host, port_, path));
  }
  int connections() const { return connections_.load(); }
  std::vector<std::string> heads() const {
    return heads_.with([](const auto& heads) { return heads; });
  }

 private:
  static bool readable(int fd, std::stop_token stop) {
    while (!stop.stop_requested()) {
      pollfd one{.fd = fd, .events = POLLIN, .revents = 0};
      if (::poll(&one, 1, 20) > 0) return true;
    }
    return false;
  }

  void accept_all(std::stop_token stop) {
    std::vector<std::jthread> sessions;
    while (readable(listener_.get(), stop)) {
      const int fd = accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) continue;
      ++connections_;
      sessions.emplace_back([this, fd](std::stop_token session_stop) { serve(UniqueFd(fd), session_stop); });
    }
  }

  void serve(UniqueFd fd, std::stop_token stop) {
    SSL* tls = tls_ ? SSL_new(tls_) : nullptr;
    if (tls) {
      SSL_set_fd(tls, fd.get());
      if (SSL_accept(tls) == 1) answer_all(fd.get(), tls, stop);
      SSL_free(tls);
    } else {
      answer_all(fd.get(), nullptr, stop);
    }
  }

  static std::size_t body_bytes(const std::string& head) {
    const std::size_t at = head.find("Content-Length: ");
    return at == std::string::npos ? 0 : std::stoul(head.substr(at + 16));
  }

  void answer_all(int fd, SSL* tls, std::stop_token stop) {
    std::string bytes;
    char buffer[4096];
    while ((tls && SSL_pending(tls) > 0) || readable(fd, stop)) {
      const auto count = tls ? SSL_read(tls, buffer, sizeof buffer) : read(fd, buffer, sizeof buffer);
      if (count <= 0) return;
      bytes.append(buffer, static_cast<std::size_t>(count));
      for (std::size_t end; (end = bytes.find("\r\n\r\n")) != std::string::npos;) {
        const std::size_t whole = end + 4 + body_bytes(bytes.substr(0, end));
        if (bytes.size() < whole) break;
        const std::string head = bytes.substr(0, whole);
        bytes.erase(0, whole);
        heads_.with([&](auto& heads) { heads.push_back(head); });
        const Reply reply = script_(head);
        if (tls) {
          if (SSL_write(tls, reply.bytes.data(), static_cast<int>(reply.bytes.size())) <= 0) return;
        } else if (::send(fd, reply.bytes.data(), reply.bytes.size(), MSG_NOSIGNAL) < 0) {
          return;
        }
        if (reply.hang) break;
        if (reply.close) return;
      }
    }
  }

  Script script_;
  SSL_CTX* tls_;
  UniqueFd listener_;
  int port_ = 0;
  std::atomic<int> connections_{0};
  Guarded<std::vector<std::string>> heads_;
  std::jthread thread_;  // last: ends before the members it uses
};

HttpClientOptions local_options() { return {.user_agent = "magpie-test/1.0 (+mailto:test@a.test)", .addresses = {.allow_loopback = true}}; }

std::unique_ptr<HttpClient> client(HttpClientOptions options = local_options()) {
  auto made = HttpClient::make(std::move(options));
  EXPECT_TRUE(made);
  return std::move(*made);
}

std::vector<HttpResponse> run(HttpClient& http, std::vector<HttpRequest> requests) {
  for (HttpRequest& request : requests) http.submit(std::move(request));
  std::vector<HttpResponse> all;
  const Deadline deadline = Deadline::after(20s);
  while (http.in_flight() > 0 && !deadline.passed()) {
    for (HttpResponse& response : http.poll(deadline)) all.push_back(std::move(response));
  }
  EXPECT_EQ(http.in_flight(), 0u);
  return all;
}

HttpResponse fetch(HttpClient& http, HttpRequest request) {
  auto all = run(http, {std::move(request)});
  EXPECT_EQ(all.size(), 1u);
  return std::move(all.front());
}

std::string gzip(const std::string& plain) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY), Z_OK);
  std::string packed(deflateBound(&stream, plain.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(plain.data()));
  stream.avail_in = static_cast<uInt>(plain.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

TEST(HttpClient, GivesTheAnswerAsItCame) {
  ScriptedServer server(
      [](const std::string&) { return Reply{ok("<p>hello", "X-Twice: 1\r\nx-twice:  2 \r\nContent-Type: text/html\r\n")}; });
  const auto http = client();
  const HttpResponse answer = fetch(*http, {.url = server.url("/a?b=c#part"), .tag = 7});
  ASSERT_TRUE(answer.complete()) << answer.error->message;
  EXPECT_EQ(answer.tag, 7u);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.http_version, "1.1");
  EXPECT_EQ(answer.body, "<p>hello");
  EXPECT_EQ(answer.content_encoding, "");
  EXPECT_EQ(answer.header("content-TYPE"), "text/html");
  EXPECT_EQ(answer.headers.at(2).value, "2");
  EXPECT_EQ(answer.header_block, "HTTP/1.1 200 OK\r\nContent-Length: 8\r\nX-Twice: 1\r\nx-twice:  2 \r\nContent-Type: text/html\r\n\r\n");
  EXPECT_EQ(answer.peer_address, "127.0.0.1");
  EXPECT_GT(answer.timings.total.count(), 0);
  EXPECT_FALSE(redirect_target(answer));
  EXPECT_THAT(server.heads().at(0), HasSubstr("GET /a?b=c HTTP/1.1\r\n"));
  EXPECT_THAT(server.heads().at(0), HasSubstr("User-Agent: magpie-test/1.0 (+mailto:test@a.test)\r\n"));
}

TEST(HttpClient, PostsABodyOfItsRequestOnly) {
  ScriptedServer server([](const std::string&) { return Reply{ok("in")}; });
  const auto http = client();
  const HttpHeaders form = {{"Content-Type", "application/x-www-form-urlencoded"}};
  for (const std::optional<std::string>& post : {std::optional<std::string>("user=me&word=a%00b"), {}, {""}, {}}) {
    HttpRequest request{.url = server.url("/in"), .post = post};
    if (post) request.headers = form;
    EXPECT_EQ(fetch(*http, std::move(request)).body, "in");
  }
  EXPECT_EQ(server.connections(), 1) << "all by one handle";
  const auto asked = server.heads();
  ASSERT_EQ(asked.size(), 4u);
  EXPECT_THAT(asked[0], testing::StartsWith("POST /in HTTP/1.1\r\n"));
  EXPECT_THAT(asked[0], HasSubstr("Content-Type: application/x-www-form-urlencoded\r\n"));
  EXPECT_THAT(asked[0], testing::EndsWith("\r\n\r\nuser=me&word=a%00b"));
  EXPECT_THAT(asked[2], testing::StartsWith("POST /in HTTP/1.1\r\n"));
  EXPECT_THAT(asked[2], HasSubstr("Content-Length: 0\r\n"));
  for (const int plain : {1, 3}) {
    EXPECT_THAT(asked[static_cast<std::size_t>(plain)], testing::StartsWith("GET /in HTTP/1.1\r\n"));
    EXPECT_THAT(asked[static_cast<std::size_t>(plain)], Not(HasSubstr("Content-")));
  }
}

TEST(HttpClient, SendsValidatorsHeadersAndCredentialsOfTheirRequestOnly) {
  ScriptedServer server([](const std::string&) { return Reply{"HTTP/1.1 304 Not Modified\r\n\r\n"}; });
  const auto http = client();
  const Url with_password = *Url::parse("http://me:p%40ss@" + server.url("/").href().substr(7));
  const HttpResponse first = fetch(
      *http,
      {.url = with_password, .headers = {{"Accept-Language", "de"}}, .etag = "\"v1\"", .last_modified = "Sat, 21 Nov 2026 10:00:00 GMT"});
  EXPECT_EQ(first.status, 304);
  fetch(*http, {.url = server.url("/")});
  const std::string head = server.heads().at(0);
  EXPECT_THAT(head, HasSubstr("Accept-Language: de\r\n"));
  EXPECT_THAT(head, HasSubstr("If-None-Match: \"v1\"\r\n"));
  EXPECT_THAT(head, HasSubstr("If-Modified-Since: Sat, 21 Nov 2026 10:00:00 GMT\r\n"));
  EXPECT_THAT(head, HasSubstr("Authorization: Basic bWU6cEBzcw==\r\n"));
  const std::string second = server.heads().at(1);
  for (const char* gone : {"Accept-Language", "If-None-Match", "If-Modified-Since", "Authorization"})
    EXPECT_THAT(second, Not(HasSubstr(gone)));
}

TEST(HttpClient, ReusesConnections) {
  ScriptedServer server([](const std::string&) { return Reply{ok("x")}; });
  const auto http = client();
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(fetch(*http, {.url = server.url("/")}).complete());
  EXPECT_EQ(server.connections(), 1);
  EXPECT_EQ(http->counts().connections, 1u);
  EXPECT_EQ(http->counts().transfers, 20u);
}

TEST(HttpClient, KeepsToItsConnectionLimitAndLosesNoRequest) {
  ScriptedServer server([](const std::string& head) { return Reply{ok(head.substr(4, head.find(" HTTP") - 4))}; });
  HttpClientOptions options = local_options();
  options.connections_max = 4;
  const auto http = client(options);
  std::vector<HttpRequest> requests;
  for (std::uint64_t i = 0; i < 200; ++i) requests.push_back({.url = server.url(fmt::format("/{}", i)), .tag = i});
  std::map<std::uint64_t, std::string> bodies;
  for (HttpResponse& answer : run(*http, std::move(requests))) bodies[answer.tag] = answer.body;
  ASSERT_EQ(bodies.size(), 200u);
  for (const auto& [tag, body] : bodies) EXPECT_EQ(body, fmt::format("/{}", tag));
  EXPECT_LE(server.connections(), 4);
}

TEST(HttpClient, LeavesRedirectsToTheCaller) {
  ScriptedServer server(
      [](const std::string&) { return Reply{"HTTP/1.1 302 Found\r\nLocation: ../other?x#y\r\nContent-Length: 0\r\n\r\n"}; });
  const auto http = client();
  const HttpResponse answer = fetch(*http, {.url = server.url("/a/b/c")});
  EXPECT_EQ(answer.status, 302);
  EXPECT_EQ(server.heads().size(), 1u);
  const auto target = redirect_target(answer);
  ASSERT_TRUE(target && *target);
  EXPECT_EQ((*target)->href(), server.url("/a/other?x#y").href());
}

TEST(HttpClient, SaysWhenARedirectLeadsNowhere) {
  HttpResponse answer{.url = *Url::parse("http://a.test/"), .status = 301};
  ASSERT_TRUE(redirect_target(answer));
  EXPECT_EQ(redirect_target(answer)->error().code, Code::kBadInput);
}

TEST(HttpClient, UnpacksCompressedBodies) {
  const std::string page(5'000, 'm');
  ScriptedServer server([&](const std::string&) { return Reply{ok(gzip(page), "Content-Encoding: gzip\r\n")}; });
  const auto http = client();
  const HttpResponse answer = fetch(*http, {.url = server.url("/")});
  EXPECT_EQ(answer.body, page);
  EXPECT_EQ(answer.content_encoding, "gzip");
  for (const char* coding : {"gzip", "br", "zstd"}) EXPECT_THAT(server.heads().at(0), HasSubstr(coding));
}

TEST(HttpClient, StopsADecompressionBomb) {
  const std::string bomb = gzip(std::string(30 << 20, '\0'));
  ASSERT_LT(bomb.size(), 100'000u);
  ScriptedServer server([&](const std::string&) { return Reply{ok(bomb, "Content-Encoding: gzip\r\n")}; });
  const auto http = client();
  const HttpResponse answer = fetch(*http, {.url = server.url("/"), .limits = {.body_bytes_max = 1 << 20}});
  EXPECT_EQ(answer.cause, HttpCause::kTooLarge);
  EXPECT_EQ(answer.error->code, Code::kTooLarge);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body.size(), std::size_t{1} << 20);
}

TEST(HttpClient, StopsBodiesOverTheLimitWithAndWithoutALength) {
  ScriptedServer server([](const std::string& head) {
    if (head.starts_with("GET /chunked"))
      return Reply{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n" + std::string(2'000, 'x') + "\r\n0\r\n\r\n"};
    return Reply{ok(std::string(2'000, 'x'))};
  });
  const auto http = client();
  for (const char* path : {"/chunked", "/length"}) {
    const HttpResponse answer = fetch(*http, {.url = server.url(path), .limits = {.body_bytes_max = 1'999}});
    EXPECT_EQ(answer.cause, HttpCause::kTooLarge) << path;
    EXPECT_LE(answer.body.size(), 1'999u);
    EXPECT_TRUE(fetch(*http, {.url = server.url(path), .limits = {.body_bytes_max = 2'000}}).complete()) << path;
  }
}

TEST(HttpClient, KeepsTheBeginningOfABodyOverTheLimitWhenAsked) {
  ScriptedServer server([](const std::string&) { return Reply{ok("beginning" + std::string(2'000, 'x'))}; });
  const HttpResponse answer = fetch(*client(), {.url = server.url("/"), .limits = {.body_bytes_max = 9, .keep_cut_body = true}});
  EXPECT_EQ(answer.cause, HttpCause::kTooLarge);
  EXPECT_EQ(answer.body, "beginning");
}

TEST(HttpClient, StopsHeadersOverTheLimit) {
  ScriptedServer server([](const std::string& head) {
    std::string more;
    if (head.starts_with("GET /many")) {
      for (int i = 0; i < 500; ++i) more += fmt::format("X-{}: {}\r\n", i, std::string(100, 'y'));
    } else {
      more = "X-Long: " + std::string(150'000, 'y') + "\r\n";
    }
    return Reply{ok("x", more)};
  });
  const auto http = client();
  for (const char* path : {"/many", "/long"}) {
    const HttpResponse answer = fetch(*http, {.url = server.url(path), .limits = {.header_bytes_max = 20'000}});
    EXPECT_EQ(answer.cause, HttpCause::kTooLarge) << path << " " << (answer.error ? answer.error->message : "");
  }
}

TEST(HttpClient, KeepsInterimAnswersAndTrailersOutOfTheHeaders) {
  ScriptedServer server([](const std::string&) {
    return Reply{
        "HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-A: "
        "1\r\n\r\n2\r\nhi\r\n0\r\nX-Trailer: t\r\n\r\n"};
  });
  const auto http = client();
  const HttpResponse answer = fetch(*http, {.url = server.url("/")});
  EXPECT_EQ(answer.body, "hi");
  EXPECT_EQ(answer.header_block, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-A: 1\r\n\r\n");
  EXPECT_EQ(answer.headers.size(), 2u);
}

TEST(HttpClient, NamesWhatWentWrong) {
  ScriptedServer server([](const std::string& head) {
    if (head.starts_with("GET /cut")) return Reply{"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", true};
    if (head.starts_with("GET /nothing")) return Reply{"", true};
    if (head.starts_with("GET /words")) return Reply{"220 mail.a.test ESMTP\r\n\r\n", true};
    if (head.starts_with("GET /broken-gzip")) return Reply{ok("this is no gzip", "Content-Encoding: gzip\r\n")};
    return Reply{"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nslow", false, true};
  });
  const auto http = client();
  for (const char* path : {"/cut", "/nothing", "/words", "/broken-gzip"}) {
    const HttpResponse answer = fetch(*http, {.url = server.url(path)});
    EXPECT_EQ(answer.cause, HttpCause::kProtocol) << path;
    ASSERT_TRUE(answer.error) << path;
    EXPECT_THAT(answer.error->message, HasSubstr("127.0.0.1"));
  }
  const HttpResponse slow = fetch(*http, {.url = server.url("/slow"), .limits = {.total_max = 100ms}});
  EXPECT_EQ(slow.cause, HttpCause::kTimeout);
  EXPECT_EQ(slow.error->code, Code::kTimeout);
  const HttpResponse nobody = fetch(*http, {.url = *Url::parse("http://127.0.0.1:1/")});
  EXPECT_EQ(nobody.cause, HttpCause::kConnect);
  // A label of over 63 letters can have no address, so no name server is asked.
  const HttpResponse no_name = fetch(*http, {.url = *Url::parse("http://" + std::string(70, 'a') + ".test/")});
  EXPECT_EQ(no_name.cause, HttpCause::kDns);
  EXPECT_EQ(fetch(*http, {.url = *Url::parse("ftp://a.test/")}).cause, HttpCause::kRequest);
  EXPECT_EQ(fetch(*http, {.url = server.url("/"), .headers = {{"X", "a\r\nY: b"}}}).cause, HttpCause::kRequest);
}

TEST(HttpClient, AsksTheGuardAboutEveryAddress) {
  ScriptedServer server([](const std::string&) { return Reply{ok("secret")}; });
  HttpClientOptions options = local_options();
  options.addresses = {};
  const auto http = client(options);
  for (const char* host : {"127.0.0.1", "localhost", "0x7f.1", "0.0.0.0", "[::ffff:127.0.0.1]"}) {
    const HttpResponse answer = fetch(*http, {.url = server.url("/", host)});
    EXPECT_EQ(answer.cause, HttpCause::kGuard) << host;
    EXPECT_EQ(answer.error->code, Code::kForbidden);
    EXPECT_EQ(answer.body, "");
  }
  EXPECT_EQ(server.connections(), 0);
  EXPECT_GE(http->counts().addresses_refused, 5u);
}

HttpClientOptions options_with(const NameServer& names) {
  HttpClientOptions options = local_options();
  options.names = {.servers = {names.address()}, .server_timeout = 300ms, .rounds = 1, .hosts_file = "/nonexistent", .ipv6 = false};
  return options;
}
NameReply address_of(const NameQuestion& question, std::vector<std::string> addresses) {
  NameReply reply;
  for (std::string& address : addresses) reply.records.push_back({question.name, 300, std::move(address)});
  return reply;
}

TEST(HttpClient, LooksANameUpOnceForAllItsRequests) {
  ScriptedServer server([](const std::string&) { return Reply{ok("hello")}; });
  NameServer names([](const NameQuestion& q) { return address_of(q, {"127.0.0.1"}); });
  const auto http = client(options_with(names));
  std::vector<HttpRequest> requests;
  for (int i = 0; i < 20; ++i) requests.push_back({.url = server.url(fmt::format("/{}", i), i % 2 ? "shop.test" : "shop.test.")});
  for (const HttpResponse& answer : run(*http, std::move(requests))) {
    EXPECT_EQ(answer.body, "hello");
    EXPECT_EQ(answer.peer_address, "127.0.0.1");
    EXPECT_GE(answer.timings.total, answer.timings.name_lookup);
  }
  EXPECT_EQ(names.count("shop.test A"), 2u) << "one each with and without the dot, which are under way together";
  EXPECT_EQ(fetch(*http, {.url = server.url("/again", "shop.test")}).body, "hello");
  EXPECT_EQ(names.count("shop.test A"), 2u);
  EXPECT_EQ(http->counts().names.misses, 2u);
  EXPECT_THAT(server.heads(), testing::Contains(HasSubstr("Host: shop.test:")));
}

TEST(HttpClient, ConnectsOnlyToAddressesThatTheGuardHasJudged) {
  ScriptedServer server([](const std::string&) { return Reply{ok("hello")}; });
  // A name server that names other addresses each time: what was judged once is what counts.
  NameServer names([](const NameQuestion& q) {
    if (q.name == "inner.test") return address_of(q, {"10.0.0.1", "169.254.169.254", "0.0.0.0"});
    return address_of(
        q, q.number == 0 ? std::vector<std::string>{"10.0.0.1", "127.0.0.1", "192.168.0.1"} : std::vector<std::string>{"10.0.0.1"});
  });
  const auto http = client(options_with(names));
  const HttpResponse inner = fetch(*http, {.url = server.url("/", "inner.test")});
  EXPECT_EQ(inner.cause, HttpCause::kGuard);
  EXPECT_THAT(inner.error->message, HasSubstr("0.0.0.0 is unspecified"));
  EXPECT_EQ(http->counts().addresses_refused, 3u);
  for (int i = 0; i < 3; ++i) {
    const HttpResponse answer = fetch(*http, {.url = server.url("/", "mixed.test"), .headers = {{"Connection", "close"}}});
    EXPECT_EQ(answer.body, "hello");
    EXPECT_EQ(answer.peer_address, "127.0.0.1");
  }
  EXPECT_EQ(names.count("mixed.test A"), 1u);
}

TEST(HttpClient, SaysWhyANameHasNoAddress) {
  NameServer names([](const NameQuestion& q) -> NameReply {
    if (q.name.starts_with("silent")) return {.silent = true};
    return {.rcode = 3};
  });
  const auto http = client(options_with(names));
  const HttpResponse gone = fetch(*http, {.url = *Url::parse("http://gone.test/")});
  EXPECT_EQ(gone.cause, HttpCause::kDns);
  EXPECT_THAT(gone.error->message, testing::StartsWith("gone.test: the name has no address: 127.0.0.1:"));
  const HttpResponse silent = fetch(*http, {.url = *Url::parse("http://silent.test/")});
  EXPECT_EQ(silent.cause, HttpCause::kDns);
  EXPECT_THAT(silent.error->message, HasSubstr("no answer in 300 ms"));
  HttpRequest hurried{.url = *Url::parse("http://silent2.test/")};
  hurried.limits.connect_max = 50ms;
  EXPECT_THAT(fetch(*http, std::move(hurried)).error->message, HasSubstr("in the time that a connection may take"));
}

TEST(HttpClient, CancelsRequestsWhoseNamesAreBeingLookedUp) {
  NameServer names([](const NameQuestion&) -> NameReply { return {.silent = true}; });
  HttpClientOptions options = options_with(names);
  options.connections_max = 3;
  const auto http = client(std::move(options));
  for (std::uint64_t i = 0; i < 5; ++i) http->submit({.url = *Url::parse(fmt::format("http://h{}.test/", i)), .tag = i});
  EXPECT_EQ(http->in_flight(), 5u);
  http->cancel_all();
  const auto ended = http->poll(Deadline::after(1s));
  EXPECT_EQ(ended.size(), 5u);
  for (const HttpResponse& one : ended) EXPECT_EQ(one.cause, HttpCause::kCancelled);
  EXPECT_EQ(http->in_flight(), 0u);
}

TEST(HttpClient, TakesNoProxyFromTheEnvironment) {
  ScriptedServer server([](const std::string&) { return Reply{ok("direct")}; });
  setenv("http_proxy", "http://127.0.0.1:1/", 1);
  setenv("ALL_PROXY", "http://127.0.0.1:1/", 1);
  const auto http = client();
  EXPECT_EQ(fetch(*http, {.url = server.url("/")}).body, "direct");
  unsetenv("http_proxy");
  unsetenv("ALL_PROXY");
}

TEST(HttpClient, AsksTheProxyItWasGivenAndGuardsWhatIsWrittenAsAnAddress) {
  ScriptedServer proxy([](const std::string&) { return Reply{ok("by proxy")}; });
  HttpClientOptions options{.user_agent = "magpie-test/1.0", .proxy = fmt::format("http://{}", proxy.url("/").host())};
  const auto http = client(options);
  EXPECT_EQ(fetch(*http, {.url = *Url::parse("http://shop.invalid/a?b")}).body, "by proxy");
  EXPECT_THAT(proxy.heads(), ElementsAre(testing::StartsWith("GET http://shop.invalid/a?b HTTP/1.1\r\n")));
  EXPECT_EQ(fetch(*http, {.url = *Url::parse("http://169.254.169.254/")}).cause, HttpCause::kGuard);
  EXPECT_EQ(proxy.heads().size(), 1u);
}

TEST(HttpClient, CancelsWhatIsUnderWayAndWhatWaits) {
  ScriptedServer server([](const std::string&) { return Reply{"", false, true}; });
  HttpClientOptions options = local_options();
  options.connections_max = 1;
  const auto http = client(options);
  http->submit({.url = server.url("/1"), .tag = 1});
  http->submit({.url = server.url("/2"), .tag = 2});
  http->cancel_all();
  const auto answers = http->poll(Deadline::after(1s));
  ASSERT_EQ(answers.size(), 2u);
  for (const HttpResponse& answer : answers) EXPECT_EQ(answer.cause, HttpCause::kCancelled);
  EXPECT_EQ(http->in_flight(), 0u);
}

TEST(HttpClient, IsWokenByAnotherThread) {
  const auto http = client();
  std::jthread other([&] { http->wake(); });
  EXPECT_TRUE(http->poll(Deadline::after(30s)).empty());  // the test's own time limit is the failure
}

TEST(HttpClient, RefusesAProxyThatIsNone) {
  for (const char* proxy : {"localhost:3128", "ftp://a.test:21", "http://", "proxy"})
    EXPECT_EQ(HttpClient::make({.user_agent = "a", .proxy = proxy}).error().code, Code::kBadInput) << proxy;
  for (const char* proxy : {"http://127.0.0.1:3128", "socks5h://a.test:1080"})
    EXPECT_TRUE(HttpClient::make({.user_agent = "a", .proxy = proxy})) << proxy;
}

TEST(HttpClient, NeedsAName) {
  EXPECT_EQ(HttpClient::make({}).error().code, Code::kBadInput);
  EXPECT_EQ(HttpClient::make({.user_agent = "a\r\nX: y"}).error().code, Code::kBadInput);
}

TEST(HttpClient, ChecksCertificates) {
  TlsIdentity identity;
  ScriptedServer server([](const std::string&) { return Reply{ok("private")}; }, identity.context());
  const HttpResponse unknown = fetch(*client(), {.url = server.url("/")});
  EXPECT_EQ(unknown.cause, HttpCause::kTls);
  EXPECT_EQ(unknown.body, "");
  HttpClientOptions options = local_options();
  options.ca_file = identity.certificate_file();
  const auto http = client(options);
  const HttpResponse trusted = fetch(*http, {.url = server.url("/")});
  ASSERT_TRUE(trusted.complete()) << trusted.error->message;
  EXPECT_EQ(trusted.body, "private");
  const HttpResponse other_name = fetch(*http, {.url = server.url("/", "localhost")});
  EXPECT_EQ(other_name.cause, HttpCause::kTls);
}

TEST(HttpHeaders, ParseAsTheyCome) {
  const HttpHeaders headers = parse_header_block("HTTP/1.1 200 OK\r\nA: 1\r\n b\r\nno colon\r\n: empty name\r\nB:\tx y \r\n\r\n");
  ASSERT_EQ(headers.size(), 2u);
  EXPECT_EQ(headers[0].value, "1 b");
  EXPECT_EQ(headers[1].value, "x y");
  EXPECT_TRUE(parse_header_block("").empty());
  EXPECT_TRUE(parse_header_block("HTTP/1.1 200").empty());
}

}  // namespace
}  // namespace magpie
