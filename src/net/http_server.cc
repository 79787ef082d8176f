// Everything here but HttpServer's own functions runs on the one input-output thread, so nothing of it needs a lock.
#include "net/http_server.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <ctime>
#include <future>
#include <optional>
#include <thread>
#include <unordered_set>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "base/log.h"
#include "net/address_guard.h"
#include "net/http_target.h"
#include "net/listen_socket.h"

namespace magpie {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::system::error_code;
using Protocol = asio::generic::stream_protocol;  // one code for TCP and Unix sockets
using Socket = asio::basic_stream_socket<Protocol>;
using Acceptor = asio::basic_socket_acceptor<Protocol>;
using Stream = beast::basic_stream<Protocol>;
using Parser = http::request_parser<http::string_body>;
template <class T = void>
using Task = asio::awaitable<T>;
constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);

constexpr std::size_t kSliceBytes = 256 * 1024;    // written under one timeout
constexpr std::size_t kBigBodyBytes = 1 << 20;     // from here on a body counts for bodies_in_memory_max
constexpr std::size_t kDrainBytesMax = 64u << 20;  // read and dropped behind a refusal, so that the caller gets to read it

HttpMethod method_of(http::verb verb) {
  switch (verb) {
    case http::verb::get: return HttpMethod::kGet;
    case http::verb::head: return HttpMethod::kHead;
    case http::verb::post: return HttpMethod::kPost;
    case http::verb::delete_: return HttpMethod::kDelete;
    default: return HttpMethod::kOther;
  }
}

std::string date_now() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  char text[40];
  const std::size_t size = std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts);
  return std::string(text, size);
}

bool has_body(int status) { return status >= 200 && status != 204 && status != 304; }

/// Status line and header lines. Without `length` the end of the connection ends the body.
std::string head_text(const HttpServerReply& reply, std::optional<std::size_t> length, bool keep_alive) {
  std::string text = fmt::format("HTTP/1.1 {} {}\r\nDate: {}\r\n", reply.status,
                                 std::string_view(http::obsolete_reason(static_cast<http::status>(reply.status))), date_now());
  if (length && has_body(reply.status)) text += fmt::format("Content-Length: {}\r\n", *length);
  if (!keep_alive) text += "Connection: close\r\n";
  for (const HttpHeader& header : reply.headers) {
    if (is_sendable(header)) text.append(header.name).append(": ").append(header.value).append("\r\n");
  }
  return text.append("\r\n");
}

std::string_view body_of(const HttpServerReply& reply) {
  if (const auto* text = std::get_if<std::string>(&reply.body)) return *text;
  if (const auto* shared = std::get_if<std::shared_ptr<const std::string>>(&reply.body)) return *shared ? **shared : std::string_view();
  return {};
}

class Session;

/// What all sessions share.
struct Shared {
  Shared(HttpServerOptions o, HttpHandler& h) : options(std::move(o)), handler(h), pool(options.handler_threads) {}
  const HttpServerOptions options;
  HttpHandler& handler;
  asio::thread_pool pool;
  std::unordered_set<Session*> sessions;
  std::atomic<std::size_t> session_count{0};
  std::size_t big_bodies = 0;
  bool stopping = false;
};

/// One of the big bodies that may be in memory at once; gives its place back when it goes.
class BigBodyPlace {
 public:
  explicit BigBodyPlace(Shared& shared) : shared_(shared) { ++shared_.big_bodies; }
  ~BigBodyPlace() { --shared_.big_bodies; }
  BigBodyPlace(const BigBodyPlace&) = delete;
  BigBodyPlace& operator=(const BigBodyPlace&) = delete;

 private:
  Shared& shared_;
};

HttpServerReply call(HttpHandler& handler, HttpServerRequest request) {
  try {
    return handler.answer(std::move(request));
  } catch (const std::exception& error) { log::error("http.handler_threw", {{"what", error.what()}}); } catch (...) {
    log::error("http.handler_threw");
  }
  return {.status = 500, .headers = {{"Content-Type", "text/plain"}}, .body = std::string("internal error\n")};
}

