#include "pipeline/page_rendering.h"

#include "base/log.h"
#include "browser/browser_process.h"
#include "net/domain.h"

namespace magpie::pipeline {

Result<std::unique_ptr<PageRendering>> PageRendering::make(PageRenderingParts parts, const crawl::CrawlSettings& settings,
                                                           std::string& missing) {
  if (settings.render() == "never") return nullptr;
  const bool always = settings.render() == "always";
  auto program = browser::find_browser(settings.browser());
  if (!program) {
    if (always) return fail(Code::kBadInput, "crawl.render is 'always', but {}", program.error().message);
    missing = program.error().message;
    return nullptr;
  }
  browser::RendererOptions options;
  options.program = std::move(*program);
  options.folder = parts.browser_folder;
  MAGPIE_TRY(options.user_agent, crawl::user_agent(settings));
  options.tabs = static_cast<std::size_t>(settings.render_tabs());
  options.time_max = settings.render_time_max();
  options.requests_max = static_cast<std::uint32_t>(settings.render_requests_max());
  options.memory_bytes_max = static_cast<std::uint64_t>(settings.render_memory_max());
  std::unique_ptr<PageRendering> made(new PageRendering(std::move(parts), always));
  made->off_host_ = settings.images_off_host();
  MAGPIE_TRY(made->renderer_, browser::Renderer::make(std::move(options), [raw = made.get()](auto request, auto answer) {
               raw->fetch(std::move(request), std::move(answer));
             }));
  return made;
}

bool PageRendering::wants(const Page& page) const {
  if (always_) return true;
  return page.app_shell && memory_.with([&](const RenderMemory& memory) { return memory.is_worth(page.url); });
}

void PageRendering::submit(const std::string& url, const ArchivePlace& place, std::function<void(Result<browser::RenderedPage>)> done) {
  {
    const std::lock_guard lock(mutex_);
    ++waiting_;
  }
  renderer_->submit({url, [this, url, place] { return load(url, place); }}, [this, done = std::move(done)](auto page) {
    done(std::move(page));
    const std::lock_guard lock(mutex_);
    --waiting_;
    room_.notify_all();
  });
}

// Of pages of a new kind many may be waiting when the first ones show that there is nothing to gain.
Result<browser::PlainPage> PageRendering::load(const std::string& url, const ArchivePlace& place) const {
  if (!always_ && !memory_.with([&](const RenderMemory& memory) { return memory.is_worth(url); }))
    return fail(Code::kForbidden, "pages of this kind say no more in a browser");
  MAGPIE_TRY(ArchivedResponse kept, parts_.archive.read(place));
  return browser::PlainPage{kept.status, parse_header_block(kept.header_block), std::move(kept.body)};
}

void PageRendering::note(const std::string& url, bool helped) {
  memory_.with([&](RenderMemory& memory) { memory.note(url, helped); });
}

// What a page shows from other hosts is asked for where its pictures would be.
void PageRendering::fetch(browser::SubRequest request, browser::SubAnswer answer) const {
  const auto page = Url::parse(request.page);
  const bool own = page && site_of_host(page->hostname()) == site_of_host(request.url.hostname());
  if (!own && !off_host_) return answer(fail(Code::kForbidden, "{} is off the page's site", request.url));
  parts_.fetch({std::move(request.url), std::move(request.page), std::move(request.headers), std::move(request.post), std::move(answer)});
}

void PageRendering::wait_for_room() {
  std::unique_lock lock(mutex_);
  room_.wait(lock, [this] { return waiting_ < kWaitingMax || stopped_; });
}

void PageRendering::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  room_.notify_all();
  renderer_->stop();
}

}  // namespace magpie::pipeline
