#include "progress_line.h"

#include <fmt/format.h>
#include <unistd.h>

#include "time_text.h"

namespace magpie::cmd {

std::string progress_text(const CrawlProgress& progress) {
  std::string text = fmt::format("{} pages {:.0f}/s, {} pictures {:.0f}/s, {} waiting", progress.pages_fetched, progress.pages_per_second,
                                 progress.images_fetched, progress.images_per_second, progress.queued);
  if (progress.failed > 0) text += fmt::format(", {} failed", progress.failed);
  text += fmt::format(", {}", bytes_text(progress.bytes));
  if (progress.rests_until) return text + fmt::format(", rests until {}", time_text(*progress.rests_until));
  if (progress.seconds_left && progress.queued > 0) text += fmt::format(", about {} left", duration_text(*progress.seconds_left));
  return text;
}

ProgressLine::ProgressLine() : terminal_(::isatty(STDERR_FILENO) == 1) {}

ProgressLine::~ProgressLine() {
  if (drawn_) fmt::print(stderr, "\n");
}

void ProgressLine::show(const CrawlProgress& progress) { show(progress_text(progress)); }

void ProgressLine::show(const std::string& text) {
  const auto now = std::chrono::steady_clock::now();
  if (terminal_) {
    fmt::print(stderr, "\r\033[K{}", text);
    std::fflush(stderr);
    drawn_ = true;
  } else if (now - written_at_ >= std::chrono::seconds(10)) {
    fmt::print(stderr, "{}\n", text);
    written_at_ = now;
  }
}

}  // namespace magpie::cmd
