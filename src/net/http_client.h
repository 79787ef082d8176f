#pragma once
// Fetches many URLs at once over HTTP/1.1 and HTTP/2 (libcurl's multi interface on epoll), with limits on every quantity a
// server could abuse. It follows no redirect, keeps no cookie and reads no proxy from the environment. Names are looked up here
// (net/resolver.h); the address guard judges what they lead to before curl hears of it, and each socket once more.
// Politeness, robots.txt and retries are the caller's.
//
//   MAGPIE_TRY(std::unique_ptr<HttpClient> client, HttpClient::make({.user_agent = "magpie (+mailto:me@a.test)"}));
//   client->submit({.url = url, .tag = 7});
//   while (client->in_flight() > 0)
//     for (HttpResponse& response : client->poll(Deadline::after(1s))) use(std::move(response));
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/deadline.h"
#include "base/result.h"
#include "net/address_guard.h"
#include "net/http_headers.h"
#include "net/resolver.h"
#include "net/url.h"

namespace magpie {

/// Per request. Every limit ends the transfer with the cause it belongs to.
struct HttpLimits {
  std::size_t body_bytes_max = 20 * 1024 * 1024;  // after decompression, so bombs end here, too
  std::size_t header_bytes_max = 256 * 1024;      // all header lines of the answer, interim (1xx) answers included
  std::chrono::milliseconds total_max{60'000};
  std::chrono::milliseconds connect_max{10'000};  // name look-up, TCP and TLS
  std::size_t speed_bytes_min = 256;              // bytes a second, over the time below; slower ends it as kTimeout
  std::chrono::seconds speed_period{20};
  std::size_t speed_bytes_max = 0;  // bytes a second, about; 0: as fast as they come
  bool keep_cut_body = false;       // read a body that says it is too large up to the limit, instead of refusing it unread
};

struct HttpRequest {
  Url url;                            // http or https; user name and password are sent as Basic authentication
  HttpHeaders headers{};              // extra ones; User-Agent and Accept-Encoding are the client's
  std::string etag{};                 // sent as If-None-Match unless empty
  std::string last_modified{};        // sent as If-Modified-Since unless empty
  std::optional<std::string> post{};  // a body to POST, its Content-Type among the headers; nothing for a GET
  HttpLimits limits{};
  std::uint64_t tag = 0;  // handed back, for the caller to know its request by
};

/// Why there is no complete answer. Persisted by name (to_string): append only.
enum class HttpCause : std::uint8_t {
  kNone,       // complete: status, headers and body are the server's, whatever the status says
  kDns,        // the name has no address, or no name server could say
  kConnect,    // nobody listens, or no route
  kTls,        // handshake or certificate
  kTimeout,    // any of the time limits, or too slow
  kTooLarge,   // body or headers over the limit; what came before is there, the body may be cut or empty
  kProtocol,   // no HTTP, broken framing or compression, connection cut before the end
  kGuard,      // the address guard refused every address of the host
  kRequest,    // the request itself cannot be sent (scheme, header with a line break)
  kCancelled,  // cancel_all()
};
/// "dns", "connect", "tls", "timeout", "too-large", "protocol", "guard", "request", "cancelled"; "none".
std::string_view to_string(HttpCause cause);

/// All since the start of the transfer; zero for a step not reached.
struct HttpTimings {
  std::chrono::microseconds name_lookup{0};
  std::chrono::microseconds connected{0};  // TCP and TLS are up; 0 on a reused connection
  std::chrono::microseconds first_byte{0};
  std::chrono::microseconds total{0};
};

struct HttpResponse {
  std::uint64_t tag = 0;
  Url url;  // the one asked for
  HttpCause cause = HttpCause::kNone;
  std::optional<Error> error{};     // set exactly when cause is not kNone; kUnavailable and kTimeout are worth a retry
  int status = 0;                   // 0 when none was received
  std::string_view http_version{};  // "1.0", "1.1", "2"; "" when none
  HttpHeaders headers{};            // of the final answer
  std::string header_block{};       // the same, byte for byte as received, status line to empty line; for the archive
  std::string body{};               // whole; decompressed when `content_encoding` is not empty
  std::string content_encoding{};   // what was taken off the body: "gzip", "br", "zstd"; "" when it is as sent
  std::string peer_address{};       // "192.0.2.1"; "" before a connection
  HttpTimings timings{};

  bool complete() const { return cause == HttpCause::kNone; }
  std::optional<std::string_view> header(std::string_view name) const { return find_header(headers, name); }
};

/// Where a 301, 302, 303, 307 or 308 points: its Location against the URL asked for. Nothing for other answers; kBadInput
/// when the header is missing or no URL. The caller judges it (scope, robots, guard) and submits it again, or not.
std::optional<Result<Url>> redirect_target(const HttpResponse& response);

struct HttpClientOptions {
  std::string user_agent{};  // must not be empty: a server's owner must be able to tell who it was
  AddressPolicy addresses{};
  std::size_t connections_max = 256;       // open at once; further requests wait inside, in order
  std::size_t connections_idle_max = 256;  // kept open for reuse
  ResolverOptions names{};                 // who is asked for addresses, and how long answers are kept
  bool http2 = true;                       // offered over TLS (ALPN); never on plain TCP
  std::string ca_file{};                   // PEM file of trusted roots in place of the system's, for tests
  /// "http://a.test:3128", also https, socks5 and socks5h; "" for none. The user names it, so its own address is not asked of the guard;
  /// of the pages' addresses only those written as numbers are, as the proxy looks the names up.
  std::string proxy{};
};

/// Used by the one thread that owns it, but for wake(). Memory: what is in flight, up to body_bytes_max each.
class HttpClient {
 public:
  /// kBadInput for an empty user agent; kInternal or kUnavailable when libcurl or epoll cannot be set up. Makes the process
  /// ignore SIGPIPE.
  static Result<std::unique_ptr<HttpClient>> make(HttpClientOptions options);
  virtual ~HttpClient() = default;

  /// Starts a transfer. Never blocks, never fails: whatever is wrong comes back as a response with a cause.
  virtual void submit(HttpRequest request) = 0;
  /// Works until at least one transfer has ended, the deadline passes or wake() is called; at once when nothing is in flight
  /// and answers are waiting. Returns the ended ones; may be empty. With nothing in flight it waits for wake() or the deadline.
  virtual std::vector<HttpResponse> poll(Deadline deadline) = 0;
  /// Submitted and not yet handed out by poll().
  virtual std::size_t in_flight() const = 0;
  /// Ends everything in flight; poll() hands those out with kCancelled.
  virtual void cancel_all() = 0;
  /// Makes a running or the next poll() return early. Thread-safe, async-signal-safe.
  virtual void wake() = 0;

  /// Since the start.
  struct Counts {
    std::uint64_t transfers = 0;          // ended, whatever way
    std::uint64_t connections = 0;        // opened
    std::uint64_t addresses_refused = 0;  // by the guard
    std::uint64_t body_bytes = 0;         // after decompression
    ResolverCounts names{};
  };
  virtual Counts counts() const = 0;
};

}  // namespace magpie
