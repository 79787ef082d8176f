// magpie collect: labelled pictures from JSON APIs that a YAML file describes, from lists of addresses, and from folders.
#include "app/collect_job.h"
#include "app/job_json.h"
#include "collect/folder.h"
#include "collect/lister.h"
#include "command.h"
#include "flags.h"
#include "follow_crawl.h"
#include "inspect.h"
#include "pipeline/crawl_run.h"
#include "progress_line.h"
#include "signals.h"

namespace magpie::cmd {
namespace {

constexpr std::size_t kDryRunItems = 10;

struct CollectFlags {
  std::string source, label, agent;
  double delay = -1;
  std::int64_t per_host = 0, pictures_max = 0;
  bool list = false, dry_run = false, allow_loopback = false;
};

/// Keeps nothing: shows the first items as they would be taken.
class Preview final : public collect::ListingSink {
 public:
  Preview(bool json, std::stop_source& stop) : json_(json), stop_(stop) {}
  Result<collect::Taken> take(const collect::Batch& batch, const std::function<std::string(const collect::Taken&)>& state) override {
    collect::Taken taken;
    for (const collect::Item& item : batch.items) {
      taken.cut = shown_ >= kDryRunItems;
      if (taken.cut) break;
      show(item, batch.api);
      ++shown_;
      ++taken.news;
    }
    (void)state(taken);
    if (shown_ >= kDryRunItems) stop_.request_stop();
    return taken;
  }
  Result<std::map<std::string, std::string>> states() override { return std::map<std::string, std::string>(); }
  Result<std::vector<std::string>> seen(std::string_view, std::size_t) override { return std::vector<std::string>(); }
  std::size_t shown() const { return shown_; }

 private:
  void show(const collect::Item& item, std::string_view api) const {
    if (json_) {
      JsonWriter json;
      json.begin_object().field("picture", item.picture).key("labels").begin_array();
      for (const std::string& label : item.labels) json.string(label);
      json.end_array().field("api", api).field("artist", item.artist).field("artist_url", item.artist_url);
      json.field("page_url", item.page).field("licence", item.licence);
      return print_line(json.end_object().text());
    }
    fmt::print("{}\n", item.picture);
    for (const std::string& label : item.labels) fmt::print("  label    {}\n", label);
    const auto line = [](const char* name, const std::string& text) {
      if (!text.empty()) fmt::print("  {:<9}{}\n", name, text);
    };
    line("artist", item.artist);
    line("", item.artist_url);
    line("source", item.page);
    line("licence", item.licence);
  }

