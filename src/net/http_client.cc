#include "net/http_client.h"

#include <curl/curl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <deque>
#include <unordered_map>

#include "base/check.h"
#include "base/files.h"

namespace magpie {
namespace {

using Clock = Deadline::Clock;

struct EasyDeleter {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
struct MultiDeleter {
  void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
};
struct SlistDeleter {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using HeaderList = std::unique_ptr<curl_slist, SlistDeleter>;

void append_line(HeaderList& list, const std::string& line) {
  curl_slist* longer = curl_slist_append(list.get(), line.c_str());
  MAGPIE_CHECK(longer != nullptr, "out of memory");
  (void)list.release();
  list.reset(longer);
}

template <class Value>
void set(CURL* easy, CURLoption option, Value value) {
  const CURLcode code = curl_easy_setopt(easy, option, value);
  MAGPIE_CHECK(code == CURLE_OK, "curl option {}: {}", static_cast<int>(option), curl_easy_strerror(code));
}

/// A request whose host's name is being looked up.
struct AwaitingName {
  HttpRequest request;
  Clock::time_point since;
};

/// One request under way, and the curl handle it keeps for the next one.
struct Transfer {
  std::unique_ptr<CURL, EasyDeleter> easy{curl_easy_init()};
  const AddressPolicy* addresses = nullptr;  // nothing: the socket goes to the user's proxy
  HttpLimits limits;
  std::optional<std::string> post;  // curl reads it from here
  HttpResponse response;
  HeaderList headers;
  HeaderList addresses_known;              // for CURLOPT_RESOLVE: "host:port:address,address"
  std::chrono::microseconds looked_up{0};  // before curl began
  std::size_t header_bytes = 0;
  bool header_block_ended = false;
  bool too_large = false;
  bool has_credentials = false;
  std::string refused_address;  // the last one the guard refused, with its reason
  std::uint64_t sockets_refused = 0;
  std::uint64_t sockets_opened = 0;
  char words[CURL_ERROR_SIZE] = "";
  std::size_t place = 0;  // in the client's list of active transfers
};

// ---- callbacks; `user` is the Transfer ----

std::size_t on_header(char* bytes, std::size_t, std::size_t size, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  const std::string_view line(bytes, size);
  transfer.header_bytes += size;
  if (transfer.header_bytes > transfer.limits.header_bytes_max) {
    transfer.too_large = true;
    return 0;
  }
  std::string& block = transfer.response.header_block;
  if (line.starts_with("HTTP/")) {  // the final answer follows an interim one
    block.clear();
    transfer.header_block_ended = false;
  }
  // Lines behind the empty one are trailers of a chunked body.
  if (!transfer.header_block_ended) block.append(line);
  if (line == "\r\n" || line == "\n") transfer.header_block_ended = true;
  return size;
}

std::size_t on_body(char* bytes, std::size_t, std::size_t size, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  std::string& body = transfer.response.body;
  const std::size_t room = transfer.limits.body_bytes_max - body.size();
  body.append(bytes, std::min(size, room));
  if (size <= room) return size;
  transfer.too_large = true;
  return 0;
}

curl_socket_t on_open_socket(void* user, curlsocktype, curl_sockaddr* address) {
  auto& transfer = *static_cast<Transfer*>(user);
  const auto ip = IpAddress::from(address->addr);
  Result<void> allowed = ip ? Result<void>() : fail(Code::kForbidden, "the address is neither IPv4 nor IPv6");
  if (ip && transfer.addresses != nullptr) allowed = check_address(*ip, *transfer.addresses);
  if (!allowed) {
    transfer.refused_address = allowed.error().message;
    ++transfer.sockets_refused;
    return CURL_SOCKET_BAD;
  }
  ++transfer.sockets_opened;
  return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

// ---- from curl's result to ours ----

HttpCause cause_of(CURLcode code, const Transfer& transfer) {
  if (transfer.too_large) return HttpCause::kTooLarge;
  switch (code) {
    case CURLE_OK: return HttpCause::kNone;
    case CURLE_COULDNT_RESOLVE_HOST: return HttpCause::kDns;
    case CURLE_COULDNT_CONNECT: return transfer.sockets_refused > 0 ? HttpCause::kGuard : HttpCause::kConnect;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_SSL_ENGINE_INITFAILED: return HttpCause::kTls;
    case CURLE_OPERATION_TIMEDOUT: return HttpCause::kTimeout;
    case CURLE_FILESIZE_EXCEEDED: return HttpCause::kTooLarge;
    // curl's own limit of 100 KB for one header line ends like this.
    case CURLE_OUT_OF_MEMORY: return HttpCause::kTooLarge;
    case CURLE_URL_MALFORMAT: return HttpCause::kRequest;
    default: return HttpCause::kProtocol;
  }
}

Code code_of(HttpCause cause) {
  switch (cause) {
    case HttpCause::kTimeout: return Code::kTimeout;
    case HttpCause::kTooLarge: return Code::kTooLarge;
    case HttpCause::kGuard: return Code::kForbidden;
    case HttpCause::kRequest: return Code::kBadInput;
    case HttpCause::kCancelled: return Code::kCancelled;
    default: return Code::kUnavailable;
  }
}

std::string words_for(HttpCause cause, CURLcode code, const Transfer& transfer) {
  if (cause == HttpCause::kGuard) return transfer.refused_address;
  if (cause == HttpCause::kTooLarge) {
    return fmt::format("the answer is over the limit of {} body or {} header bytes", transfer.limits.body_bytes_max,
                       transfer.limits.header_bytes_max);
  }
  return transfer.words[0] != '\0' ? transfer.words : curl_easy_strerror(code);
}

void set_cause(HttpResponse& response, HttpCause cause, std::string_view words) {
  response.cause = cause;
  if (cause != HttpCause::kNone) response.error = Error{code_of(cause), fmt::format("{}: {}", response.url.host(), words)};
}

std::chrono::microseconds time_of(CURL* easy, CURLINFO which) {
  curl_off_t microseconds = 0;
  curl_easy_getinfo(easy, which, &microseconds);
  return std::chrono::microseconds(microseconds);
}

/// curl's times begin when the name is known.
HttpTimings timings_of(CURL* easy, std::chrono::microseconds looked_up) {
  const auto connect = time_of(easy, CURLINFO_CONNECT_TIME_T);
  const auto since_asked = [&](std::chrono::microseconds time) { return time.count() == 0 ? time : time + looked_up; };
  return {.name_lookup = looked_up + time_of(easy, CURLINFO_NAMELOOKUP_TIME_T),
          .connected = since_asked(std::max(connect, time_of(easy, CURLINFO_APPCONNECT_TIME_T))),
          .first_byte = since_asked(time_of(easy, CURLINFO_STARTTRANSFER_TIME_T)),
          .total = looked_up + time_of(easy, CURLINFO_TOTAL_TIME_T)};
}

std::string_view http_version_of(CURL* easy) {
  long version = 0;
  curl_easy_getinfo(easy, CURLINFO_HTTP_VERSION, &version);
  switch (version) {
    case CURL_HTTP_VERSION_1_0: return "1.0";
    case CURL_HTTP_VERSION_1_1: return "1.1";
    case CURL_HTTP_VERSION_2_0: return "2";
    default: return "";
  }
}

void take_answer(CURL* easy, HttpResponse& response, std::chrono::microseconds looked_up) {
  long status = 0;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  response.status = static_cast<int>(status);
  response.http_version = http_version_of(easy);
  response.headers = parse_header_block(response.header_block);
  const auto encoding = response.header("content-encoding");
  if (encoding && !response.body.empty()) response.content_encoding = *encoding;
  const char* address = nullptr;
  curl_easy_getinfo(easy, CURLINFO_PRIMARY_IP, &address);
  if (address != nullptr) response.peer_address = address;
  response.timings = timings_of(easy, looked_up);
}

// ---- setting a handle up ----

std::string decoded(std::string_view component) {
  int size = 0;
  const std::unique_ptr<char, void (*)(void*)> text(
      curl_easy_unescape(nullptr, component.data(), static_cast<int>(component.size()), &size), curl_free);
  return text ? std::string(text.get(), static_cast<std::size_t>(size)) : std::string();
}

/// The URL without user name, password and fragment.
std::string url_for_curl(const Url& url) { return fmt::format("{}//{}{}", url.protocol(), url.host(), url.path_and_query()); }

void set_credentials(Transfer& transfer, const Url& url) {
  const bool wanted = !url.username().empty() || !url.password().empty();
  if (!wanted && !transfer.has_credentials) return;
  CURL* easy = transfer.easy.get();
  set(easy, CURLOPT_USERNAME, wanted ? decoded(url.username()).c_str() : nullptr);
  set(easy, CURLOPT_PASSWORD, wanted ? decoded(url.password()).c_str() : nullptr);
  transfer.has_credentials = wanted;
}

void set_method(Transfer& transfer, std::optional<std::string> post) {
  if (!post && !transfer.post) return;
  CURL* easy = transfer.easy.get();
  transfer.post = std::move(post);
  set(easy, CURLOPT_POSTFIELDS, transfer.post ? transfer.post->data() : nullptr);
  set(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(transfer.post ? transfer.post->size() : 0));
  set(easy, transfer.post ? CURLOPT_POST : CURLOPT_HTTPGET, 1L);
}

/// @param looked_up  the part of the time that is gone already.
void set_limits(CURL* easy, const HttpLimits& limits, std::chrono::microseconds looked_up) {
  const auto left = [&](std::chrono::milliseconds most) {
    return static_cast<long>(std::max<std::int64_t>(1, std::chrono::ceil<std::chrono::milliseconds>(most - looked_up).count()));
  };
  set(easy, CURLOPT_TIMEOUT_MS, left(limits.total_max));
  set(easy, CURLOPT_CONNECTTIMEOUT_MS, left(limits.connect_max));
  set(easy, CURLOPT_LOW_SPEED_LIMIT, static_cast<long>(limits.speed_bytes_min));
  set(easy, CURLOPT_LOW_SPEED_TIME, static_cast<long>(limits.speed_period.count()));
  set(easy, CURLOPT_MAX_RECV_SPEED_LARGE, static_cast<curl_off_t>(limits.speed_bytes_max));
  set(easy, CURLOPT_MAXFILESIZE_LARGE, static_cast<curl_off_t>(limits.keep_cut_body ? 0 : limits.body_bytes_max));
}

/// An entry for CURLOPT_RESOLVE. The "+" lets curl forget it in time, so that a long crawl's hosts do not pile up.
HeaderList resolve_list(const Url& url, const std::vector<IpAddress>& addresses) {
  std::string entry = fmt::format("+{}:{}:", url.hostname(), url.port_or_default());
  for (std::size_t i = 0; i < addresses.size(); ++i) entry += (i > 0 ? "," : "") + addresses[i].to_host();
  HeaderList list;
  append_line(list, entry);
  return list;
}

HeaderList header_list(const HttpRequest& request) {
  HeaderList list;
  // A header with an empty value is spelled "Name;" in curl; "Name:" would take one of curl's own away.
  for (const HttpHeader& header : request.headers)
    append_line(list, header.value.empty() ? header.name + ";" : header.name + ": " + header.value);
  if (!request.etag.empty()) append_line(list, "If-None-Match: " + request.etag);
  if (!request.last_modified.empty()) append_line(list, "If-Modified-Since: " + request.last_modified);
  return list;
}

bool can_be_sent(const HttpRequest& request) {
  return std::all_of(request.headers.begin(), request.headers.end(), is_sendable) && is_sendable({"If-None-Match", request.etag}) &&
         is_sendable({"If-Modified-Since", request.last_modified});
}

void set_up_curl_once() {
  static const CURLcode code = [] {
    // With CURLOPT_NOSIGNAL curl leaves SIGPIPE to us, and OpenSSL raises it on a connection the server has closed.
    std::signal(SIGPIPE, SIG_IGN);
    return curl_global_init(CURL_GLOBAL_DEFAULT);
  }();
  MAGPIE_CHECK(code == CURLE_OK, "libcurl does not start: {}", curl_easy_strerror(code));
}

class CurlHttpClient final : public HttpClient {
 public:
  explicit CurlHttpClient(HttpClientOptions options) : options_(std::move(options)) {}
  ~CurlHttpClient() override {
    for (const auto& transfer : active_) curl_multi_remove_handle(multi_.get(), transfer->easy.get());
  }

  Result<void> open() {
    epoll_ = UniqueFd(epoll_create1(EPOLL_CLOEXEC));
    if (!epoll_) return fail_errno("epoll");
    wake_ = UniqueFd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!wake_) return fail_errno("eventfd");
    MAGPIE_TRY(resolver_, Resolver::make(options_.names));
    for (const int fd : {wake_.get(), resolver_->fd()}) {
      epoll_event event{.events = EPOLLIN, .data = {.fd = fd}};
      if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) return fail_errno("epoll");
    }
    multi_.reset(curl_multi_init());
    if (!multi_) return fail(Code::kInternal, "libcurl gives no multi handle");
    curl_multi_setopt(multi_.get(), CURLMOPT_SOCKETFUNCTION, &CurlHttpClient::on_socket);
    curl_multi_setopt(multi_.get(), CURLMOPT_SOCKETDATA, this);
    curl_multi_setopt(multi_.get(), CURLMOPT_TIMERFUNCTION, &CurlHttpClient::on_timer);
    curl_multi_setopt(multi_.get(), CURLMOPT_TIMERDATA, this);
    curl_multi_setopt(multi_.get(), CURLMOPT_MAXCONNECTS, static_cast<long>(options_.connections_idle_max));
    return {};
  }

