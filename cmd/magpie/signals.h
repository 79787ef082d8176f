#pragma once
// SIGINT and SIGTERM as something to wait for. One object at a time.
#include "base/deadline.h"
#include "base/files.h"

namespace magpie::cmd {

class StopSignals {
 public:
  /// From now on both signals are noted instead of ending the program; a third one ends it at once.
  StopSignals();
  ~StopSignals();
  /// True when a signal came since the last call, or comes before the deadline.
  bool wait(Deadline deadline);

 private:
  UniqueFd reader_;
};

}  // namespace magpie::cmd
