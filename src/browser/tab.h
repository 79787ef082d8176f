#pragma once
// One page in a tab of its own, from an empty one to its HTML: a state machine over the protocol, without a thread and without a clock.
//
//   opening (a context of its own, a target in it, a session) → loading → scrolling, for lists that grow → reading → ended
//
// Whoever drives it hands it the browser's messages (take), what its sub-requests brought (answered) and the time (tick); it sends commands
// through DevTools and asks for sub-requests through TabParts::fetch. Every request of the page stops here first (Fetch.requestPaused): the
// page itself is given from PlainPage, scripts and data are fetched by the crawl, the rest is refused or answered empty.
#include <chrono>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "browser/devtools.h"
#include "browser/renderer.h"

namespace magpie::browser {

using SteadyTime = std::chrono::steady_clock::time_point;

/// What a sub-request brought, as the browser is told it.
struct SubResult {
  int status = 0;  // of HTTP; 0: it failed, and the page is told so
  HttpHeaders headers;
  std::string body;  // decoded
};

/// Scripts that were fetched, for all pages of a run. Those longest unused go first.
class ScriptCache {
 public:
  /// Of bodies. A script of over a quarter of it is not kept.
  explicit ScriptCache(std::size_t bytes_max) : bytes_max_(bytes_max) {}
  std::shared_ptr<const SubResult> find(const std::string& url);
  void keep(const std::string& url, std::shared_ptr<const SubResult> script);

 private:
  struct Entry {
    std::string url;
    std::shared_ptr<const SubResult> script;
  };
  std::size_t bytes_max_, bytes_ = 0;
  std::list<Entry> entries_;  // used last first
  std::unordered_map<std::string, std::list<Entry>::iterator> by_url_;
};

/// The parts that a tab works with; all must outlive it.
struct TabParts {
  DevTools& tools;
  ScriptCache& scripts;
  const RendererOptions& options;
  /// Fetches for the tab; the answer comes back through answered(), on the same thread, never from inside.
  std::function<void(std::string request_id, SubRequest request)> fetch;
};

/// Belongs to one thread. Errors are in result(): kTimeout when the page had no end within RendererOptions' time, kTooLarge for too much
/// HTML, kUnavailable when the browser refused or lost it.
class Tab {
 public:
  /// Begins at once. `page` is what the crawl had of `url`; its headers go along, so that the page runs under its own policies.
  Tab(TabParts parts, std::string url, PlainPage page, SteadyTime now);
  Tab(const Tab&) = delete;
  Tab& operator=(const Tab&) = delete;

  /// A message of the browser; false when it is none of this tab's.
  bool take(const DevToolsMessage& message, SteadyTime now);
  void answered(const std::string& request_id, Result<HttpResponse> answer, SteadyTime now);
  /// Does what its time has come for, and says when to call again.
  SteadyTime tick(SteadyTime now);
  /// Nothing while it works, then what came of it. The tab is then closed by the browser; an unresponsive one stays until that ends.
  std::optional<Result<RenderedPage>>& result() { return result_; }
  /// Whether the page does not answer any more, and takes a process of the browser with it.
  bool stuck() const { return stuck_; }

 private:
  enum class Step : std::uint8_t { kContext, kTarget, kAttach, kReady, kNavigate, kScroll, kDocument, kHtml, kUnwatched };
  enum class Stage : std::uint8_t { kOpening, kLoading, kScrolling, kReading, kEnded };

  void send(Step step, std::string_view method, std::string_view parameters);
  void open_session();
  void step_done(Step step, const DevToolsMessage& message, SteadyTime now);
  void take_event(const DevToolsMessage& message, SteadyTime now);
  void take_request(simdjson::dom::element event, SteadyTime now);
  void fetch(const std::string& id, simdjson::dom::element request, std::string_view type);
  void fulfill(const std::string& id, int status, const HttpHeaders& headers, std::string_view body);
  void refuse(const std::string& id, std::string_view reason = "BlockedByClient");
  void scroll(SteadyTime now);
  void scrolled(double height, SteadyTime now);
  void read(SteadyTime now);
  void finish(std::string_view html, SteadyTime now);
  void fail_with(Error error);
  void close();
  bool is_quiet(SteadyTime now) const;

  TabParts parts_;
  std::string url_;
  PlainPage page_;
  Stage stage_ = Stage::kOpening;
  std::string context_, target_, session_;
  std::map<std::uint64_t, Step> commands_;  // sent and not answered
  struct Pending {
    std::string url;
    bool script = false;
  };
  std::unordered_map<std::string, Pending> pending_;  // sub-requests by their id
  bool page_given_ = false, loaded_ = false, stuck_ = false;
  SteadyTime started_at_, last_tick_, quiet_since_, read_at_{};
  std::chrono::nanoseconds active_{0};  // time without a server to wait for
  int scrolls_ = 0;
  double height_ = 0;
  std::uint32_t asked_ = 0, asked_at_scroll_ = 0;
  RenderedPage rendered_;
  std::optional<Result<RenderedPage>> result_;
};

}  // namespace magpie::browser
