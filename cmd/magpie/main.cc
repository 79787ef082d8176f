// magpie: crawls sites for pictures and products, understands the pictures, and serves a visual search over them.
#include <csignal>

#include "base/log.h"
#include "command.h"

namespace magpie::cmd {

int report(const Error& error) {
  fmt::print(stderr, "magpie: {}\n", error.message);
  switch (error.code) {
    case Code::kBadInput: return kUsage;
    case Code::kNotFound:
    case Code::kForbidden:
    case Code::kCancelled: return kNothing;
    default: return kFailed;
  }
}

void add_common(CLI::App& command, Common& common) {
  command
      .add_option("-C,--collection", common.collection, "The collection's folder; otherwise the nearest one at or above the current folder")
      ->type_name("DIR");
  command
      .add_option("--set", common.settings, "Change a setting for this run, e.g. --set crawl.host_delay=2s; see magpie config --explain")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);  // one value a use: what follows is the command's own
  command.add_flag("--json", common.json, "Answer in JSON on stdout, for programs");
  command.add_flag("-v,--verbose", common.verbose, "Log every step");
}

Result<void> read_settings(AppSettings& settings, const CollectionFolder* folder, const Common& common) {
  SettingsRegistry registry;
  settings.add_to(registry);
  if (folder != nullptr) MAGPIE_TRY_DO(folder->read_settings(registry));
  MAGPIE_TRY_DO(registry.set_from_environment());
  for (const std::string& assignment : common.settings) {
    const std::size_t equals = assignment.find('=');
    if (equals == std::string::npos) return fail(Code::kBadInput, "--set wants KEY=VALUE, not '{}'", assignment);
    MAGPIE_TRY_DO(registry.set(assignment.substr(0, equals), assignment.substr(equals + 1)));
  }
  if (common.verbose) log::set_level(log::Level::kDebug);
  return {};
}

}  // namespace magpie::cmd

int main(int argc, char** argv) {
  using namespace magpie::cmd;
  std::signal(SIGPIPE, SIG_IGN);
  Common common;
  CLI::App app("Magpie crawls sites for pictures and products, understands the pictures, and serves a visual search over them.", "magpie");
  app.require_subcommand(1);
  app.set_version_flag("--version", std::string("magpie ") + MAGPIE_VERSION);
  app.footer(
      "A first session:\n"
      "  magpie init shops && cd shops\n"
      "  magpie crawl --agent my-crawler https://shop.example/\n"
      "  magpie search \"red dress\" --limit 10\n"
      "  magpie serve                      then open http://127.0.0.1:8080/\n\n"
      "Exit codes: 0 done, 1 nothing found or refused, 2 wrong usage, 3 failed.");
  add_init(app, common);
  add_crawl(app, common);
  add_search(app, common);
  add_serve(app, common);
  add_status(app, common);
  add_why(app, common);
  add_changes(app, common);
  add_retry(app, common);
  add_revisit(app, common);
  add_config(app, common);
  add_doctor(app, common);
  add_inspect(app, common);
  add_worker(app, common);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& problem) {
    const int code = app.exit(problem);
    return code == 0 ? kDone : kUsage;
  }
  return common.exit_code;
}
