#include "browser/renderer.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <deque>
#include <thread>

#include "base/guarded.h"
#include "base/log.h"
#include "browser/browser_process.h"
#include "browser/devtools.h"
#include "browser/tab.h"

namespace magpie::browser {
namespace {

constexpr int kTriesMax = 2;                    // of a page whose browser dies
constexpr int kDeathsMax = 3;                   // of the browser in a row, without a page done
constexpr std::uint64_t kPagesOfBrowser = 500;  // then a fresh one: what leaks is gone
constexpr auto kIdleMax = 60s;
constexpr auto kMemoryEvery = 5s;
constexpr std::size_t kScriptBytesMax = std::size_t{64} << 20;

struct Job {
  RenderRequest request;
  std::function<void(Result<RenderedPage>)> done;
  int tries = 0;
};

struct Answered {
  std::uint64_t tab = 0;
  std::string request_id;
  Result<HttpResponse> answer;
};

/// What other threads bring. Shared with the answers under way, which may outlive the renderer.
class Inbox {
 public:
  explicit Inbox(UniqueFd waking) : waking_(std::move(waking)) {}

  /// False, and nothing is taken, once it is closed.
  bool bring(Job& job) {
    const bool taken = content_.with([&](Content& content) {
      if (!content.closed) content.jobs.push_back(std::move(job));
      return !content.closed;
    });
    wake();
    return taken;
  }
  void bring(Answered answered) {
    content_.with([&](Content& content) {
      if (!content.closed) content.answered.push_back(std::move(answered));
    });
    wake();
  }
  void close() {
    content_.with([](Content& content) { content.closed = true; });
    wake();
  }

  struct Content {
    std::vector<Job> jobs;
    std::vector<Answered> answered;
    bool closed = false;
  };
  Content take() {
    std::uint64_t times = 0;
    (void)!::read(waking_.get(), &times, sizeof times);
    return content_.with([](Content& content) {
      Content taken = std::exchange(content, {});
      content.closed = taken.closed;
      return taken;
    });
  }
  int descriptor() const { return waking_.get(); }

 private:
  void wake() {
    const std::uint64_t one = 1;
    (void)!::write(waking_.get(), &one, sizeof one);
  }

  UniqueFd waking_;
  Guarded<Content> content_;
};

/// The browser while it runs, with its tabs.
struct Running {
  explicit Running(BrowserProcess started) : process(std::move(started)), tools(process.socket()) {}
  struct Open {
    std::uint64_t number = 0;
    Job job;
    std::unique_ptr<Tab> tab;
  };
  BrowserProcess process;
  DevTools tools;
  std::vector<Open> tabs;
  std::uint64_t pages = 0;
  bool stuck = false;  // a page of it does not let go
};

class ChromiumRenderer final : public Renderer {
 public:
  ChromiumRenderer(RendererOptions options, FetchSub fetch, UniqueFd waking)
      : options_(std::move(options)), fetch_(std::move(fetch)), inbox_(std::make_shared<Inbox>(std::move(waking))) {
    thread_ = std::jthread([this] { run(); });
  }
  ~ChromiumRenderer() override { inbox_->close(); }

  void submit(RenderRequest request, std::function<void(Result<RenderedPage>)> done) override {
    Job job{std::move(request), std::move(done)};
    ++waiting_count_;
    if (inbox_->bring(job)) return;
    --waiting_count_;
    job.done(stopped());
  }
  std::size_t waiting() const override { return waiting_count_; }
  void stop() override { inbox_->close(); }
  RendererCounts counts() const override {
    return counts_.with([](const RendererCounts& counts) { return counts; });
  }

 private:
  static Result<RenderedPage> stopped() { return fail(Code::kCancelled, "rendering was stopped"); }

  void run() {
    idle_since_ = memory_at_ = std::chrono::steady_clock::now();
    while (true) {
      Inbox::Content news = inbox_->take();
      for (Job& job : news.jobs) waiting_.push_back(std::move(job));
      if (news.closed) return end_all(stopped());
      if (browser_) {
        for (Answered& one : news.answered) deliver(std::move(one));
      }
      work(std::chrono::steady_clock::now());
    }
  }

  // One round: pages into free tabs, what is due, and then to wait until something comes.
  void work(SteadyTime now) {
    open_tabs(now);
    SteadyTime next = now + std::chrono::hours(1);
    if (browser_) {
      for (Running::Open& open : browser_->tabs) next = std::min(next, open.tab->tick(now));
      collect();
      next = std::min(next, look_after(now));
    }
    if (browser_) {
      if (auto flushed = browser_->tools.flush(); !flushed) return died(flushed.error().message);
    }
    wait(next);
    if (!browser_) return;
    const SteadyTime later = std::chrono::steady_clock::now();
    auto read = browser_->tools.read([&](const DevToolsMessage& message) {
      for (Running::Open& open : browser_->tabs) {
        if (open.tab->take(message, later)) return;
      }
    });
    collect();
    if (!read) died(read.error().message);
  }

  void wait(SteadyTime until) {
    std::array<pollfd, 2> watched{};
    watched[0] = {inbox_->descriptor(), POLLIN, 0};
    nfds_t count = 1;
    if (browser_) {
      watched[1] = {browser_->process.socket(), static_cast<short>(POLLIN | (browser_->tools.has_unsent() ? POLLOUT : 0)), 0};
      count = 2;
    }
    ::poll(watched.data(), count, static_cast<int>(Deadline::at(until).left().count()));
  }

  // ---- pages ----