/// One connection: requests one after another, or one event stream to its end.
class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(std::shared_ptr<asio::io_context> io, Shared& shared, Socket socket, std::string peer, bool on_unix_socket)
      : io_(std::move(io)),
        shared_(shared),
        stream_(std::move(socket)),
        timer_(*io_),
        peer_(std::move(peer)),
        on_unix_socket_(on_unix_socket) {
    shared_.sessions.insert(this);
    ++shared_.session_count;
  }
  ~Session() {
    shared_.sessions.erase(this);
    --shared_.session_count;
  }

  Task<> run() {
    bool go_on = true;
    while (go_on && !shared_.stopping) go_on = co_await serve_one();
    error_code ignored;
    stream_.socket().shutdown(Socket::shutdown_both, ignored);
    cut();
  }

  /// Ends the connection now unless a request is under way.
  void close_if_idle() {
    if (events_) events_->close();
    else if (idle_) cut();
  }
  void cut() {
    error_code ignored;
    stream_.socket().close(ignored);
  }

 private:
  const HttpServerOptions& options() const { return shared_.options; }

  /// False when the connection is to be closed.
  Task<bool> serve_one() {
    parser_.emplace();
    parser_->header_limit(static_cast<std::uint32_t>(options().header_bytes_max));
    parser_->body_limit(options().body_bytes_max);
    const error_code head_error = co_await read_head();
    if (head_error) co_return co_await refuse_head(head_error);

    const auto target = parse_target(std::string_view(parser_->get().target()));
    if (!target) co_return co_await refuse(400, target.error().message);
    HttpServerRequest request = request_head();
    request.path = target->path;
    request.query = target->query;

    const std::size_t length = parser_->content_length().value_or(parser_->chunked() ? options().body_bytes_max : 0);
    std::optional<BigBodyPlace> place;
    if (length > kBigBodyBytes) {
      if (shared_.big_bodies >= options().bodies_in_memory_max) co_return co_await refuse(503, "too many large uploads at once; try again");
      place.emplace(shared_);
    }
    const error_code body_error = co_await read_body();
    if (body_error == http::error::body_limit) co_return co_await refuse(413, "the body is over the limit");
    if (body_error) co_return false;  // gone, or too slow: then Beast has closed the connection already

    request.body = std::move(parser_->get().body());
    const bool head_only = request.method == HttpMethod::kHead;
    const bool keep_alive = parser_->keep_alive() && !shared_.stopping;
    HttpServerReply reply = co_await handle(std::move(request));
    place.reset();
    if (const auto* events = std::get_if<std::shared_ptr<EventStream>>(&reply.body); events && *events && !head_only) {
      co_return co_await write_events(reply, *events);
    }
    const bool written = co_await write_reply(reply, head_only, keep_alive);
    co_return written&& keep_alive;
  }

  Task<error_code> read_head() {
    stream_.expires_after(options().idle_max);
    idle_ = buffer_.size() == 0;
    const auto done = co_await http::async_read_header(stream_, buffer_, *parser_, kAwait);
    idle_ = false;
    co_return std::get<0>(done);
  }

  Task<error_code> read_body() {
    if (parser_->is_done()) co_return error_code();
    stream_.expires_after(options().body_max);
    if (beast::iequals(parser_->get()[http::field::expect], "100-continue")) {
      const auto sent = co_await asio::async_write(stream_, asio::buffer(std::string_view("HTTP/1.1 100 Continue\r\n\r\n")), kAwait);
      if (std::get<0>(sent)) co_return std::get<0>(sent);
    }
    const auto done = co_await http::async_read(stream_, buffer_, *parser_, kAwait);
    co_return std::get<0>(done);
  }

  HttpServerRequest request_head() const {
    const auto& message = parser_->get();
    HttpServerRequest request;
    request.method = method_of(message.method());
    request.method_name = std::string(message.method_string());
    for (const auto& field : message) request.headers.push_back({std::string(field.name_string()), std::string(field.value())});
    request.peer = peer_;
    request.on_unix_socket = on_unix_socket_;
    request.deadline = Deadline::after(options().handler_max);
    return request;
  }

  Task<HttpServerReply> handle(HttpServerRequest request) {
    stream_.expires_never();
    // Not a coroutine of its own: that one would cost as much as a small answer does.
    auto begin = [this](auto done, HttpServerRequest asked) {
      asio::post(shared_.pool, [this, done = std::move(done), asked = std::move(asked), open = asio::make_work_guard(*io_)]() mutable {
        HttpServerReply reply = call(shared_.handler, std::move(asked));
        asio::post(*io_, [done = std::move(done), reply = std::move(reply)]() mutable { std::move(done)(std::move(reply)); });
      });
    };
    co_return co_await asio::async_initiate<const asio::use_awaitable_t<>, void(HttpServerReply)>(std::move(begin), asio::use_awaitable,
                                                                                                  std::move(request));
  }

  Task<bool> refuse_head(error_code error) {
    if (error == http::error::header_limit || error == http::error::buffer_overflow)
      co_return co_await refuse(431, "the request's headers are over the limit");
    if (error == http::error::body_limit) co_return co_await refuse(413, "the body is over the limit");
    if (error == http::error::end_of_stream || error == beast::error::timeout) co_return false;  // the caller has gone, or sleeps
    if (error.category() == make_error_code(http::error::bad_method).category() && error != http::error::partial_message) {
      co_return co_await refuse(400, "the request is not HTTP: " + error.message());
    }
    co_return false;
  }

  Task<bool> refuse(int status, std::string why) {
    HttpServerRequest head = request_head();
    if (auto target = parse_target(std::string_view(parser_->get().target()))) head.path = std::move(target->path);
    const HttpServerReply reply = shared_.handler.refuse(head, status, why);
    const bool written = co_await write_reply(reply, head.method == HttpMethod::kHead, false);
    if (written) co_await drain();
    co_return false;
  }

  /// A connection closed with unread bytes is reset, and the caller may never see the answer. So what it still sends is read away.
  Task<> drain() {
    error_code ignored;
    stream_.socket().shutdown(Socket::shutdown_send, ignored);
    buffer_.clear();
    for (std::size_t total = 0; total < kDrainBytesMax && !shared_.stopping;) {
      stream_.expires_after(std::chrono::seconds(2));
      const auto got =
          co_await stream_.async_read_some(buffer_.prepare(std::min<std::size_t>(options().header_bytes_max, 16 * 1024)), kAwait);
      if (std::get<0>(got)) break;
      total += std::get<1>(got);
    }
  }

  Task<bool> write_reply(const HttpServerReply& reply, bool head_only, bool keep_alive) {
    std::string_view body = body_of(reply);
    const std::string head = head_text(reply, body.size(), keep_alive);
    if (head_only || !has_body(reply.status)) body = {};
    std::size_t at = std::min(body.size(), kSliceBytes);
    const std::array<asio::const_buffer, 2> first = {asio::buffer(head), asio::buffer(body.substr(0, at))};
    stream_.expires_after(options().write_max);
    const auto sent = co_await asio::async_write(stream_, first, kAwait);
    if (std::get<0>(sent)) co_return false;
    while (at < body.size()) {
      const std::string_view slice = body.substr(at, kSliceBytes);
      stream_.expires_after(options().write_max);
      const auto more = co_await asio::async_write(stream_, asio::buffer(slice), kAwait);
      if (std::get<0>(more)) co_return false;
      at += slice.size();
    }
    co_return true;
  }

  // ---- event streams ----

  Task<bool> write_events(const HttpServerReply& reply, std::shared_ptr<EventStream> events) {
    events_ = events;
    stream_.expires_never();
    events->set_wake([io = io_, weak = weak_from_this()] {
      asio::post(*io, [weak] {
        if (const auto self = weak.lock()) self->on_events();
      });
    });
    asio::co_spawn(*io_, watch_reader(shared_from_this(), events), asio::detached);
    bool open = co_await write_now(head_text(reply, std::nullopt, false));
    while (open) open = co_await write_next_events(*events);
    events->close();
    events->set_wake({});
    co_return false;
  }

  /// Writes what waits, or waits for it. False at the end of the stream.
  Task<bool> write_next_events(EventStream& events) {
    const std::optional<std::string> text = events.take();
    if (!text) co_return false;
    if (!text->empty()) co_return co_await write_now(*text);
    timer_.expires_after(options().heartbeat);
    const auto waited = co_await timer_.async_wait(kAwait);
    if (!std::get<0>(waited)) co_return co_await write_now(":\n\n");  // not cancelled: nothing came for so long
    co_return true;
  }

  Task<bool> write_now(std::string text) {
    const auto sent = co_await asio::async_write(stream_.socket(), asio::buffer(text), kAwait);
    co_return !std::get<0>(sent);
  }

  /// Runs on the input-output thread some time after each push() or close().
  void on_events() {
    timer_.cancel();
    if (events_ && events_->closed()) cut();  // also ends a write that a slow reader holds up
  }

  /// A reader sends nothing more; the end of its side is the only sign that it has gone.
  static Task<> watch_reader(std::shared_ptr<Session> self, std::shared_ptr<EventStream> events) {
    std::array<char, 256> ignored{};
    while (true) {
      const auto got = co_await self->stream_.socket().async_read_some(asio::buffer(ignored), kAwait);
      if (std::get<0>(got)) break;
    }
    events->close();
  }

  std::shared_ptr<asio::io_context> io_;
  Shared& shared_;
  Stream stream_;
  asio::steady_timer timer_;
  beast::flat_buffer buffer_{128 * 1024};
  std::optional<Parser> parser_;
  std::shared_ptr<EventStream> events_;
  const std::string peer_;
  const bool on_unix_socket_;
  bool idle_ = false;
};

