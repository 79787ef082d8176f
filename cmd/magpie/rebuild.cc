// magpie rebuild: makes anew what can be made anew from what is kept; one flag for each.
#include <unistd.h>

#include "app/manager.h"
#include "app/pictures.h"
#include "base/guarded.h"
#include "base/json_writer.h"
#include "base/log.h"
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
/// it was interrupted. `model` goes before model.embedder unless it is empty.
Result<bool> run_managed(const Common& common, const std::function<void(Manager&, std::stop_token)>& work,
                         const std::function<void()>& show, const ManagerOptions& options, const std::string& model = "") {
  MAGPIE_TRY(const CollectionFolder folder, CollectionFolder::choose(common.collection, false));
  AppSettings settings;
  MAGPIE_TRY_DO(read_settings(settings, &folder, common));
  if (!model.empty()) settings.model.embedder.value = model;
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

/// What follows when all was looked at, and what it adds to the answer.
struct AfterAnalysis {
  std::function<Result<void>(Manager&, const std::stop_token&)> run;
  std::function<void(JsonWriter&)> say;
};

/// Looks at what waits, with the options' network.
Result<int> analyse(const Common& common, const ManagerOptions& options = {}, const std::string& model = "",
                    const AfterAnalysis& then = {}) {
  Guarded<std::function<AnalyseWaitingCounts()>> running;
  std::optional<Result<AnalyseWaitingCounts>> counts;
  const auto work = [&](Manager& manager, const std::stop_token& stop) {
    counts = manager.analyse_waiting(
        stop, [&](std::function<AnalyseWaitingCounts()> ask) { running.with([&](auto& known) { known = std::move(ask); }); });
    if (!*counts || !then.run || stop.stop_requested()) return;
    auto done = then.run(manager, stop);
    if (!done && done.error().code != Code::kCancelled) counts = Failure(std::move(done).error());
  };
  const auto show = [&] {
    const auto so_far = running.with([](const auto& ask) { return ask ? ask() : AnalyseWaitingCounts(); });
    show_line(fmt::format("{} pictures analysed, {} embedded, {} looked through, {} compared, {} looked around, {} failed", so_far.analysed,
                          so_far.embedded, so_far.detected, so_far.compared, so_far.surrounded, so_far.failed));
  };
  MAGPIE_TRY(const bool asked, run_managed(common, work, show, options, model));
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
        .field("failed", done.failed);
    if (then.say) then.say(out);
    print_line(out.end_object().text());
  }
  fmt::print(stderr,
             "{}: {} pictures analysed, {} more embedded, {} more looked through for things, {} compared ({} copies found), "
             "{} looked around, {} failed\n",
             asked ? "stopped" : "finished", done.analysed, done.embedded, done.detected, done.compared, done.copies, done.surrounded,
             done.failed);
  return asked ? kNothing : kDone;
}

void say(const SpaceComparison& one, JsonWriter& json) {
  json.key("comparison").begin_object().field("asked", one.asked).field("among", one.among).field("same_of_ten", one.same);
  json.field("with_copies", one.with_copies)
      .field("copies_nearest_before", one.copies_before)
      .field("copies_nearest_after", one.copies_after);
  json.end_object();
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

// New vectors and a new index are made beside the old ones, which searches use until all are there. A run that is cut short goes on with
// the next.
Result<int> change_model(const Common& common, const std::string& name, bool dry_run) {
  MAGPIE_TRY(const PictureModel model, named_embedder(name));
  SpaceComparison comparison;
  bool switched = false;
  const auto compare_and_switch = [&](Manager& manager, const std::stop_token& stop) -> Result<void> {
    MAGPIE_TRY(comparison, manager.compare_models());
    say(comparison);
    if (dry_run) return {};
    fmt::print(stderr, "Indexing the new vectors...\n");
    MAGPIE_TRY_DO(manager.switch_model(stop, [](std::uint64_t indexed) { log::info("index.built", {{"pictures", indexed}}); }));
    switched = true;
    return {};
  };
  MAGPIE_TRY(const int code,
             analyse(common, {.changes_model = true}, name, {compare_and_switch, [&](JsonWriter& json) { say(comparison, json); }}));
  if (!switched) {
    fmt::print(stderr, "Searches use the old vectors{}; the same command{} goes on.\n", dry_run ? "" : " until all are made",
               dry_run ? " without --dry-run" : "");
    return code;
  }
  fmt::print(stderr, "The collection's vectors are now of {}.\n", model.space);
  AppSettings settings;
  MAGPIE_TRY(const CollectionFolder folder, CollectionFolder::choose(common.collection, false));
  MAGPIE_TRY_DO(read_settings(settings, &folder, common));
  if (!settings.model.embedder().empty() && settings.model.embedder() != name)
    fmt::print(stderr, "Next: take model.embedder = {} out of the settings, or set it to {}.\n", settings.model.embedder(), name);
  return kDone;
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
  command.option("--model", flags->model, "Make all vectors anew by this model, one of magpie models list, then search by them",
                 {.value = "NAME"});
  command.flag("--dry-run", flags->dry_run,
               "With --extract: show what would change, and change nothing. With --model: make the vectors, compare, and do not switch");
  command.option("--limit", flags->limit, "With --extract: changed pages that are shown; all are counted",
                 {.value = "N", .show_default = true});
  command.common_flags(common);
  command.runs(common, [&common, flags] { return run(common, *flags); });
}

}  // namespace magpie::cmd