  void open_tabs(SteadyTime now) {
    while (!waiting_.empty() && (!browser_ || (browser_->tabs.size() < options_.tabs && !wears_out()))) {
      if (!broken_.empty()) return end_waiting(Failure(Error{Code::kUnavailable, broken_}));
      if (!browser_) {
        start_browser();
        continue;
      }
      Job job = std::move(waiting_.front());
      waiting_.pop_front();
      auto page = job.request.load();
      if (!page) {
        end(job, Failure(page.error()));
        continue;
      }
      const std::uint64_t number = ++last_tab_;
      TabParts parts{browser_->tools, scripts_, options_, [this, number](std::string id, SubRequest request) {
                       counts_.with([](RendererCounts& counts) { ++counts.requests; });
                       fetch_(std::move(request), [inbox = inbox_, number, id = std::move(id)](Result<HttpResponse> answer) {
                         inbox->bring(Answered{number, id, std::move(answer)});
                       });
                     }};
      std::string url = job.request.url;
      browser_->tabs.push_back({number, std::move(job), std::make_unique<Tab>(std::move(parts), std::move(url), std::move(*page), now)});
    }
  }

  void deliver(Answered one) {
    for (Running::Open& open : browser_->tabs) {
      if (open.number == one.tab) return open.tab->answered(one.request_id, std::move(one.answer), std::chrono::steady_clock::now());
    }
  }

  void collect() {
    auto& tabs = browser_->tabs;
    for (std::size_t i = 0; i < tabs.size();) {
      if (!tabs[i].tab->result()) {
        ++i;
        continue;
      }
      Running::Open open = std::move(tabs[i]);
      tabs.erase(tabs.begin() + static_cast<std::ptrdiff_t>(i));
      browser_->stuck = browser_->stuck || open.tab->stuck();
      ++browser_->pages;
      deaths_ = 0;
      idle_since_ = std::chrono::steady_clock::now();
      end(open.job, std::move(*open.tab->result()));
    }
  }

  void end(Job& job, Result<RenderedPage> page) {
    counts_.with([&](RendererCounts& counts) { ++(page ? counts.pages : counts.failed); });
    --waiting_count_;
    job.done(std::move(page));
  }

  void end_waiting(const Result<RenderedPage>& with) {
    while (!waiting_.empty()) {
      Job job = std::move(waiting_.front());
      waiting_.pop_front();
      end(job, with);
    }
  }

  void end_all(const Result<RenderedPage>& with) {
    if (browser_) {
      std::vector<Running::Open> tabs = std::move(browser_->tabs);
      browser_.reset();
      for (Running::Open& open : tabs) end(open.job, with);
    }
    end_waiting(with);
  }

  // ---- the browser ----

  bool wears_out() const { return browser_->stuck || browser_->pages >= kPagesOfBrowser; }

  void start_browser() {
    counts_.with([](RendererCounts& counts) { ++counts.starts; });
    auto started = BrowserProcess::start(options_.program, options_.folder, options_.user_agent);
    if (!started) return died(started.error().message);
    browser_ = std::make_unique<Running>(std::move(*started));
    log::info("browser.started", {{"program", options_.program.string()}, {"pid", browser_->process.pid()}});
  }

  // A browser that is worn out, idle or too large ends. Gives the time of the next look.
  SteadyTime look_after(SteadyTime now) {
    const bool idle = browser_->tabs.empty();
    if (idle && (wears_out() || (waiting_.empty() && now - idle_since_ >= kIdleMax))) {
      browser_.reset();
      return now;
    }
    if (!idle && now - memory_at_ >= kMemoryEvery) {
      memory_at_ = now;
      const std::uint64_t bytes = browser_->process.memory_bytes();
      if (bytes > options_.memory_bytes_max) {
        died(fmt::format("it took {} MB of memory, over crawl.render_memory_max", bytes >> 20));
        return now;
      }
    }
    return idle ? idle_since_ + kIdleMax : memory_at_ + kMemoryEvery;
  }

  // What was under way is tried once more, by itself at the front.
  void died(const std::string& why) {
    ++deaths_;
    std::vector<Running::Open> tabs;
    std::string words;
    if (browser_) {
      words = browser_->process.last_words();
      tabs = std::move(browser_->tabs);
      browser_.reset();
    }
    log::warn("browser.died", {{"why", why}, {"words", words}, {"pages", tabs.size()}, {"times", deaths_}});
    if (deaths_ >= kDeathsMax) broken_ = fmt::format("the browser does not keep running ({}{}{})", why, words.empty() ? "" : ": ", words);
    for (Running::Open& open : tabs) {
      if (++open.job.tries < kTriesMax) waiting_.push_front(std::move(open.job));
      else end(open.job, fail(Code::kUnavailable, "the browser died twice while it showed this page ({})", why));
    }
  }

  const RendererOptions options_;
  const FetchSub fetch_;
  const std::shared_ptr<Inbox> inbox_;
  std::atomic<std::size_t> waiting_count_{0};
  Guarded<RendererCounts> counts_;
  // Of the thread.
  std::deque<Job> waiting_;
  ScriptCache scripts_{kScriptBytesMax};
  std::unique_ptr<Running> browser_;
  std::uint64_t last_tab_ = 0;
  int deaths_ = 0;      // in a row
  std::string broken_;  // why it is not started again
  SteadyTime idle_since_{}, memory_at_{};
  std::jthread thread_;  // last: ends first
};

}  // namespace

Result<std::unique_ptr<Renderer>> Renderer::make(RendererOptions options, FetchSub fetch) {
  UniqueFd waking(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!waking) return fail_errno("eventfd");
  return std::unique_ptr<Renderer>(std::make_unique<ChromiumRenderer>(std::move(options), std::move(fetch), std::move(waking)));
}

}  // namespace magpie::browser
