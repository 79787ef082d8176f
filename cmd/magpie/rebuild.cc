// magpie rebuild: makes anew what can be made anew from what is kept; one flag for each.
#include <unistd.h>

#include "app/manager.h"
#include "app/manager_client.h"
#include "app/model_desk.h"
#include "app/pictures.h"
#include "base/guarded.h"
#include "base/json_writer.h"
#include "command.h"
#include "flags.h"
#include "inspect.h"
#include "signals.h"

namespace magpie::cmd {
namespace {

using pipeline::AnalyseWaitingCounts;
using pipeline::ExtractAgainCounts;
using pipeline::FieldChange;
using pipeline::PageChange;

struct RebuildFlags {
  bool extract = false, analyse = false, dry_run = false;
  std::string model;
  std::uint64_t limit = 20;
};

void print_json(const PageChange& change) {
  JsonWriter json;
  json.begin_object().field("url", change.url).key("changes").begin_array();
  for (const FieldChange& field : change.fields)
    json.begin_object().field("field", field.field).field("before", field.before).field("after", field.after).end_object();
  print_line(json.end_array().end_object().text());
}

/// At most a line's worth of it, cut between characters.
std::string shortened(std::string_view text) {
  constexpr std::size_t kBytesMax = 300;
  if (text.empty()) return "nothing";
  if (text.size() <= kBytesMax) return std::string(text);
  std::size_t end = kBytesMax;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return fmt::format("{} …", text.substr(0, end));
}

void print_text(const PageChange& change) {
  fmt::print("{}\n", change.url);
  for (const FieldChange& field : change.fields)
    fmt::print("  {:<12}{}\n{:<10}→ {}\n", field.field, shortened(field.before), "", shortened(field.after));
}

void say_counts(const ExtractAgainCounts& counts, const RebuildFlags& flags, bool json) {
  if (json) {
    JsonWriter out;
    out.begin_object().field("pages", counts.pages).field("changed", counts.changed).field("unreadable", counts.unreadable);
    out.field("left", counts.left).field("pictures_new", counts.pictures_new).field("dry_run", flags.dry_run);
    out.key("by_field").begin_object();
    for (const auto& [field, count] : counts.by_field) out.field(field, count);
    print_line(out.end_object().end_object().text());
  }
  std::string fields;
  for (const auto& [field, count] : counts.by_field) fields += fmt::format("{}{} {}", fields.empty() ? " (" : ", ", count, field);
  fmt::print(stderr, "{}: {} pages read, {} {}{}{}", counts.pages + counts.left + counts.unreadable < counts.of ? "stopped" : "finished",
             counts.pages, counts.changed, flags.dry_run ? "would change" : "changed", fields, fields.empty() ? "" : ")");
  if (counts.unreadable > 0) fmt::print(stderr, "; {} do not read and stay as they were", counts.unreadable);
  if (counts.left > 0) fmt::print(stderr, "; {} wait for a visit that succeeds", counts.left);
  fmt::print(stderr, "\n");
  if (counts.pictures_new > 0 && !flags.dry_run)
    fmt::print(stderr, "{} new picture addresses wait for the next crawl\n", counts.pictures_new);
}

/// Runs `work` beside a manager of the collection, on a thread of its own, and `show` now and then where a person looks on. True when
/// it was interrupted.
Result<bool> run_managed(const Common& common, const std::function<void(Manager&, std::stop_token)>& work,
                         const std::function<void()>& show, const ManagerOptions& options) {
  MAGPIE_TRY(const CollectionFolder folder, CollectionFolder::choose(common.collection, false));
  AppSettings settings;
  MAGPIE_TRY_DO(read_settings(settings, &folder, common));
  MAGPIE_TRY(const auto collection, Collection::open_to_manage(folder));
  const SystemClock clock;
  MetricsRegistry metrics;
  MAGPIE_TRY(const auto manager, Manager::start(*collection, settings, clock, metrics, options));

  StopSignals signals;
  std::atomic<bool> ended{false};
  std::jthread thread([&](std::stop_token stop) {
    work(*manager, std::move(stop));
    ended = true;
  });
  const bool terminal = ::isatty(STDERR_FILENO) == 1 && ::isatty(STDOUT_FILENO) == 0;  // or the line would run into the changes
  bool asked = false;
  while (!ended) {
    if (signals.wait(Deadline::after(200ms)) && !asked) asked = thread.request_stop();
    if (terminal) show();
  }
  thread.join();
  if (terminal) fmt::print(stderr, "\n");
  return asked;
}

void show_line(const std::string& words) {
  fmt::print(stderr, "\r\033[K{}", words);
  std::fflush(stderr);
}

Result<int> extract(const Common& common, const RebuildFlags& flags) {
  std::uint64_t shown = 0;
  pipeline::ExtractAgainOptions options;
  options.dry_run = flags.dry_run;
  options.on_change = [&](const PageChange& change) {
    if (shown++ < flags.limit) common.json ? print_json(change) : print_text(change);
  };
  Guarded<const pipeline::ExtractAgain*> running(nullptr);
  std::optional<Result<ExtractAgainCounts>> counts;
  const auto work = [&](Manager& manager, std::stop_token stop) {
    counts = manager.extract_again(options, std::move(stop),
                                   [&](const pipeline::ExtractAgain* again) { running.with([&](auto& known) { known = again; }); });
  };
  const auto show = [&] {
    const auto so_far = running.with([](const auto* again) { return again ? again->counts() : ExtractAgainCounts(); });
    show_line(fmt::format("{} of {} pages, {} changed", so_far.pages, so_far.of, so_far.changed));
  };
  MAGPIE_TRY(const bool asked, run_managed(common, work, show, {.embeds = false}));
  if (!*counts) return Failure(counts->error());
  say_counts(**counts, flags, common.json);
  return asked ? kNothing : kDone;
}

/// Looks at what waits.
Result<int> analyse(const Common& common) {
  Guarded<std::function<AnalyseWaitingCounts()>> running;
  std::optional<Result<AnalyseWaitingCounts>> counts;
  const auto work = [&](Manager& manager, const std::stop_token& stop) {
    counts = manager.analyse_waiting(
        stop, [&](std::function<AnalyseWaitingCounts()> ask) { running.with([&](auto& known) { known = std::move(ask); }); });
  };
  const auto show = [&] {
    const auto so_far = running.with([](const auto& ask) { return ask ? ask() : AnalyseWaitingCounts(); });
    show_line(fmt::format("{} pictures analysed, {} embedded, {} looked through, {} compared, {} looked around, {} failed", so_far.analysed,
                          so_far.embedded, so_far.detected, so_far.compared, so_far.surrounded, so_far.failed));
  };
  MAGPIE_TRY(const bool asked, run_managed(common, work, show, {}));
  if (!*counts) return Failure(counts->error());
  const AnalyseWaitingCounts& done = **counts;
  if (common.json) {
    JsonWriter out;
    out.begin_object()
        .field("analysed", done.analysed)
        .field("embedded", done.embedded)
        .field("detected", done.detected)
        .field("compared", done.compared)
        .field("copies", done.copies)
        .field("looked_around", done.surrounded)
        .field("failed", done.failed)
        .end_object();
    print_line(out.text());
  }
  fmt::print(stderr,
             "{}: {} pictures analysed, {} more embedded, {} more looked through for things, {} compared ({} copies found), "
             "{} looked around, {} failed\n",
             asked ? "stopped" : "finished", done.analysed, done.embedded, done.detected, done.compared, done.copies, done.surrounded,
             done.failed);
  return asked ? kNothing : kDone;
}

void say(const SpaceComparison& one) {
  if (one.asked == 0) return;
  fmt::print(stderr, "Compared by {} pictures among {}: of the ten most like one, {:.1f} are the same in both.\n", one.asked, one.among,
             10 * one.same);
  if (one.with_copies == 0) return;
  fmt::print(
      stderr,
      "Of {} that have a near-copy there, it is the nearest picture of {:.0f} % by the old vectors and of {:.0f} % by the new ones.\n",
      one.with_copies, 100 * one.copies_before, 100 * one.copies_after);
}

std::string words_for(const ModelChange& change) {
  switch (change.stage) {
    case ModelChangeStage::kEmbedding: return fmt::format("{} pictures embedded, {} failed", change.embedded, change.failed);
    case ModelChangeStage::kIndexing: return fmt::format("{} of {} pictures in the new index", change.indexed, change.pictures);
    default: return std::string(to_string(change.stage));
  }
}

int print_change(const ModelChange& change, const std::optional<std::string>& message, const Common& common, bool dry_run) {
  if (common.json) {
    JsonWriter out;
    out.begin_object();
    write_change(out, change);
    print_line(out.end_object().text());
  }
  if (change.before == change.after) {
    fmt::print(stderr, "The collection's vectors are of {} already.\n", change.after);
    return kDone;
  }
  fmt::print(stderr, "{} pictures embedded, {} failed.\n", change.embedded, change.failed);
  if (change.comparison) say(*change.comparison);
  if (dry_run) fmt::print(stderr, "Searches use the old vectors; the same command without --dry-run goes on.\n");
  else fmt::print(stderr, "The collection's vectors are now of {}.\n", change.after);
  if (message) fmt::print(stderr, "Next: {}.\n", *message);
  return kDone;
}

int print_stopped() {
  fmt::print(stderr, "stopped; searches use the old vectors, and the same command goes on\n");
  return kNothing;
}

/// By the server that manages the collection, while it goes on answering.
Result<int> change_model_there(ManagerClient& manager, const Common& common, const std::string& name, bool dry_run) {
  StopSignals signals;
  MAGPIE_TRY(ModelChangeView view, manager.change_model(name, dry_run));
  const bool terminal = ::isatty(STDERR_FILENO) == 1;
  while (view.state == ModelChangeState::kRunning) {
    if (signals.wait(Deadline::after(200ms))) MAGPIE_TRY_DO(manager.cancel_model_change(view.id));
    MAGPIE_TRY(view, manager.model_change(view.id));
    if (terminal) show_line(words_for(view.change));
  }
  if (terminal) fmt::print(stderr, "\n");
  if (view.state == ModelChangeState::kCancelled) return print_stopped();
  if (view.state == ModelChangeState::kFailed) return fail(Code::kUnavailable, "{}", view.message.value_or("the server does not say why"));
  return print_change(view.change, view.message, common, dry_run);
}

Result<int> change_model(const Common& common, const std::string& name, bool dry_run) {
  MAGPIE_TRY(const CollectionFolder folder, CollectionFolder::choose(common.collection, false));
  AppSettings settings;
  MAGPIE_TRY_DO(read_settings(settings, &folder, common));
  if (auto there = ManagerClient::connect(folder)) return change_model_there(*there, common, name, dry_run);
  MAGPIE_TRY_DO(named_embedder(name));
  Guarded<ModelChange> so_far;
  std::optional<Result<ModelChange>> changed;
  ModelChangeOptions options{.model = name, .dry_run = dry_run};
  options.progress = [&](const ModelChange& change) { so_far.with([&](ModelChange& known) { known = change; }); };
  const auto work = [&](Manager& manager, const std::stop_token& stop) { changed = manager.change_model(options, stop); };
  const auto show = [&] { show_line(words_for(so_far.with([](const ModelChange& change) { return change; }))); };
  MAGPIE_TRY_DO(run_managed(common, work, show, {.embeds = false}));
  if (!*changed && changed->error().code == Code::kCancelled) return print_stopped();
  if (!*changed) return Failure(changed->error());
  return print_change(**changed, (*changed)->switched ? left_to_do(settings, name) : std::nullopt, common, dry_run);
}

Result<int> run(const Common& common, const RebuildFlags& flags) {
  if (flags.extract + flags.analyse + !flags.model.empty() != 1)
    return fail(Code::kBadInput,
                "say what to make anew, one at a time: --extract reads every stored page again, --analyse looks at pictures that were only "
                "archived, --model makes vectors of another model");
  if (flags.analyse && flags.dry_run) return fail(Code::kBadInput, "--dry-run goes with --extract or --model");
  if (!flags.model.empty()) return change_model(common, flags.model, flags.dry_run);
  return flags.extract ? extract(common, flags) : analyse(common);
}

}  // namespace

void add_rebuild(CLI::App& app, Common& common) {
  Subcommand command(app, "rebuild", "Make anew what is made from the archive, and show what that changes; nothing is fetched");
  auto flags = std::make_shared<RebuildFlags>();
  command.flag("--extract", flags->extract, "Read every stored page again: titles, words, products, pictures");
  command.flag(
      "--analyse", flags->analyse,
      "Analyse and index pictures that were only archived or described (crawl.pictures), or looked through by no detector, or another one");
  command.option(
      "--model", flags->model,
      "Make all vectors anew by this model, one of magpie models list, then search by them; a server goes on answering meanwhile",
      {.value = "NAME"});
  command.flag("--dry-run", flags->dry_run,
               "With --extract: show what would change, and change nothing. With --model: make the vectors, compare, and do not switch");
  command.option("--limit", flags->limit, "With --extract: changed pages that are shown; all are counted",
                 {.value = "N", .show_default = true});
  command.common_flags(common);
  command.runs(common, [&common, flags] { return run(common, *flags); });
}

}  // namespace magpie::cmd
