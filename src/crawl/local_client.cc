#include "crawl/local_client.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <deque>
#include <limits>
#include <utility>

#include "base/files.h"

namespace magpie::crawl {
namespace {

constexpr std::size_t kAtOnce = 16;  // answers of one poll()

class LocalClient final : public HttpClient {
 public:
  LocalClient(LocalAnswer answer, UniqueFd waking) : answer_(std::move(answer)), waking_(std::move(waking)) {}

  void submit(HttpRequest request) override { waiting_.push_back(std::move(request)); }

  std::vector<HttpResponse> poll(Deadline deadline) override {
    if (waiting_.empty()) wait(deadline);
    std::vector<HttpResponse> answers;
    while (!waiting_.empty() && answers.size() < kAtOnce) {
      const HttpRequest request = std::move(waiting_.front());
      waiting_.pop_front();
      HttpResponse blank{.tag = request.tag, .url = request.url};
      answers.push_back(cancelled_ > 0 ? cancelled(std::move(blank)) : answer_(request, std::move(blank)));
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

  static HttpResponse cancelled(HttpResponse response) {
    return failed_answer(std::move(response), HttpCause::kCancelled, Error{Code::kCancelled, "the job was stopped"});
  }

  const LocalAnswer answer_;
  const UniqueFd waking_;
  std::deque<HttpRequest> waiting_;
  std::size_t cancelled_ = 0;  // of those, from the front
  Counts counts_;
};

}  // namespace

Result<std::unique_ptr<HttpClient>> make_local_client(LocalAnswer answer) {
  UniqueFd waking(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!waking) return fail_errno("eventfd");
  return std::unique_ptr<HttpClient>(std::make_unique<LocalClient>(std::move(answer), std::move(waking)));
}

HttpResponse failed_answer(HttpResponse response, HttpCause cause, Error error) {
  response.cause = cause;
  response.error = std::move(error);
  return response;
}

HttpResponse not_found(HttpResponse response) {
  response.status = 404;
  response.header_block = "HTTP/1.1 404 Not Found\r\n\r\n";
  return response;
}

CrawlSettings local_settings(CrawlSettings settings) {
  if (settings.agent().empty()) settings.agent.value = "magpie";  // nobody is asked, so nobody has to be told
  settings.host_delay.value = settings.host_delay_max.value = Millis(0);
  settings.delay_factor.value = 0;
  settings.bytes_per_second.value = 0;
  settings.per_host.value = settings.workers.value = 16;  // a disk is never late, and each holds a file in memory
  settings.retries_max.value = 0;
  settings.repeats_max.value = settings.pages_per_host_max.value = std::numeric_limits<std::int64_t>::max();
  settings.politeness_by.value = "host";
  settings.render.value = "never";  // what a browser showed lies where the answers do
  settings.cookies.value = settings.sitemaps.value = false;
  settings.tdm_file.value = false;
  for (auto* text : {&settings.proxy, &settings.windows, &settings.logins, &settings.cookie_file}) text->value.clear();
  return settings;
}

}  // namespace magpie::crawl