  void submit(HttpRequest request) override {
    waiting_.push_back(std::move(request));
    start_waiting();
  }

  std::vector<HttpResponse> poll(Deadline deadline) override {
    bool woken = false;
    while (finished_.empty() && !woken) {
      woken = run_once(deadline);
      if (deadline.passed()) break;
    }
    return std::exchange(finished_, {});
  }

  std::size_t in_flight() const override { return waiting_.size() + awaiting_count_ + active_.size() + finished_.size(); }

  void cancel_all() override {
    while (!active_.empty()) {
      std::unique_ptr<Transfer> transfer = take_active(*active_.back());
      set_cause(transfer->response, HttpCause::kCancelled, "cancelled");
      hand_over(std::move(transfer));
    }
    for (auto& [name, requests] : std::exchange(awaiting_, {})) {
      for (AwaitingName& one : requests) refuse(one.request, HttpCause::kCancelled, "cancelled");
    }
    awaiting_count_ = 0;
    for (HttpRequest& request : std::exchange(waiting_, {})) refuse(request, HttpCause::kCancelled, "cancelled");
  }

  void wake() override {
    const std::uint64_t one = 1;
    (void)!write(wake_.get(), &one, sizeof one);
  }

  Counts counts() const override {
    Counts counts = counts_;
    counts.names = resolver_->counts();
    return counts;
  }

