#include "crawl/replay_client.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <deque>
#include <limits>
#include <utility>

namespace magpie::crawl {
namespace {

constexpr std::size_t kAtOnce = 16;  // answers of one poll()

HttpResponse failed(HttpResponse response, HttpCause cause, Error error) {
  response.cause = cause;
  response.error = std::move(error);
  return response;
}

class ReplayClient final : public HttpClient {
 public:
  ReplayClient(std::shared_ptr<const ReplayIndex> index, UniqueFd waking) : index_(std::move(index)), waking_(std::move(waking)) {}

  void submit(HttpRequest request) override { waiting_.push_back(std::move(request)); }

  std::vector<HttpResponse> poll(Deadline deadline) override {
    if (waiting_.empty()) wait(deadline);
    std::vector<HttpResponse> answers;
    while (!waiting_.empty() && answers.size() < kAtOnce) {
      const HttpRequest request = std::move(waiting_.front());
      waiting_.pop_front();
      answers.push_back(cancelled_ > 0 ? cancelled(request) : answer(request));
      if (cancelled_ > 0) --cancelled_;
      ++counts_.transfers;
      counts_.body_bytes += answers.back().body.size();
    }
    return answers;
  }

  std::size_t in_flight() const override { return waiting_.size(); }
  void cancel_all() override { cancelled_ = waiting_.size(); }
  void wake() override {
    const std::uint64_t one = 1;
    (void)!::write(waking_.get(), &one, sizeof one);
  }
  Counts counts() const override { return counts_; }

 private:
  void wait(Deadline deadline) {
    struct pollfd waiting {
      waking_.get(), POLLIN, 0
    };
    if (::poll(&waiting, 1, static_cast<int>(deadline.left().count())) <= 0) return;
    std::uint64_t times = 0;
    (void)!::read(waking_.get(), &times, sizeof times);
  }

  static HttpResponse blank(const HttpRequest& request) { return HttpResponse{.tag = request.tag, .url = request.url}; }

  static HttpResponse cancelled(const HttpRequest& request) {
    return failed(blank(request), HttpCause::kCancelled, Error{Code::kCancelled, "the replay was stopped"});
  }

  HttpResponse answer(const HttpRequest& request) const {
    HttpResponse response = blank(request);
    if (request.url.pathname() == "/robots.txt") {
      response.status = 404;
      response.header_block = "HTTP/1.1 404 Not Found\r\n\r\n";
      return response;
    }
    auto held = index_->read(request.url.href(), request.limits.body_bytes_max);
    if (!held) {
      const HttpCause cause = held.error().code == Code::kTooLarge ? HttpCause::kTooLarge : HttpCause::kProtocol;
      return failed(std::move(response), cause, std::move(held.error()));
    }
    response.status = held->status;
    response.header_block = std::move(held->header_block);
    response.headers = std::move(held->headers);
    response.body = std::move(held->body);
    response.peer_address = std::move(held->ip);
    return response;
  }

  const std::shared_ptr<const ReplayIndex> index_;
  const UniqueFd waking_;
  std::deque<HttpRequest> waiting_;
  std::size_t cancelled_ = 0;  // of those, from the front
  Counts counts_;
};

}  // namespace

Result<std::unique_ptr<HttpClient>> make_replay_client(std::shared_ptr<const ReplayIndex> index) {
  UniqueFd waking(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!waking) return fail_errno("eventfd");
  return std::unique_ptr<HttpClient>(std::make_unique<ReplayClient>(std::move(index), std::move(waking)));
}

CrawlSettings replay_settings(CrawlSettings settings) {
  if (settings.agent().empty()) settings.agent.value = "magpie";  // nobody is asked, so nobody has to be told
  settings.host_delay.value = settings.host_delay_max.value = Millis(0);
  settings.delay_factor.value = 0;
  settings.bytes_per_second.value = 0;
  settings.per_host.value = settings.workers.value = 64;
  settings.retries_max.value = 0;
  settings.repeats_max.value = settings.pages_per_host_max.value = std::numeric_limits<std::int64_t>::max();
  settings.politeness_by.value = "host";
  settings.cookies.value = settings.sitemaps.value = false;
  settings.tdm_file.value = false;
  for (auto* text : {&settings.proxy, &settings.windows, &settings.logins, &settings.cookie_file}) text->value.clear();
  return settings;
}

}  // namespace magpie::crawl