  bool json_;
  std::stop_source& stop_;
  std::size_t shown_ = 0;
};

void say_problems(const collect::ListingCounts& counts) {
  for (const std::string& problem : counts.problems) fmt::print(stderr, "magpie: {}\n", problem);
}

Result<int> dry_run(const collect::Description& description, const AppSettings& settings, bool json) {
  MAGPIE_TRY(const auto client, description.is_folder() ? collect::make_folder_client(description.folder)
                                                        : pipeline::make_crawl_client(settings.crawl, nullptr));
  const SystemClock clock;
  std::stop_source stop;
  Preview preview(json, stop);
  collect::Lister lister(description, {*client, clock, preview}, {});
  MAGPIE_TRY_DO(lister.run(stop.get_token()));
  const collect::ListingCounts counts = lister.counts();
  say_problems(counts);
  fmt::print(stderr, "{} items shown, {} malformed; nothing was kept\n", preview.shown(), counts.malformed);
  if (preview.shown() > 0) return kDone;
  return counts.problems.empty() ? kNothing : kFailed;
}

std::string progress_words(const collect::ListingCounts& counts, const CrawlProgress& progress) {
  std::string text = fmt::format("{} listed", counts.listed);
  if (counts.lists > 1) text += fmt::format(" ({} of {} lists read)", counts.lists_done, counts.lists);
  text += fmt::format(", {} pictures {:.0f}/s, {} waiting", progress.images_fetched, progress.images_per_second, progress.queued);
  if (progress.failed > 0) text += fmt::format(", {} failed", progress.failed);
  return text;
}

void print_summary(const collect::ListingCounts& counts, const std::vector<LabelCount>& labels, const CrawlJobView& job) {
  JsonWriter json;
  json.begin_object().field("state", to_string(job.state)).field("listed", counts.listed).field("malformed", counts.malformed);
  json.field("new", counts.news).field("known", counts.known).field("refused", counts.refused).field("calls", counts.calls);
  json.field("lists", counts.lists).field("lists_done", counts.lists_done).field("lists_failed", counts.lists_failed);
  json.key("problems").begin_array();
  for (const std::string& problem : counts.problems) json.string(problem);
  json.end_array().key("labels").begin_array();
  for (const LabelCount& label : labels) {
    json.begin_object().field("label", label.label).field("pictures", label.pictures);
    json.field("waiting", label.waiting).field("failed", label.failed).end_object();
  }
  json.end_array().key("progress").raw(to_json(job.progress));
  print_line(json.end_object().text());
}

void say_labels(const std::vector<LabelCount>& labels) {
  constexpr std::size_t kLabelsShown = 100;
  for (std::size_t i = 0; i < std::min(labels.size(), kLabelsShown); ++i) {
    const LabelCount& label = labels[i];
    fmt::print(stderr, "  {:<24}{:>8} pictures", label.label.empty() ? "(no label)" : label.label, label.pictures);
    if (label.waiting > 0) fmt::print(stderr, ", {} waiting", label.waiting);
    if (label.failed > 0) fmt::print(stderr, ", {} failed", label.failed);
    fmt::print(stderr, "\n");
  }
  if (labels.size() > kLabelsShown) fmt::print(stderr, "  and {} labels more\n", labels.size() - kLabelsShown);
}

void say_summary(const collect::ListingCounts& counts, const std::vector<LabelCount>& labels, const CrawlJobView& job) {
  fmt::print(stderr, "{}: {} items listed in {} calls, {} new, {} known", to_string(job.state), counts.listed, counts.calls, counts.news,
             counts.known);
  if (counts.malformed > 0) fmt::print(stderr, ", {} malformed", counts.malformed);
  if (counts.refused > 0) fmt::print(stderr, ", {} refused (crawl.url_bytes_max, traps)", counts.refused);
  if (counts.lists > 1) fmt::print(stderr, "; {} of {} lists read to their end", counts.lists_done, counts.lists);
  fmt::print(stderr, "\n");
  say_labels(labels);
  if (!job.progress.failures.empty()) {
    fmt::print(stderr, "failed:");
    for (const FailureCount& failure : job.progress.failures) fmt::print(stderr, " {} {}", failure.count, failure.cause);
    fmt::print(stderr, "\n");
  }
  say_problems(counts);
}

Result<int> list_shipped(bool json) {
  MAGPIE_TRY(const std::vector<std::string> names, shipped_sources());
  for (const std::string& name : names) {
    MAGPIE_TRY(const std::string seed, collect_seed(name, ""));
    MAGPIE_TRY(const collect::Description source, load_source(seed));
    if (json) {
      JsonWriter line;
      line.begin_object().field("name", name).field("about", source.about).field("lists", source.categories.size());
      print_line(line.end_object().text());
    } else {
      fmt::print("{:<16}{} ({} lists)\n", name, source.about, source.categories.size());
    }
  }
  return names.empty() ? kNothing : kDone;
}

Result<int> run(const Common& common, const CollectFlags& flags) {
  if (flags.list) return list_shipped(common.json);
  if (flags.source.empty())
    return fail(Code::kBadInput, "name a source: a folder, a list of addresses, a description, or one of 'magpie collect --list'");
  MAGPIE_TRY(const std::string seed, collect_seed(flags.source, flags.label));
  MAGPIE_TRY(const collect::Description source, load_source(seed));  // before a folder is made
  const auto settings_of = [&](AppSettings& settings, const CollectionFolder* folder) -> Result<void> {
    MAGPIE_TRY_DO(read_settings(settings, folder, common));
    if (!flags.agent.empty()) settings.crawl.agent.value = flags.agent;
    if (flags.allow_loopback) settings.crawl.allow_loopback.value = true;
    return {};
  };
  AppSettings settings;
  if (flags.dry_run) {
    const auto found = CollectionFolder::choose(common.collection, false);
    MAGPIE_TRY_DO(settings_of(settings, found ? &*found : nullptr));
    return dry_run(source, settings, common.json);
  }
  if (!source.is_folder() && !common.collection.empty() && !CollectionFolder::open(common.collection)) {
    AppSettings early;
    MAGPIE_TRY_DO(settings_of(early, nullptr));
    MAGPIE_TRY_DO(crawl::user_agent(early.crawl));
  }
  MAGPIE_TRY(const CollectionFolder folder, CollectionFolder::choose(common.collection, true));
  MAGPIE_TRY_DO(settings_of(settings, &folder));
  CrawlOptions options;
  if (flags.delay >= 0) options.delay = std::chrono::milliseconds(std::llround(flags.delay * 1000));
  if (flags.per_host > 0) options.requests_per_host = static_cast<std::uint32_t>(flags.per_host);
  if (flags.pictures_max > 0) options.pictures_max = static_cast<std::uint64_t>(flags.pictures_max);
  if (!flags.agent.empty()) options.agent = flags.agent;

  if (auto manager = ManagerClient::connect(folder)) {
    say_whose_settings(common, flags.allow_loopback);
    MAGPIE_TRY(const int code, follow_there(
                                   *manager, [&] { return manager->collect(seed, options); }, common.json));
    MAGPIE_TRY(const auto collection, Collection::open_to_read(folder));
    MAGPIE_TRY(const std::vector<LabelCount> labels, collection->catalog().label_counts(source.source));
    say_labels(labels);
    return code;
  }
  bool nothing_listed = false;
  FollowWords words;
  words.progress = [](Manager& manager, const CrawlJobView& job) { return progress_words(manager.listing(job.id), job.progress); };
  words.end = [&](Manager& manager, const Catalog& catalog, const CrawlJobView& job) {
    const collect::ListingCounts counts = manager.listing(job.id);
    const auto labels = catalog.label_counts(source.source);
    nothing_listed = counts.listed == 0 && job.progress.images_fetched == 0;
    if (common.json) print_summary(counts, labels ? *labels : std::vector<LabelCount>(), job);
    say_summary(counts, labels ? *labels : std::vector<LabelCount>(), job);
  };
  MAGPIE_TRY(const int code, follow_here(
                                 folder, settings, [&](Manager& manager) { return manager.collect(flags.source, flags.label, options); },
                                 common.json, words));
  return code == kDone && nothing_listed ? kNothing : code;
}

}  // namespace

void add_collect(CLI::App& app, Common& common) {
  Subcommand command(app, "collect", "Collect labelled pictures from folders, lists of addresses and JSON APIs; run again, it goes on");
  auto flags = std::make_shared<CollectFlags>();
  command.option("source", flags->source,
                 "A folder, a list of addresses (.txt, .csv, .tsv, .jsonl), a description (job.yaml), or the name of a shipped source",
                 {.value = "SOURCE"});
  command.flag("--list", flags->list, "Name the sources that come with Magpie");
  command.flag("--dry-run", flags->dry_run, "Show the first ten items as they would be taken, and keep nothing");
  command.option("--label", flags->label, "Label of all pictures of a folder, or of a list that names none itself", {.value = "NAME"});
  command.option("--max", flags->pictures_max, "Take at most so many new pictures", {.value = "N", .least = 1});
  command.option("--agent", flags->agent, "The name sites see and robots.txt may name (setting crawl.agent)", {.value = "NAME"});
  command.option("--delay", flags->delay, "Seconds between the starts of two requests for pictures to a host",
                 {.value = "S", .least = 0.0, .most = 3600.0});
  command.option("--per-host", flags->per_host, "Most requests for pictures to a host at once", {.value = "N", .least = 1, .most = 256});
  command.flag("--allow-loopback", flags->allow_loopback, "Let it reach this machine's own addresses, for tests");
  command.footer(
      "Examples:\n"
      "  magpie collect nekos.best --max 500          a shipped source\n"
      "  magpie collect job.yaml --dry-run            what a description of your own would give\n"
      "  magpie collect cats.csv --label cat          a list with a column 'url'\n"
      "  magpie collect ~/Pictures                    a folder; the names of those in it are labels\n\n"
      "A description is YAML: request, categories, paging, items, fields, limits (src/collect/README.md has all keys).\n"
      "Pictures are fetched as in a crawl: robots.txt, delays and the address guard hold. An API that the description names is asked\n"
      "as often as its limits say. Labels, artists, sources and licences are kept with each picture, and searched as words.");
  command.common_flags(common);
  command.runs(common, [&common, flags] { return run(common, *flags); });
}

}  // namespace magpie::cmd
