#include <malloc.h>

#include "command.h"
#include "flags.h"
#include "pipeline/worker_handlers.h"
#include "process/worker_loop.h"

namespace magpie::cmd {
namespace {

// glibc gives memory at the end of the heap back to the kernel at each 128 KB and fetches it again for the next page. Here its bounds
// start where its own adjusting ends after a few large pictures.
void keep_freed_memory() {
  ::mallopt(M_MMAP_THRESHOLD, 32 << 20);
  ::mallopt(M_TRIM_THRESHOLD, 64 << 20);
}

}  // namespace

// Started by the manager only; hidden from --help.
void add_worker(CLI::App& app, Common& common) {
  Subcommand command(app, "worker", "Read pages and pictures for a manager");
  command.hide();
  auto fd = std::make_shared<int>(-1);
  command.option("--fd", *fd, "The socket to the manager", {.required = true});
  command.runs(common, [fd]() -> Result<int> {
    keep_freed_memory();
    return run_worker(*fd, pipeline::make_worker_handlers);
  });
}

}  // namespace magpie::cmd
