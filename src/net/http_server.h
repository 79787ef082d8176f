#pragma once
// An HTTP/1.1 server shell (Boost.Beast inside): connections, limits, timeouts and streams. What is answered is the handler's.
// One thread does all input and output; handlers run on a pool beside it, so a slow one holds up nobody but its own caller.
//
//   MAGPIE_TRY(std::unique_ptr<HttpServer> server, HttpServer::start({.port = 8080}, handler));   // handler must outlive it
//   ... server->stop(Deadline::after(10s));
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/deadline.h"
#include "base/result.h"
#include "net/event_stream.h"
#include "net/http_headers.h"

namespace magpie {

enum class HttpMethod : std::uint8_t { kGet, kHead, kPost, kDelete, kOther };

struct HttpServerRequest {
  HttpMethod method = HttpMethod::kGet;
  std::string method_name{};                                 // "GET", as sent
  std::string path{};                                        // decoded, begins with "/"; "a%2Fb" has become "a/b"
  std::vector<std::pair<std::string, std::string>> query{};  // decoded names and values, in order
  HttpHeaders headers{};
  std::string body{};
  std::string peer{};  // the caller's address; "" on the Unix socket
  bool on_unix_socket = false;
  /// Nobody waits for the answer any longer than this.
  Deadline deadline = Deadline::never();

  std::string_view header(std::string_view name) const { return find_header(headers, name).value_or(std::string_view()); }
};

struct HttpServerReply {
  int status = 200;
  HttpHeaders headers{};  // Content-Length, Connection and Date are the server's
  /// The bytes, bytes shared with others, or a stream that stays open until either side closes it.
  std::variant<std::string, std::shared_ptr<const std::string>, std::shared_ptr<EventStream>> body{};
};

/// Called from many threads at once. Must not throw; what is thrown all the same becomes a plain 500.
class HttpHandler {
 public:
  virtual ~HttpHandler() = default;
  virtual HttpServerReply answer(HttpServerRequest request) = 0;
  /// The words for a request that the server itself turns away: 400 malformed, 413 and 431 over a limit, 503 full.
  /// `head` holds what was understood of it. The connection is closed behind the answer.
  virtual HttpServerReply refuse(const HttpServerRequest& head, int status, std::string_view why) = 0;
};

struct HttpServerOptions {
  std::string address = "127.0.0.1";  // IPv4 or IPv6; "" for no TCP at all
  std::uint16_t port = 0;             // 0: any free one, see HttpServer::port()
  std::string unix_socket{};          // path of a second listener; made with mode 0600, a dead one there is replaced; "" for none
  std::size_t handler_threads = 4;
  std::size_t connections_max = 1'024;  // further ones get a 503
  std::size_t header_bytes_max = 32 * 1024;
  std::size_t body_bytes_max = 30 * 1024 * 1024;
  std::size_t bodies_in_memory_max = 16;          // of over 1 MiB, at once; further ones get a 503
  std::chrono::milliseconds idle_max{60'000};     // between requests, and for a request's headers; then the connection is closed
  std::chrono::milliseconds body_max{60'000};     // for a request's body; the same
  std::chrono::milliseconds handler_max{60'000};  // HttpServerRequest::deadline
  std::chrono::milliseconds write_max{30'000};    // for each 256 KiB of an answer
  std::chrono::milliseconds heartbeat{15'000};    // a comment in an event stream that was quiet for so long
};

/// Thread-safe.
class HttpServer {
 public:
  /// kBusy when the port or the socket is in use (the message names it), kBadInput for an address that is none, kForbidden or
  /// kUnavailable from the system. Listens when it returns. `handler` must outlive the server.
  static Result<std::unique_ptr<HttpServer>> start(HttpServerOptions options, HttpHandler& handler);
  /// stop() with no patience.
  virtual ~HttpServer() = default;
  /// The TCP port in use; 0 without TCP.
  virtual std::uint16_t port() const = 0;
  /// Takes no more connections, closes idle ones and event streams, lets requests under way finish until the deadline, then cuts
  /// them. Returns when all threads but handlers that still run have ended, and those too. Calling it again does nothing.
  virtual void stop(Deadline deadline) = 0;
  virtual std::size_t connections() const = 0;
};

}  // namespace magpie