std::string peer_of(const Socket& socket) {
  error_code error;
  const auto endpoint = socket.remote_endpoint(error);
  if (error) return "";
  const auto ip = IpAddress::from(*static_cast<const sockaddr*>(static_cast<const void*>(endpoint.data())));
  return ip ? ip->to_string() : "";
}

class BeastServer final : public HttpServer {
 public:
  BeastServer(HttpServerOptions options, HttpHandler& handler) : shared_(std::move(options), handler) {}
  ~BeastServer() override { stop(Deadline::after(0s)); }

  Result<void> open() {
    if (!shared_.options.address.empty()) {
      MAGPIE_TRY(UniqueFd fd, listen_on_tcp(shared_.options.address, shared_.options.port));
      port_ = port_of(fd);
      const bool v6 = shared_.options.address.find(':') != std::string::npos;
      accept_from(std::move(fd), Protocol(v6 ? AF_INET6 : AF_INET, IPPROTO_TCP), false);
    }
    if (!shared_.options.unix_socket.empty()) {
      MAGPIE_TRY(UniqueFd fd, listen_on_unix_socket(shared_.options.unix_socket));
      made_unix_socket_ = true;
      accept_from(std::move(fd), Protocol(AF_UNIX, 0), true);
    }
    thread_ = std::thread([this, ended = std::move(ended_)]() mutable {
      io_->run();
      ended.set_value();
    });
    return {};
  }