 private:
  // Idle handles kept: more than this were a burst.
  static constexpr std::size_t kIdleHandlesMax = 1'024;
  // How long curl keeps what it was told of a name. Each request tells it anew; this has to last until its socket is open.
  static constexpr long kCurlKeepsNamesSeconds = 300;

  static int on_socket(CURL*, curl_socket_t fd, int what, void* user, void* known) {
    auto& self = *static_cast<CurlHttpClient*>(user);
    if (what == CURL_POLL_REMOVE) {
      epoll_ctl(self.epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
      return 0;
    }
    epoll_event event{};
    event.data.fd = fd;
    if (what & CURL_POLL_IN) event.events |= EPOLLIN;
    if (what & CURL_POLL_OUT) event.events |= EPOLLOUT;
    epoll_ctl(self.epoll_.get(), known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event);
    if (!known) curl_multi_assign(self.multi_.get(), fd, &self);  // any pointer but null: "known" from now on
    return 0;
  }

  static int on_timer(CURLM*, long milliseconds, void* user) {
    auto& self = *static_cast<CurlHttpClient*>(user);
    self.timer_ = milliseconds < 0 ? Clock::time_point::max() : Clock::now() + std::chrono::milliseconds(milliseconds);
    return 0;
  }

  /// One round of waiting and working; true when wake() was called.
  bool run_once(Deadline deadline) {
    std::array<epoll_event, 256> events;
    const Deadline until = Deadline::at(std::min({deadline.when(), timer_, resolver_->next_timeout(), next_name_deadline()}));
    const int count = epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), static_cast<int>(until.left().count()));
    bool woken = false;
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events[static_cast<std::size_t>(i)];
      if (event.data.fd == wake_.get()) {
        woken = true;
        std::uint64_t drained = 0;
        (void)!read(wake_.get(), &drained, sizeof drained);
      } else if (event.data.fd != resolver_->fd()) {
        act_on(event);
      }
    }
    take_names();
    if (timer_ <= Clock::now()) {
      timer_ = Clock::time_point::max();  // curl sets the next one during the call
      int running = 0;
      curl_multi_socket_action(multi_.get(), CURL_SOCKET_TIMEOUT, 0, &running);
    }
    collect_finished();
    start_waiting();
    return woken;
  }

