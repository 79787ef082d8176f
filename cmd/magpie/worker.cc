#include "command.h"
#include "pipeline/worker_handlers.h"
#include "process/worker_loop.h"

namespace magpie::cmd {

// Started by the manager only; hidden from --help.
void add_worker(CLI::App& app, Common& common) {
  CLI::App* command = app.add_subcommand("worker", "Read pages and pictures for a manager")->group("");
  auto fd = std::make_shared<int>(-1);
  command->add_option("--fd", *fd, "The socket to the manager")->required();
  command->callback([&common, fd] { common.exit_code = run_worker(*fd, pipeline::make_worker_handlers); });
}

}  // namespace magpie::cmd
