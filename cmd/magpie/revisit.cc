#include "command.h"
#include "core/clock.h"
#include "flags.h"
#include "follow_crawl.h"
#include "inspect.h"

namespace magpie::cmd {
namespace {

constexpr std::size_t kListedMax = 10'000'000;

struct RevisitFlags {
  JobId job = 0;
  bool all = false, dry_run = false;
};

Result<int> list_due(const CollectionFolder& folder, JobId job, bool all) {
  MAGPIE_TRY(const auto collection, Collection::open_to_read(folder));
  MAGPIE_TRY(const std::vector<UrlRecord> due, collection->catalog().due(job, SystemClock().now(), all, kListedMax));
  for (const UrlRecord& one : due) print_line(one.url);
  if (due.empty()) fmt::print(stderr, "nothing of job {} is due to be visited again\n", job);
  return due.empty() ? kNothing : kDone;
}

Result<int> run(const Common& common, const RevisitFlags& flags) {
  MAGPIE_TRY(const CollectionFolder folder, CollectionFolder::choose(common.collection, false));
  AppSettings settings;
  MAGPIE_TRY_DO(read_settings(settings, &folder, common));
  MAGPIE_TRY(const JobId job, job_or_newest(folder, flags.job));
  if (flags.dry_run) return list_due(folder, job, flags.all);
  if (auto manager = ManagerClient::connect(folder))
    return follow_there(
        *manager, [&] { return manager->revisit(job, flags.all); }, common.json);
  return follow_here(
      folder, settings, [&](Manager& manager) { return manager.revisit(job, flags.all); }, common.json);
}

}  // namespace

void add_revisit(CLI::App& app, Common& common) {
  Subcommand command(app, "revisit", "Visit again the pages of a crawl that are due, and keep what has changed");
  command.footer(
      "A page is due a day after its first visit; then sooner each time it has changed, and later each time it has not\n"
      "(crawl.revisit_first, crawl.revisit_min, crawl.revisit_max), or when a sitemap calls it changed. Servers are asked only\n"
      "whether it has changed. With --set crawl.revisit=true, 'magpie serve' does this by itself.");
  auto flags = std::make_shared<RevisitFlags>();
  command.option("--job", flags->job, "The crawl's number, as magpie status gives it; otherwise the newest", {.value = "N"});
  command.flag("--all", flags->all, "Whatever the crawl has fetched, due or not");
  command.flag("--dry-run", flags->dry_run, "Only print the addresses");
  command.common_flags(common);
  command.runs(common, [&common, flags] { return run(common, *flags); });
}

}  // namespace magpie::cmd