  void act_on(const epoll_event& event) {
    int mask = 0;
    if (event.events & EPOLLIN) mask |= CURL_CSELECT_IN;
    if (event.events & EPOLLOUT) mask |= CURL_CSELECT_OUT;
    if (event.events & (EPOLLERR | EPOLLHUP)) mask |= CURL_CSELECT_ERR;
    int running = 0;
    curl_multi_socket_action(multi_.get(), event.data.fd, mask, &running);
  }

  void collect_finished() {
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      const CURLcode code = message->data.result;
      void* user = nullptr;
      curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &user);
      finish(*static_cast<Transfer*>(user), code);
    }
  }

  void finish(Transfer& ended, CURLcode code) {
    take_answer(ended.easy.get(), ended.response, ended.looked_up);
    if (!options_.proxy.empty()) ended.response.peer_address.clear();  // it is the proxy's
    const HttpCause cause = cause_of(code, ended);
    set_cause(ended.response, cause, cause == HttpCause::kNone ? "" : words_for(cause, code, ended));
    hand_over(take_active(ended));
  }

  void hand_over(std::unique_ptr<Transfer> transfer) {
    ++counts_.transfers;
    counts_.connections += std::exchange(transfer->sockets_opened, 0);
    counts_.addresses_refused += std::exchange(transfer->sockets_refused, 0);
    counts_.body_bytes += transfer->response.body.size();
    finished_.push_back(std::move(transfer->response));
    if (idle_.size() < kIdleHandlesMax) idle_.push_back(std::move(transfer));
  }

  std::unique_ptr<Transfer> take_active(Transfer& transfer) {
    curl_multi_remove_handle(multi_.get(), transfer.easy.get());
    const std::size_t place = transfer.place;
    std::unique_ptr<Transfer> taken = std::move(active_[place]);
    active_[place] = std::move(active_.back());
    if (active_[place]) active_[place]->place = place;
    active_.pop_back();
    return taken;
  }

  void start_waiting() {
    while (!waiting_.empty() && active_.size() + awaiting_count_ < options_.connections_max) {
      HttpRequest request = std::move(waiting_.front());
      waiting_.pop_front();
      start(std::move(request));
    }
  }

  // ---- names ----

  void take_names() {
    // Also when nobody waits any more: a look-up that was given up has to end, too.
    for (NameAnswer& answer : resolver_->work()) {
      const auto node = awaiting_.extract(answer.name);
      if (node.empty()) continue;
      for (AwaitingName& one : node.mapped()) {
        --awaiting_count_;
        name_is_known(std::move(one.request), answer, std::chrono::ceil<std::chrono::microseconds>(Clock::now() - one.since));
      }
    }
    give_up_names(Clock::now());
  }

  /// The look-up's time is part of connect_max.
  static Clock::time_point deadline_of(const AwaitingName& one) {
    return one.since + std::min(one.request.limits.connect_max, one.request.limits.total_max);
  }

  Clock::time_point next_name_deadline() const {
    Clock::time_point next = Clock::time_point::max();
    for (const auto& [name, requests] : awaiting_) {
      for (const AwaitingName& one : requests) next = std::min(next, deadline_of(one));
    }
    return next;
  }

  void give_up_names(Clock::time_point now) {
    for (auto at = awaiting_.begin(); at != awaiting_.end();) {
      std::erase_if(at->second, [&](AwaitingName& one) {
        if (now < deadline_of(one)) return false;
        --awaiting_count_;
        refuse(one.request, HttpCause::kDns, "no name server answered in the time that a connection may take");
        return true;
      });
      at = at->second.empty() ? awaiting_.erase(at) : std::next(at);
    }
  }

  /// Only addresses that the guard lets through reach curl, so what was judged is what is connected to.
  void name_is_known(HttpRequest request, const NameAnswer& answer, std::chrono::microseconds took) {
    if (!answer.addresses) return refuse(request, HttpCause::kDns, answer.addresses.error().message);
    std::vector<IpAddress> allowed;
    std::string refusal;
    for (const IpAddress& address : *answer.addresses) {
      const Result<void> verdict = check_address(address, options_.addresses);
      if (verdict) {
        allowed.push_back(address);
        continue;
      }
      ++counts_.addresses_refused;
      refusal = verdict.error().message;
    }
    if (allowed.empty()) return refuse(request, HttpCause::kGuard, refusal);
    begin(std::move(request), allowed, took);
  }

  void start(HttpRequest request) {
    if (!request.url.is_http()) return refuse(request, HttpCause::kRequest, "only http and https can be fetched");
    if (!can_be_sent(request)) return refuse(request, HttpCause::kRequest, "a header has characters that cannot be sent");
    if (const Result<void> allowed = check_written_address(request.url); !allowed) {
      ++counts_.addresses_refused;
      return refuse(request, HttpCause::kGuard, allowed.error().message);
    }
    if (!options_.proxy.empty() || request.url.has_ip_host()) return begin(std::move(request), {}, {});
    if (const auto known = resolver_->look_up(request.url.hostname())) return name_is_known(std::move(request), *known, {});
    ++awaiting_count_;
    std::vector<AwaitingName>& same_name = awaiting_[std::string(request.url.hostname())];
    same_name.push_back({std::move(request), Clock::now()});
  }

  /// @param addresses  of its host's name; empty where there is nothing to look up, or where that is the proxy's part.
  void begin(HttpRequest request, const std::vector<IpAddress>& addresses, std::chrono::microseconds looked_up) {
    std::unique_ptr<Transfer> transfer = idle_handle();
    prepare(*transfer, std::move(request), addresses, looked_up);
    const CURLMcode code = curl_multi_add_handle(multi_.get(), transfer->easy.get());
    MAGPIE_CHECK(code == CURLM_OK, "libcurl takes no transfer: {}", curl_multi_strerror(code));
    transfer->place = active_.size();
    active_.push_back(std::move(transfer));
  }

  /// Behind a proxy the guard sees no socket of the page's host.
  Result<void> check_written_address(const Url& url) const {
    if (options_.proxy.empty() || !url.has_ip_host()) return {};
    const auto address = IpAddress::parse(url.hostname());
    return address ? check_address(*address, options_.addresses) : Result<void>(Failure(address.error()));
  }

  void refuse(HttpRequest& request, HttpCause cause, std::string_view words) {
    HttpResponse response{.tag = request.tag, .url = std::move(request.url)};
    set_cause(response, cause, words);
    ++counts_.transfers;
    finished_.push_back(std::move(response));
  }

  /// Options that never change are set when a handle is made, so that a request costs only its own.
  std::unique_ptr<Transfer> new_handle() const {
    auto transfer = std::make_unique<Transfer>(Transfer{.response = {.url = empty_url()}});
    MAGPIE_CHECK(transfer->easy, "libcurl gives no handle");
    if (options_.proxy.empty()) transfer->addresses = &options_.addresses;
    CURL* easy = transfer->easy.get();
    set(easy, CURLOPT_PRIVATE, transfer.get());
    set(easy, CURLOPT_ERRORBUFFER, transfer->words);
    set(easy, CURLOPT_HEADERFUNCTION, &on_header);
    set(easy, CURLOPT_HEADERDATA, transfer.get());
    set(easy, CURLOPT_WRITEFUNCTION, &on_body);
    set(easy, CURLOPT_WRITEDATA, transfer.get());
    set(easy, CURLOPT_OPENSOCKETFUNCTION, &on_open_socket);
    set(easy, CURLOPT_OPENSOCKETDATA, transfer.get());
    set(easy, CURLOPT_NOSIGNAL, 1L);
    set(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    set(easy, CURLOPT_FOLLOWLOCATION, 0L);
    set(easy, CURLOPT_PATH_AS_IS, 1L);                 // the WHATWG parser has resolved dot segments already
    set(easy, CURLOPT_PROXY, options_.proxy.c_str());  // "": also none from the environment, it would connect in our place, unguarded
    set(easy, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
    set(easy, CURLOPT_ACCEPT_ENCODING, "");  // all that libcurl was built with
    set(easy, CURLOPT_BUFFERSIZE, 64L * 1024);
    set(easy, CURLOPT_USERAGENT, options_.user_agent.c_str());
    set(easy, CURLOPT_DNS_CACHE_TIMEOUT, kCurlKeepsNamesSeconds);
    set(easy, CURLOPT_HTTP_VERSION, static_cast<long>(options_.http2 ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1));
    if (!options_.ca_file.empty()) set(easy, CURLOPT_CAINFO, options_.ca_file.c_str());
    return transfer;
  }

  std::unique_ptr<Transfer> idle_handle() {
    if (idle_.empty()) return new_handle();
    std::unique_ptr<Transfer> transfer = std::move(idle_.back());
    idle_.pop_back();
    return transfer;
  }

  void prepare(Transfer& transfer, HttpRequest request, const std::vector<IpAddress>& addresses, std::chrono::microseconds looked_up) {
    CURL* easy = transfer.easy.get();
    transfer.header_bytes = 0;
    transfer.header_block_ended = transfer.too_large = false;
    transfer.words[0] = '\0';
    transfer.limits = request.limits;
    HeaderList headers = header_list(request);
    set(easy, CURLOPT_HTTPHEADER, headers.get());
    transfer.headers = std::move(headers);
    set(easy, CURLOPT_URL, url_for_curl(request.url).c_str());
    // Waits to learn whether a connection under way can be shared, instead of opening a second one.
    set(easy, CURLOPT_PIPEWAIT, options_.http2 && request.url.scheme() == "https" ? 1L : 0L);
    set_method(transfer, std::move(request.post));
    set_credentials(transfer, request.url);
    HeaderList known = addresses.empty() ? HeaderList() : resolve_list(request.url, addresses);
    set(easy, CURLOPT_RESOLVE, known.get());
    transfer.addresses_known = std::move(known);
    transfer.looked_up = looked_up;
    set_limits(easy, request.limits, looked_up);
    transfer.response = HttpResponse{.tag = request.tag, .url = std::move(request.url)};
  }

  static const Url& empty_url() {
    static const Url url = *Url::parse("http://none.invalid/");
    return url;
  }

  const HttpClientOptions options_;
  UniqueFd epoll_;
  UniqueFd wake_;
  std::vector<HttpResponse> finished_;
  std::deque<HttpRequest> waiting_;
  std::unique_ptr<Resolver> resolver_;
  std::unordered_map<std::string, std::vector<AwaitingName>> awaiting_;  // by name
  std::size_t awaiting_count_ = 0;
  Clock::time_point timer_ = Clock::time_point::max();
  Counts counts_;
  // Handles are destroyed before the multi handle, which closes its connections through epoll_ above.
  std::unique_ptr<CURLM, MultiDeleter> multi_;
  std::vector<std::unique_ptr<Transfer>> idle_;
  std::vector<std::unique_ptr<Transfer>> active_;
};

// A mistake here would look like every host being down.
Result<void> check_proxy(const std::string& proxy) {
  if (proxy.empty()) return {};
  constexpr std::array<std::string_view, 4> kSchemes = {"http", "https", "socks5", "socks5h"};
  const auto url = Url::parse(proxy);
  const bool known = url && !url->host().empty() && std::find(kSchemes.begin(), kSchemes.end(), url->scheme()) != kSchemes.end();
  if (known) return {};
  return fail(Code::kBadInput,
              "the proxy (crawl.proxy) must be http://, https://, socks5:// or socks5h://HOST:PORT");  // not named: it may hold a password
}

}  // namespace

