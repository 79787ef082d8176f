// magpie: crawls sites for pictures and products, understands the pictures, and serves a visual search over them.
#include <csignal>

#include "base/log.h"
#include "command.h"
#include "flags.h"

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

namespace {

constexpr const char* kHelp =
    "Magpie crawls sites for pictures and products, understands the pictures, and serves a visual search over them.";
constexpr const char* kFooter =
    "A first session:\n"
    "  magpie init shops && cd shops\n"
    "  magpie crawl --agent my-crawler https://shop.example/\n"
    "  magpie search \"red dress\" --limit 10\n"
    "  magpie serve                      then open http://127.0.0.1:8080/\n\n"
    "Exit codes: 0 done, 1 nothing found or refused, 2 wrong usage, 3 failed.";

}  // namespace

int main(int argc, char** argv) {
  using namespace magpie::cmd;
  std::signal(SIGPIPE, SIG_IGN);
  Common common;
  return run_command_line(argc, argv, common, kHelp, kFooter, "magpie " MAGPIE_VERSION, [&](CLI::App& app) {
    add_init(app, common);
    add_crawl(app, common);
    add_collect(app, common);
    add_shop(app, common);
    add_search(app, common);
    add_serve(app, common);
    add_status(app, common);
    add_why(app, common);
    add_changes(app, common);
    add_copies(app, common);
    add_retry(app, common);
    add_revisit(app, common);
    add_keys(app, common);
    add_forget(app, common);
    add_rebuild(app, common);
    add_config(app, common);
    add_bridge(app, common);
    add_doctor(app, common);
    add_models(app, common);
    add_inspect(app, common);
    add_worker(app, common);
  });
}
