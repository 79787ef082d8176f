#pragma once
// For tests of the fetch loop: a clock that only moves when told, a frontier in memory, and a web of answers by URL.
#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <set>

#include "core/clock.h"
#include "core/frontier.h"
#include "net/http_client.h"

namespace magpie::crawl::fakes {

class FakeClock final : public Clock {
 public:
  Timestamp now() const override { return Timestamp(std::chrono::milliseconds(1'700'000'000'000)) + passed(); }
  std::chrono::steady_clock::time_point steady() const override { return start_ + passed_; }
  std::chrono::milliseconds passed() const { return std::chrono::duration_cast<std::chrono::milliseconds>(passed_); }
  void advance_to(std::chrono::steady_clock::time_point when) { passed_ = std::max(passed_, when - start_); }

 private:
  std::chrono::steady_clock::time_point start_{std::chrono::hours(1'000)};
  std::chrono::steady_clock::duration passed_{};
};

/// One job's URLs in memory, slowly, and within a priority in the order they came. Its own lock makes it usable from two threads.
class MemoryFrontier final : public Frontier {
 public:
  Result<std::size_t> add(std::span<const UrlRecord> urls) override {
    const std::lock_guard lock(mutex_);
    std::size_t added = 0;
    for (const UrlRecord& url : urls) {
      if (!entries_.try_emplace(url.url, Entry{url, next_++}).second) continue;
      woken_.insert(std::string(host_of_url(url.url)));
      ++added;
    }
    return added;
  }
  Result<LeaseAnswer> lease(const QueueKey& queue, Lane lane, Timestamp now) override {
    const std::lock_guard lock(mutex_);
    LeaseAnswer answer;
    Entry* best = nullptr;
    for (auto& [text, entry] : entries_) {
      if (entry.state != UrlState::kQueued || lane_of(entry.url.kind) != lane || host_of_url(text) != queue.host) continue;
      if (entry.not_before > now) answer.next_at = std::min(answer.next_at.value_or(entry.not_before), entry.not_before);
      else if (!best || order(entry) < order(*best)) best = &entry;
    }
    if (!best) return answer;
    best->state = UrlState::kInFlight;
    return LeaseAnswer{.lease = Lease{best->signature, best->url, best->tries}};
  }
  using Frontier::acknowledge;
  Result<void> acknowledge(std::span<const Acknowledgement> ended) override {
    const std::lock_guard lock(mutex_);
    for (const Acknowledgement& one : ended) {
      Entry* entry = find(one.signature);
      if (!entry) return fail(Code::kNotFound, "no such lease");
      entry->state = UrlState::kDone;
      entry->cause = one.cause;
    }
    return {};
  }
  Result<void> put_back(std::uint64_t signature, Timestamp not_before) override {
    const std::lock_guard lock(mutex_);
    Entry* entry = find(signature);
    if (!entry || entry->state != UrlState::kInFlight) return fail(Code::kNotFound, "no such lease");
    entry->not_before = not_before;
    ++entry->tries;
    queue(*entry);
    return {};
  }
  Result<void> release(std::uint64_t signature) override {
    const std::lock_guard lock(mutex_);
    Entry* entry = find(signature);
    if (!entry || entry->state != UrlState::kInFlight) return fail(Code::kNotFound, "no such lease");
    queue(*entry);
    return {};
  }
  Result<std::size_t> retry_failed(JobId, std::span<const Cause> causes, std::string_view host) override {
    const std::lock_guard lock(mutex_);
    std::size_t queued = 0;
    for (auto& [text, entry] : entries_) {
      if (entry.state != UrlState::kDone || std::find(causes.begin(), causes.end(), entry.cause) == causes.end()) continue;
      if (entry.cause == Cause::kNone || (!host.empty() && host_of_url(text) != host)) continue;
      queue_anew(entry);
      ++queued;
    }
    return queued;
  }
  Result<std::size_t> revisit(std::span<const UrlRecord> urls) override {
    const std::lock_guard lock(mutex_);
    std::size_t queued = 0;
    for (const UrlRecord& url : urls) {
      const auto found = entries_.find(url.url);
      if (found == entries_.end() || found->second.state != UrlState::kDone) continue;
      found->second.url = url;
      queue_anew(found->second);
      ++queued;
    }
    return queued;
  }
  Result<std::uint64_t> forget(const std::function<bool(std::string_view url)>& gone, bool) override {
    const std::lock_guard lock(mutex_);
    return std::erase_if(entries_, [&](const auto& one) { return gone(one.first); });
  }
  std::vector<std::string> take_woken_hosts(JobId) override {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> names(woken_.begin(), woken_.end());
    woken_.clear();
    return names;
  }
  FrontierCounts counts(JobId) const override {
    const std::lock_guard lock(mutex_);
    FrontierCounts counts{.known = entries_.size()};
    for (const auto& [text, entry] : entries_) {
      if (entry.state == UrlState::kQueued) ++counts.queued;
      else if (entry.state == UrlState::kInFlight) ++counts.in_flight;
      else ++(entry.cause == Cause::kNone ? counts.done : counts.failed);
    }
    return counts;
  }
  HostCounts host_counts(const QueueKey& queue) const override {
    const std::lock_guard lock(mutex_);
    HostCounts counts{.host = std::string(queue.host)};
    for (const auto& [text, entry] : entries_) {
      if (entry.state != UrlState::kQueued || host_of_url(text) != queue.host) continue;
      ++(lane_of(entry.url.kind) == Lane::kPages ? counts.queued_pages : counts.queued_images);
    }
    return counts;
  }
  std::vector<HostCounts> hosts(JobId) const override { return {}; }
  std::optional<UrlStatus> status(JobId, std::string_view url) const override {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(std::string(url));
    if (found == entries_.end()) return std::nullopt;
    return UrlStatus{found->second.state, found->second.cause};
  }
  Result<void> sync() override { return {}; }

 private:
  struct Entry {
    UrlRecord url;
    std::uint64_t signature;
    UrlState state = UrlState::kQueued;
    Cause cause = Cause::kNone;
    Timestamp not_before{};
    std::uint32_t tries = 0;
  };
  static std::pair<std::uint8_t, std::uint64_t> order(const Entry& entry) { return {entry.url.priority, entry.signature}; }
  void queue(Entry& entry) {
    entry.state = UrlState::kQueued;
    woken_.insert(std::string(host_of_url(entry.url.url)));
  }
  void queue_anew(Entry& entry) {
    entry.tries = 0;
    entry.not_before = {};
    queue(entry);
  }
  Entry* find(std::uint64_t signature) {
    for (auto& [text, entry] : entries_) {
      if (entry.signature == signature) return &entry;
    }
    return nullptr;
  }
  mutable std::mutex mutex_;
  std::map<std::string, Entry> entries_;
  std::set<std::string> woken_;
  std::uint64_t next_ = 1;
};

struct FakeAnswer {
  int status = 200;
  HttpHeaders headers{{"Content-Type", "text/html"}};
  std::string body;
  std::chrono::milliseconds after{10};
  HttpCause cause = HttpCause::kNone;
};

/// Answers by URL; 404 for what it does not know. Time moves only inside poll(), to the next answer or the deadline.
class FakeWeb final : public HttpClient {
 public:
  using Answer = FakeAnswer;
  struct Asked {
    std::string url;
    std::chrono::milliseconds at;
  };

  explicit FakeWeb(FakeClock& clock) : clock_(clock) {}
  /// `nth` counts from 0.
  std::map<std::string, std::function<Answer(int nth)>> pages;
  /// An answer for those who do not send the cookie; an empty page for those who do.
  struct Wall {
    std::string cookie;
    Answer without;
  };
  std::map<std::string, Wall> cookie_pages;
  /// Asked before all others: a site with a will of its own.
  std::function<std::optional<Answer>(const HttpRequest&)> site = [](const HttpRequest&) { return std::nullopt; };
  std::string peer_address;
  std::vector<Asked> asked;
  std::function<void()> before_poll = [] {};

  void page(const std::string& url, Answer answer = {}) {
    pages[url] = [answer](int) { return answer; };
  }
  std::vector<std::string> asked_urls() const {
    std::vector<std::string> urls;
    for (const Asked& one : asked) urls.push_back(one.url);
    return urls;
  }

  void submit(HttpRequest request) override {
    const std::string& url = request.url.href();
    asked.push_back({url, clock_.passed()});
    Answer answer = answer_to(request);
    HttpResponse response{.tag = request.tag,
                          .url = request.url,
                          .cause = answer.cause,
                          .status = answer.status,
                          .headers = std::move(answer.headers),
                          .body = std::move(answer.body),
                          .peer_address = peer_address};
    if (answer.cause != HttpCause::kNone) response.error = Error{Code::kUnavailable, std::string(to_string(answer.cause))};
    waiting_.push_back({clock_.steady() + answer.after, std::move(response)});
  }
  std::vector<HttpResponse> poll(Deadline deadline) override {
    before_poll();
    auto when = deadline.when();
    for (const auto& one : waiting_) when = std::min(when, one.first);
    clock_.advance_to(when);
    std::vector<HttpResponse> out;
    for (auto it = waiting_.begin(); it != waiting_.end();) {
      if (it->first > clock_.steady()) {
        ++it;
        continue;
      }
      out.push_back(std::move(it->second));
      it = waiting_.erase(it);
    }
    return out;
  }
  std::size_t in_flight() const override { return waiting_.size(); }
  void cancel_all() override {
    for (auto& one : waiting_) {
      one.first = clock_.steady();
      one.second.cause = HttpCause::kCancelled;
      one.second.error = Error{Code::kCancelled, "cancelled"};
    }
  }
  void wake() override {}
  Counts counts() const override { return {}; }

 private:
  Answer answer_to(const HttpRequest& request) {
    const std::string& url = request.url.href();
    if (auto own = site(request)) return std::move(*own);
    if (const auto wall = cookie_pages.find(url); wall != cookie_pages.end()) {
      const auto cookie = find_header(request.headers, "Cookie");
      return cookie && cookie->find(wall->second.cookie) != std::string_view::npos ? Answer{} : wall->second.without;
    }
    const auto found = pages.find(url);
    return found == pages.end() ? Answer{.status = 404} : found->second(counts_by_url_[url]++);
  }

  FakeClock& clock_;
  std::map<std::string, int> counts_by_url_;
  std::deque<std::pair<std::chrono::steady_clock::time_point, HttpResponse>> waiting_;
};

}  // namespace magpie::crawl::fakes
