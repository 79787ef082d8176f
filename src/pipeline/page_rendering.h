#pragma once
// The pages of one crawl that a browser shows (crawl.render): which, by what means, and that they do not pile up.
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>

#include "base/guarded.h"
#include "browser/renderer.h"
#include "core/archive.h"
#include "crawl/rules.h"
#include "crawl/settings.h"
#include "crawl/subresource.h"
#include "pipeline/render_memory.h"

namespace magpie::pipeline {

/// All must outlive the object.
struct PageRenderingParts {
  const Archive& archive;
  const crawl::CrawlRules& rules;
  fs::path browser_folder;                        // for the browser's profile; emptied
  std::function<void(crawl::Subresource)> fetch;  // crawl::FetchLoop::fetch
};

class PageRendering {
 public:
  /// Null for crawl.render 'never', and for 'auto' where there is no browser: then `missing` says what to do. kBadInput for 'always'
  /// without one.
  static Result<std::unique_ptr<PageRendering>> make(PageRenderingParts parts, const crawl::CrawlSettings& settings, std::string& missing);

  /// Whether this page is to be shown in a browser. Thread-safe.
  bool wants(const Page& page) const;
  /// Shows the page that lies at `place`, under its response's header lines. `done` as of browser::Renderer::submit(); kForbidden when
  /// pages of its kind have turned out meanwhile to gain nothing. Thread-safe.
  void submit(const std::string& url, const ArchivePlace& place, std::function<void(Result<browser::RenderedPage>)> done);
  /// What came of it. Thread-safe.
  void note(const std::string& url, bool helped);

  /// Waits while as many pages wait as may. Any thread but the renderer's.
  void wait_for_room();
  /// Ends what waits and is under way, as cancelled. Thread-safe.
  void stop();
  browser::RendererCounts counts() const { return renderer_->counts(); }

 private:
  PageRendering(PageRenderingParts parts, bool always) : parts_(std::move(parts)), always_(always) {}
  void fetch(browser::SubRequest request, browser::SubAnswer answer) const;
  Result<browser::PlainPage> load(const std::string& url, const ArchivePlace& place) const;

  static constexpr std::size_t kWaitingMax = 256;
  PageRenderingParts parts_;
  const bool always_;
  bool off_host_ = true;
  Guarded<RenderMemory> memory_;
  std::mutex mutex_;
  std::condition_variable room_;
  std::size_t waiting_ = 0;  // guarded by mutex_, as the next
  bool stopped_ = false;
  std::unique_ptr<browser::Renderer> renderer_;  // last: its thread uses all else
};

}  // namespace magpie::pipeline
