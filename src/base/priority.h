#pragma once
// Who waits for whom on a busy machine: work that nobody waits for stands behind searches and crawls.
#include <sys/resource.h>

namespace magpie {

/// The calling thread, and what it starts from now on, gets a tenth of a core where others want it, and all that is free. A system that
/// refuses leaves it as it was.
inline void work_in_background() {
  constexpr int kNice = 10;
  (void)::setpriority(PRIO_PROCESS, 0, kNice);  // 0: of Linux the calling thread alone
}

}  // namespace magpie
