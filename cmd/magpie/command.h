#pragma once
// What all subcommands share: flags, exit codes, how errors are said. Each add_…() hangs one subcommand into the parser; when it
// is chosen, its callback does the work and sets the exit code.
#include <string>
#include <vector>

#include "app/app_settings.h"
#include "app/collection_folder.h"
#include "base/result.h"

namespace CLI {
class App;
}

namespace magpie::cmd {

enum ExitCode : int { kDone = 0, kNothing = 1, kUsage = 2, kFailed = 3 };

struct Common {
  std::string collection;             // --collection, "" when not given
  std::vector<std::string> settings;  // --set key=value
  bool json = false;
  bool verbose = false;
  int exit_code = kDone;
};

/// Prints "magpie: <message>" and gives the exit code that goes with the error.
int report(const Error& error);

/// Defaults, the collection's file, the environment, then --set, in this order.
Result<void> read_settings(AppSettings& settings, const CollectionFolder* folder, const Common& common);

void add_init(CLI::App& app, Common& common);
void add_crawl(CLI::App& app, Common& common);
void add_collect(CLI::App& app, Common& common);
void add_shop(CLI::App& app, Common& common);
void add_search(CLI::App& app, Common& common);
void add_serve(CLI::App& app, Common& common);
void add_status(CLI::App& app, Common& common);
void add_why(CLI::App& app, Common& common);
void add_changes(CLI::App& app, Common& common);
void add_copies(CLI::App& app, Common& common);
void add_retry(CLI::App& app, Common& common);
void add_revisit(CLI::App& app, Common& common);
void add_keys(CLI::App& app, Common& common);
void add_forget(CLI::App& app, Common& common);
void add_rebuild(CLI::App& app, Common& common);
void add_config(CLI::App& app, Common& common);
void add_doctor(CLI::App& app, Common& common);
void add_bridge(CLI::App& app, Common& common);
void add_models(CLI::App& app, Common& common);
void add_inspect(CLI::App& app, Common& common);
void add_worker(CLI::App& app, Common& common);

}  // namespace magpie::cmd