  std::uint16_t port() const override { return port_; }
  std::size_t connections() const override { return shared_.session_count.load(); }

  void stop(Deadline deadline) override {
    if (!thread_.joinable()) return;
    asio::post(*io_, [this] { begin_stop(); });
    if (has_ended_.wait_for(deadline.left()) != std::future_status::ready) {
      asio::post(*io_, [this] {
        for (Session* session : shared_.sessions) session->cut();
      });
    }
    thread_.join();
    shared_.pool.join();
    if (made_unix_socket_) unlink(shared_.options.unix_socket.c_str());
  }

 private:
  void accept_from(UniqueFd fd, const Protocol& protocol, bool on_unix_socket) {
    auto acceptor = std::make_shared<Acceptor>(*io_, protocol, fd.release());
    acceptors_.push_back(acceptor);
    asio::co_spawn(*io_, accept_all(acceptor, on_unix_socket), asio::detached);
  }

  Task<> accept_all(std::shared_ptr<Acceptor> acceptor, bool on_unix_socket) {
    asio::steady_timer pause(*io_);
    while (acceptor->is_open()) {
      Socket socket(*io_);
      const auto accepted = co_await acceptor->async_accept(socket, kAwait);
      if (!acceptor->is_open()) break;
      if (std::get<0>(accepted)) {  // out of descriptors, as a rule: others must be closed first
        log::warn_every(10s, "http.accept_failed", {{"error", std::get<0>(accepted).message()}});
        pause.expires_after(100ms);
        co_await pause.async_wait(kAwait);
        continue;
      }
      start_session(std::move(socket), on_unix_socket);
    }
  }

  void start_session(Socket socket, bool on_unix_socket) {
    if (shared_.sessions.size() >= shared_.options.connections_max) return turn_away(socket);
    const int yes = 1;
    if (!on_unix_socket) setsockopt(socket.native_handle(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    std::string peer = on_unix_socket ? "" : peer_of(socket);
    auto session = std::make_shared<Session>(io_, shared_, std::move(socket), std::move(peer), on_unix_socket);
    asio::co_spawn(
        *io_, [session]() -> Task<> { co_await session->run(); }, asio::detached);
  }

  /// The answer goes into the socket's empty buffer at once, or not at all.
  void turn_away(Socket& socket) {
    const HttpServerReply reply = shared_.handler.refuse({}, 503, "the server has as many connections as it takes; try again");
    const std::string_view body = body_of(reply);
    const std::string text = head_text(reply, body.size(), false).append(body);
    (void)!::send(socket.native_handle(), text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  }

  void begin_stop() {
    shared_.stopping = true;
    for (const auto& acceptor : acceptors_) {
      error_code ignored;
      acceptor->close(ignored);
    }
    for (Session* session : shared_.sessions) session->close_if_idle();
  }

  std::shared_ptr<asio::io_context> io_ = std::make_shared<asio::io_context>(1);
  Shared shared_;
  std::vector<std::shared_ptr<Acceptor>> acceptors_;
  std::promise<void> ended_;
  std::future<void> has_ended_ = ended_.get_future();
  std::thread thread_;
  std::uint16_t port_ = 0;
  bool made_unix_socket_ = false;
};

}  // namespace

Result<std::unique_ptr<HttpServer>> HttpServer::start(HttpServerOptions options, HttpHandler& handler) {
  auto server = std::make_unique<BeastServer>(std::move(options), handler);
  MAGPIE_TRY_DO(server->open());
  return std::unique_ptr<HttpServer>(std::move(server));
}

}  // namespace magpie