std::string_view to_string(HttpCause cause) {
  constexpr std::array<std::string_view, 10> kNames = {"none",      "dns",      "connect", "tls",     "timeout",
                                                       "too-large", "protocol", "guard",   "request", "cancelled"};
  return kNames[static_cast<std::size_t>(cause)];
}

std::optional<Result<Url>> redirect_target(const HttpResponse& response) {
  constexpr std::array<int, 5> kRedirects = {301, 302, 303, 307, 308};
  if (std::find(kRedirects.begin(), kRedirects.end(), response.status) == kRedirects.end()) return std::nullopt;
  const auto location = response.header("location");
  if (!location) return Result<Url>(fail(Code::kBadInput, "{} answered {} without a Location", response.url.host(), response.status));
  return Url::parse(*location, response.url);
}

Result<std::unique_ptr<HttpClient>> HttpClient::make(HttpClientOptions options) {
  if (options.user_agent.empty()) return fail(Code::kBadInput, "a crawler needs a name: the user agent is empty");
  if (!is_sendable({"User-Agent", options.user_agent})) return fail(Code::kBadInput, "the user agent has characters that cannot be sent");
  MAGPIE_TRY_DO(check_proxy(options.proxy));
  set_up_curl_once();
  auto client = std::make_unique<CurlHttpClient>(std::move(options));
  MAGPIE_TRY_DO(client->open());
  return std::unique_ptr<HttpClient>(std::move(client));
}

}  // namespace magpie
