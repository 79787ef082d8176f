// Real connections over loopback, by plain sockets so that they can misbehave.
#include "net/http_server.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <functional>
#include <future>
#include <thread>

#include "base/files.h"
#include "net/http_target.h"

namespace magpie {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

class Handler final : public HttpHandler {
 public:
  using Answer = std::function<HttpServerReply(HttpServerRequest)>;
  explicit Handler(Answer answer) : answer_(std::move(answer)) {}
  HttpServerReply answer(HttpServerRequest request) override { return answer_(std::move(request)); }
  HttpServerReply refuse(const HttpServerRequest& head, int status, std::string_view why) override {
    return {.status = status, .headers = {{"Content-Type", "text/plain"}}, .body = fmt::format("{} {}", head.path, why)};
  }

 private:
  Answer answer_;
};

HttpServerReply text(std::string body) { return {.headers = {{"Content-Type", "text/plain"}}, .body = std::move(body)}; }

std::unique_ptr<HttpServer> start(HttpHandler& handler, HttpServerOptions options = {}) {
  auto server = HttpServer::start(std::move(options), handler);
  EXPECT_TRUE(server) << (server ? "" : server.error().message);
  return std::move(*server);
}

UniqueFd connect_to(std::uint16_t port) {
  UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  EXPECT_EQ(connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  const timeval patience{.tv_sec = 10, .tv_usec = 0};
  setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  return fd;
}

void send_text(const UniqueFd& fd, std::string_view text) {
  while (!text.empty()) {
    const auto sent = ::send(fd.get(), text.data(), text.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
}

/// Until `end` has come, or the connection has ended.
std::string receive(const UniqueFd& fd, std::string_view end = "") {
  std::string all;
  char buffer[16 * 1024];
  while (end.empty() || all.find(end) == std::string::npos) {
    const auto got = ::recv(fd.get(), buffer, sizeof buffer, 0);
    if (got <= 0) break;
    all.append(buffer, static_cast<std::size_t>(got));
  }
  return all;
}

std::string ask(std::uint16_t port, std::string_view request) {
  const UniqueFd fd = connect_to(port);
  send_text(fd, request);
  return receive(fd);
}

std::string get(std::string_view target) { return fmt::format("GET {} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", target); }

TEST(HttpServer, HandsTheRequestOverDecoded) {
  HttpServerRequest seen;
  Handler handler([&](HttpServerRequest request) {
    seen = request;
    return text("hello");
  });
  const auto server = start(handler);
  const std::string answer =
      ask(server->port(), "POST /a%20b/c?x=1+2&y=%C3%A9&x= HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\nContent-Length: 4\r\n\r\nbody");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, HasSubstr("Content-Length: 5\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\nhello"));
  EXPECT_EQ(seen.method, HttpMethod::kPost);
  EXPECT_EQ(seen.path, "/a b/c");
  const std::vector<std::pair<std::string, std::string>> query = {{"x", "1 2"}, {"y", "\xC3\xA9"}, {"x", ""}};
  EXPECT_EQ(seen.query, query);
  EXPECT_EQ(seen.body, "body");
  EXPECT_EQ(seen.header("HOST"), "a.test");
  EXPECT_EQ(seen.peer, "127.0.0.1");
}

TEST(HttpServer, AnswersManyRequestsOnOneConnection) {
  Handler handler([](HttpServerRequest request) { return text(request.path); });
  const auto server = start(handler);
  const UniqueFd fd = connect_to(server->port());
  send_text(fd, "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nHEAD /22 HTTP/1.1\r\nHost: a\r\n\r\n" + get("/3"));
  const std::string all = receive(fd);
  EXPECT_THAT(all, HasSubstr("\r\n\r\n/1HTTP/1.1 200 OK"));
  EXPECT_THAT(all, HasSubstr("Content-Length: 3\r\n"));  // of HEAD, whose body does not follow
  EXPECT_THAT(all, testing::Not(HasSubstr("\r\n\r\n/22")));
  EXPECT_THAT(all, EndsWith("\r\n\r\n/3"));
}

TEST(HttpServer, SendsSharedAndLargeBodiesWhole) {
  const auto large = std::make_shared<const std::string>(3'000'000, 'p');
  Handler handler([&](HttpServerRequest) { return HttpServerReply{.headers = {{"X-Bad", "a\r\nb"}}, .body = large}; });
  const auto server = start(handler);
  const std::string answer = ask(server->port(), get("/"));
  EXPECT_THAT(answer, HasSubstr("Content-Length: 3000000\r\n"));
  EXPECT_EQ(answer.size() - answer.find("\r\n\r\n") - 4, large->size());
  EXPECT_EQ(answer.find("X-Bad"), std::string::npos);  // a header that would break the message is left out
}

TEST(HttpServer, RefusesWhatIsOverItsLimits) {
  Handler handler([](HttpServerRequest) { return text("never"); });
  const auto server = start(handler, {.header_bytes_max = 4'096, .body_bytes_max = 1'000});
  EXPECT_THAT(ask(server->port(), "POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n\r\n" + std::string(1'001, 'x')),
              StartsWith("HTTP/1.1 413"));
  EXPECT_THAT(ask(server->port(), "POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 9000000\r\n\r\n" + std::string(9'000'000, 'x')),
              EndsWith("/p the body is over the limit"));
  EXPECT_THAT(ask(server->port(),
                  "POST /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n" + std::string(2'000, 'x') + "\r\n0\r\n\r\n"),
              StartsWith("HTTP/1.1 413"));
  EXPECT_THAT(ask(server->port(), "GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(5'000, 'x') + "\r\n\r\n"), StartsWith("HTTP/1.1 431"));
  EXPECT_THAT(ask(server->port(), "nonsense\r\n\r\n"), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(ask(server->port(), get("/a%00b")), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(ask(server->port(), get("http://a.test/")), StartsWith("HTTP/1.1 400"));
}

TEST(HttpServer, TurnsAwayConnectionsOverItsLimit) {
  Handler handler([](HttpServerRequest) { return text("in"); });
  const auto server = start(handler, {.connections_max = 1});
  const UniqueFd first = connect_to(server->port());
  send_text(first, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_THAT(receive(first, "in"), EndsWith("in"));
  EXPECT_THAT(receive(connect_to(server->port())), StartsWith("HTTP/1.1 503"));
}

TEST(HttpServer, DropsConnectionsThatSaySlowlyWhatTheyWant) {
  Handler handler([](HttpServerRequest) { return text("x"); });
  const auto server = start(handler, {.idle_max = 50ms, .body_max = 50ms});
  const UniqueFd half = connect_to(server->port());
  send_text(half, "GET / HT");
  EXPECT_EQ(receive(half), "");
  const UniqueFd body = connect_to(server->port());
  send_text(body, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nfive5");
  EXPECT_EQ(receive(body), "");
}

TEST(HttpServer, InvitesABodyThatWaitsForIt) {
  Handler handler([](HttpServerRequest request) { return text(request.body); });
  const auto server = start(handler);
  const UniqueFd fd = connect_to(server->port());
  send_text(fd, "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  EXPECT_EQ(receive(fd, "\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  send_text(fd, "ok");
  EXPECT_THAT(receive(fd), EndsWith("\r\n\r\nok"));
}

TEST(HttpServer, ASlowHandlerHoldsUpNobodyElse) {
  std::promise<void> release;
  std::shared_future<void> released = release.get_future().share();
  std::promise<void> entered;
  Handler handler([&](HttpServerRequest request) {
    if (request.path == "/slow") {
      entered.set_value();
      released.wait();
    }
    return text(request.path);
  });
  const auto server = start(handler, {.handler_threads = 2});
  auto slow = std::async(std::launch::async, [&] { return ask(server->port(), get("/slow")); });
  entered.get_future().wait();
  EXPECT_THAT(ask(server->port(), get("/quick")), EndsWith("/quick"));
  release.set_value();
  EXPECT_THAT(slow.get(), EndsWith("/slow"));
}

TEST(HttpServer, AHandlerThatThrowsCostsItsRequestOnly) {
  Handler handler([](HttpServerRequest request) -> HttpServerReply {
    if (request.path == "/throw") throw std::runtime_error("oops");
    return text("fine");
  });
  const auto server = start(handler);
  EXPECT_THAT(ask(server->port(), get("/throw")), StartsWith("HTTP/1.1 500"));
  EXPECT_THAT(ask(server->port(), get("/")), EndsWith("fine"));
}

TEST(HttpServer, ListensOnAUnixSocketOfItsUserOnly) {
  const fs::path path = fs::temp_directory_path() / fmt::format("magpie-server-{}.sock", getpid());
  Handler handler([](HttpServerRequest request) { return text(request.on_unix_socket ? "local" : "tcp"); });
  {
    const auto server = start(handler, {.address = "", .unix_socket = path.string()});
    EXPECT_EQ(server->port(), 0);
    struct stat status {};
    ASSERT_EQ(stat(path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600u);
    UniqueFd fd(socket(AF_UNIX, SOCK_STREAM, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.string().copy(address.sun_path, sizeof address.sun_path - 1);
    ASSERT_EQ(connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    send_text(fd, get("/"));
    EXPECT_THAT(receive(fd), EndsWith("local"));
    const auto second = HttpServer::start({.address = "", .unix_socket = path.string()}, handler);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, Code::kBusy);
  }
  EXPECT_FALSE(fs::exists(path));
}

TEST(HttpServer, ReplacesASocketLeftBehindByACrash) {
  const fs::path path = fs::temp_directory_path() / fmt::format("magpie-dead-{}.sock", getpid());
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.string().copy(address.sun_path, sizeof address.sun_path - 1);
  {
    UniqueFd dead(socket(AF_UNIX, SOCK_STREAM, 0));
    ASSERT_EQ(bind(dead.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  Handler handler([](HttpServerRequest) { return text("x"); });
  EXPECT_TRUE(HttpServer::start({.address = "", .unix_socket = path.string()}, handler));
}

TEST(HttpServer, SaysWhyItCannotListen) {
  Handler handler([](HttpServerRequest) { return text("x"); });
  const auto server = start(handler);
  EXPECT_EQ(HttpServer::start({.port = server->port()}, handler).error().code, Code::kBusy);
  EXPECT_EQ(HttpServer::start({.address = "localhost"}, handler).error().code, Code::kBadInput);
  EXPECT_EQ(HttpServer::start({.address = "", .unix_socket = std::string(200, 'x')}, handler).error().code, Code::kBadInput);
}

HttpServerReply stream_reply(std::shared_ptr<EventStream> stream) {
  return {.headers = {{"Content-Type", "text/event-stream"}}, .body = std::move(stream)};
}

TEST(HttpServer, StreamsEventsAsTheyArePushed) {
  const auto stream = std::make_shared<EventStream>();
  Handler handler([&](HttpServerRequest) { return stream_reply(stream); });
  const auto server = start(handler, {.heartbeat = 30ms});
  const UniqueFd fd = connect_to(server->port());
  send_text(fd, "GET /events HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_THAT(receive(fd, "\r\n\r\n"), HasSubstr("text/event-stream"));
  EXPECT_TRUE(stream->push(event_text("one", "a\nb")));
  EXPECT_THAT(receive(fd, "b\n\n"), HasSubstr("event: one\ndata: a\ndata: b\n\n"));
  EXPECT_THAT(receive(fd, ":\n\n"), HasSubstr(":\n\n"));  // quiet for a heartbeat
  stream->push(event_text("two", "c"));
  EXPECT_THAT(receive(fd, "c\n\n"), HasSubstr("event: two\ndata: c\n\n"));
  stream->close();
  receive(fd);  // ends
  EXPECT_FALSE(stream->push("late"));
}

TEST(HttpServer, NoticesThatAReaderHasGone) {
  const auto stream = std::make_shared<EventStream>();
  std::promise<void> gone;
  Handler handler([&](HttpServerRequest) { return stream_reply(stream); });
  const auto server = start(handler);
  {
    const UniqueFd fd = connect_to(server->port());
    send_text(fd, "GET /events HTTP/1.1\r\nHost: a\r\n\r\n");
    receive(fd, "\r\n\r\n");
  }
  const Deadline deadline = Deadline::after(10s);
  while (!stream->closed() && !deadline.passed()) std::this_thread::yield();
  EXPECT_TRUE(stream->closed());
}

TEST(HttpServer, CutsAReaderThatFallsBehind) {
  const auto stream = std::make_shared<EventStream>(100'000);
  Handler handler([&](HttpServerRequest) { return stream_reply(stream); });
  const auto server = start(handler);
  const UniqueFd fd = connect_to(server->port());
  send_text(fd, "GET /events HTTP/1.1\r\nHost: a\r\n\r\n");
  receive(fd, "\r\n\r\n");
  const std::string event = event_text("much", std::string(50'000, 'x'));
  const Deadline deadline = Deadline::after(10s);
  while (stream->push(event) && !deadline.passed()) std::this_thread::yield();
  EXPECT_TRUE(stream->closed());
  while (server->connections() > 0 && !deadline.passed()) std::this_thread::yield();
  EXPECT_EQ(server->connections(), 0u);
}

TEST(HttpServer, FinishesWhatIsUnderWayWhenItStops) {
  std::promise<void> entered;
  std::promise<void> release;
  Handler handler([&](HttpServerRequest) {
    entered.set_value();
    release.get_future().wait();
    return text("finished");
  });
  const auto server = start(handler);
  const UniqueFd idle = connect_to(server->port());
  auto busy = std::async(std::launch::async, [&] { return ask(server->port(), get("/")); });
  entered.get_future().wait();
  auto stopping = std::async(std::launch::async, [&] { server->stop(Deadline::after(10s)); });
  EXPECT_EQ(receive(idle), "");
  release.set_value();
  stopping.get();
  EXPECT_THAT(busy.get(), EndsWith("finished"));
  EXPECT_EQ(server->connections(), 0u);
}

TEST(HttpServer, ClosesStreamsWhenItStops) {
  const auto stream = std::make_shared<EventStream>();
  Handler handler([&](HttpServerRequest) { return stream_reply(stream); });
  const auto server = start(handler);
  const UniqueFd fd = connect_to(server->port());
  send_text(fd, "GET /events HTTP/1.1\r\nHost: a\r\n\r\n");
  receive(fd, "\r\n\r\n");
  server->stop(Deadline::after(10s));
  EXPECT_TRUE(stream->closed());
  EXPECT_FALSE(stream->push("after the server"));
}

TEST(EventText, KeepsEveryKindOfLineBreakInside) {
  EXPECT_EQ(event_text("e", "a\r\nb\rc\nd"), "event: e\ndata: a\ndata: b\ndata: c\ndata: d\n\n");
  EXPECT_EQ(event_text("e", ""), "event: e\ndata: \n\n");
}

TEST(HttpTarget, IsTakenApart) {
  const auto target = parse_target("/a%2Fb?x&y=1=2&&%zz=%4");
  ASSERT_TRUE(target);
  EXPECT_EQ(target->path, "/a/b");
  const std::vector<std::pair<std::string, std::string>> query = {{"x", ""}, {"y", "1=2"}, {"%zz", "%4"}};
  EXPECT_EQ(target->query, query);
  EXPECT_FALSE(parse_target(""));
  EXPECT_FALSE(parse_target("*"));
  std::string many = "/?";
  for (int i = 0; i < 1'001; ++i) many += "a&";
  EXPECT_EQ(parse_target(many).error().code, Code::kTooLarge);
}

}  // namespace
}  // namespace magpie
