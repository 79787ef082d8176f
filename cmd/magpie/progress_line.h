#pragma once
// The live line of a crawl: on a terminal it is redrawn in place, elsewhere a line is written every ten seconds. Always stderr.
#include <chrono>
#include <string>

#include "serve/job_control.h"

namespace magpie::cmd {

class ProgressLine {
 public:
  ProgressLine();
  /// Ends the line, so that what follows starts on a new one.
  ~ProgressLine();
  void show(const CrawlProgress& progress);
  /// The same with words of one's own.
  void show(const std::string& text);

 private:
  bool terminal_ = false;
  std::chrono::steady_clock::time_point written_at_;
  bool drawn_ = false;
};

/// One line: pages, pictures, rates, what remains, failures.
std::string progress_text(const CrawlProgress& progress);

}  // namespace magpie::cmd
