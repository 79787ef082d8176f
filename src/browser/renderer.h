#pragma once
// Pages as a browser shows them: scripts run, lists that load late scrolled through, and the tree as HTML again. One Chromium with a few
// tabs, on a thread of its own; started with the first page, started again when it dies, ended while nothing is to do.
//
//   MAGPIE_TRY(auto renderer, Renderer::make(options, [&](SubRequest request, SubAnswer answer) { loop.fetch(…); }));
//   renderer->submit({url, [=] { return archived_page(place); }}, [](Result<RenderedPage> page) { … });
//
// The browser itself reaches nobody (browser_process.h). The page is given to it as it was fetched, and each script and answer it then
// asks for is fetched by whoever made the renderer, so that robots.txt, delays and the address guard hold. What is never asked for:
// request_filter.h. Scripts are kept in memory, up to 64 MB, and asked for once.
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/files.h"
#include "base/result.h"
#include "net/http_client.h"
#include "net/url.h"

namespace magpie::browser {

/// What a page asks for.
struct SubRequest {
  Url url;
  std::string page;                 // the address of the page that asks
  HttpHeaders headers;              // its own: Accept, Content-Type, keys of an API; no cookies
  std::optional<std::string> post;  // a body to POST
};
/// Takes the answer, once, from any thread; redirects are answers, too: the browser follows them by another request.
using SubAnswer = std::function<void(Result<HttpResponse>)>;
/// Called on the renderer's thread; must not block.
using FetchSub = std::function<void(SubRequest, SubAnswer)>;

/// The page as it was fetched.
struct PlainPage {
  int status = 200;
  HttpHeaders headers;
  std::string body;  // its codings taken off
};

struct RenderRequest {
  std::string url;
  std::function<Result<PlainPage>()> load;  // called on the renderer's thread when the page's turn has come
};

struct RenderedPage {
  std::string html;            // UTF-8 behind a byte order mark, so that it is read as that whatever the page's headers say
  std::uint32_t requests = 0;  // that the page made and that were fetched for it, without those from memory
  std::uint64_t bytes = 0;     // of their answers
  std::chrono::milliseconds took{0};
  bool cut = false;  // its time was over: as it stood then
};

struct RendererOptions {
  fs::path program;  // find_browser()
  fs::path folder;   // for the browser's profile; emptied
  std::string user_agent;
  std::size_t tabs = 2;  // pages at once
  /// What a page's scripts may take; waiting for answers of servers does not count, but ends after 20 times as long.
  std::chrono::milliseconds time_max{20'000};
  std::uint32_t requests_max = 100;                         // of one page
  std::uint64_t memory_bytes_max = std::uint64_t{1} << 30;  // of all the browser's processes; beyond, it is started anew
};

struct RendererCounts {
  std::uint64_t pages = 0, failed = 0;
  std::uint64_t starts = 0;    // of the browser
  std::uint64_t requests = 0;  // fetched for pages
};

class Renderer {
 public:
  static Result<std::unique_ptr<Renderer>> make(RendererOptions options, FetchSub fetch);
  /// Ends as stop(), and waits.
  virtual ~Renderer() = default;

  /// Thread-safe, never blocks. `done` is called once, on the renderer's thread, or on this one after stop(). Errors: kTimeout when the
  /// page's scripts do not end, kCrashed words when the browser dies of it twice (kUnavailable both), kTooLarge for over 20 MB of HTML,
  /// kCancelled after stop(), and what `load` gives. Once the browser has died three times in a row without a page done, all end as
  /// kUnavailable.
  virtual void submit(RenderRequest request, std::function<void(Result<RenderedPage>)> done) = 0;
  /// Waiting and under way. Thread-safe.
  virtual std::size_t waiting() const = 0;
  /// Ends what is waiting and under way with kCancelled, soon. Thread-safe.
  virtual void stop() = 0;
  /// Thread-safe.
  virtual RendererCounts counts() const = 0;
};

}  // namespace magpie::browser
