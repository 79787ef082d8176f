// magpie forget: removes a picture, a page, a host, or what a source labelled from everything, and shows that nothing of it is left.
#include <unistd.h>

#include <iostream>
#include <thread>

#include "app/manager.h"
#include "app/manager_client.h"
#include "base/json_writer.h"
#include "command.h"
#include "flags.h"
#include "inspect.h"

namespace magpie::cmd {
namespace {

struct ForgetFlags {
  std::string kind, name;
  bool copies = false, dry_run = false, yes = false, allow = false;
};

/// Somebody who forgets: the process that manages the collection, or this one.
struct Doer {
  std::function<Result<ForgetReport>(bool dry_run)> forget;
  std::function<Result<std::uint64_t>()> allow;
};

void line(std::string_view what, std::uint64_t count) {
  if (count > 0) fmt::print("  {:>10}  {}\n", count, what);
}

void print_counts(const ForgetReport& report) {
  const ForgetCounts& rows = report.catalog;
  line("pictures", rows.pictures);
  line("vectors of pictures", rows.vectors);
  line("pages", rows.pages);
  line("products", rows.products);
  line("addresses in the catalog", rows.addresses);
  line("showings of pictures on pages", rows.showings);
  line("labels", rows.labels);
  line("changes of products", rows.changes);
  line("visits of hosts", rows.visits);
  line("learnt selectors", rows.selectors);
  line("crawls", rows.jobs);
  line("mentions in rows that stay", rows.mentions);
  line("thumbnails and previews", report.variants.removed);
  line("records of the archive", report.archive.removed);
  line("archived pages in which addresses are overwritten", report.archive.changed);
  line("addresses in the frontier", report.frontier);
  line("shops", report.shops);
}

int print_report(const ForgetReport& report, bool json) {
  const bool is_proved = report.found.empty();
  if (json) {
    JsonWriter out;
    write_report(out, report);
    print_line(out.text());
  } else {
    fmt::print("{} {} '{}':\n", report.dry_run ? "Would forget" : "Forgot", to_string(report.target.kind), report.target.name);
    print_counts(report);
  }
  if (report.dry_run) return kDone;
  if (is_proved) {
    fmt::print(stderr, "Searched {} files with {} bytes for {} names: nothing is left.\n", report.files, report.bytes, report.names);
    return kDone;
  }
  fmt::print(stderr, "Something is left:\n");
  for (const std::string& one : report.found) fmt::print(stderr, "  {}\n", one);
  return kFailed;
}

Result<ForgetReport> forget_there(ManagerClient& manager, const ForgetTarget& target, bool dry_run) {
  MAGPIE_TRY(ManagerClient::ForgetStatus status, manager.forget(target, dry_run));
  while (status.state == ForgetState::kRunning) {
    std::this_thread::sleep_for(std::chrono::milliseconds(200));  // the server's; it has nothing to tell before
    MAGPIE_TRY(status, manager.forgetting(status.id));
  }
  if (status.state == ForgetState::kFailed) return fail(Code::kUnavailable, "{}", status.message);
  return status.report;
}

Result<bool> is_confirmed(const ForgetFlags& flags, Doer& doer) {
  if (flags.yes) return true;
  if (::isatty(STDIN_FILENO) == 0) return fail(Code::kBadInput, "this cannot be undone: look at it with --dry-run, then give --yes");
  MAGPIE_TRY(const ForgetReport report, doer.forget(/*dry_run=*/true));
  print_report(report, /*json=*/false);
  fmt::print("This cannot be undone. Forget it? [y/N] ");
  std::fflush(stdout);
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "Y" || answer == "yes";
}

Result<int> run_with(Doer doer, const Common& common, const ForgetFlags& flags) {
  if (flags.allow) {
    MAGPIE_TRY([[maybe_unused]] const std::uint64_t allowed, doer.allow());
    fmt::print(stderr, "It may be fetched again.\n");
    return kDone;
  }
  if (!flags.dry_run) {
    MAGPIE_TRY(const bool confirmed, is_confirmed(flags, doer));
    if (!confirmed) {
      fmt::print(stderr, "Nothing was forgotten.\n");
      return kNothing;
    }
  }
  MAGPIE_TRY(const ForgetReport report, doer.forget(flags.dry_run));
  return print_report(report, common.json);
}

Result<int> run(const Common& common, const ForgetFlags& flags) {
  const auto kind = forget_kind_from(flags.kind);
  if (!kind) return fail(Code::kBadInput, "'{}' is none of picture, page, host, label, artist", flags.kind);
  const ForgetTarget target{*kind, flags.name, flags.copies};
  MAGPIE_TRY(const CollectionFolder folder, CollectionFolder::choose(common.collection, false));
  AppSettings settings;
  MAGPIE_TRY_DO(read_settings(settings, &folder, common));
  if (auto there = ManagerClient::connect(folder)) {
    return run_with({[&](bool dry_run) { return forget_there(*there, target, dry_run); }, [&] { return there->allow_again(target); }},
                    common, flags);
  }
  MAGPIE_TRY(const auto collection, Collection::open_to_manage(folder));
  const SystemClock clock;
  MetricsRegistry metrics;
  MAGPIE_TRY(const auto manager, Manager::start(*collection, settings, clock, metrics, {.embeds = false}));
  const auto forget = [&](bool dry_run) { return dry_run ? manager->preview_forgetting(target) : manager->forget(target); };
  return run_with({forget, [&] { return manager->allow_again(target); }}, common, flags);
}

}  // namespace

void add_forget(CLI::App& app, Common& common) {
  Subcommand command(app, "forget", "Remove something from everything that is kept, archive included, and never fetch it again");
  auto flags = std::make_shared<ForgetFlags>();
  command.option("kind", flags->kind, "What it is: picture, page, host, label or artist", {.value = "KIND", .required = true});
  command.option("name", flags->name,
                 "A picture's id, SHA-256 or address; a page's address, with its products; a host; SOURCE/LABEL; an artist's name",
                 {.value = "NAME", .required = true});
  command.flag("--copies", flags->copies, "A picture's near-copies, too");
  command.flag("--dry-run", flags->dry_run, "Only say what would be removed");
  command.flag("--yes", flags->yes, "Do not ask");
  command.flag("--allow", flags->allow, "Let what was forgotten be fetched again");
  command.common_flags(common);
  command.runs(common, [&common, flags] { return run(common, *flags); });
}

}  // namespace magpie::cmd
