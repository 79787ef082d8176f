#include "command.h"
#include "flags.h"
#include "follow_crawl.h"

namespace magpie::cmd {
namespace {

struct RetryFlags {
  std::vector<std::string> causes;
  JobId job = 0;
};

Result<std::vector<Cause>> causes_of(const RetryFlags& flags) {
  std::vector<Cause> causes;
  for (const std::string& name : flags.causes) {
    const std::optional<Cause> cause = cause_from_string(name);
    if (!cause || *cause == Cause::kNone)
      return fail(Code::kBadInput, "there is no cause '{}'; magpie status names those that occurred", name);
    causes.push_back(*cause);
  }
  return causes;
}

Result<int> run(const Common& common, const RetryFlags& flags) {
  MAGPIE_TRY(const std::vector<Cause> causes, causes_of(flags));
  MAGPIE_TRY(const CollectionFolder folder, CollectionFolder::choose(common.collection, false));
  AppSettings settings;
  MAGPIE_TRY_DO(read_settings(settings, &folder, common));
  MAGPIE_TRY(const JobId job, job_or_newest(folder, flags.job));
  if (auto manager = ManagerClient::connect(folder))
    return follow_there(
        *manager, [&] { return manager->retry(job, causes); }, common.json);
  return follow_here(
      folder, settings, [&](Manager& manager) { return manager.retry(job, causes); }, common.json);
}

}  // namespace

void add_retry(CLI::App& app, Common& common) {
  Subcommand command(app, "retry", "Fetch again what a crawl failed to fetch, by cause");
  auto flags = std::make_shared<RetryFlags>();
  command.option("--cause", flags->causes,
                 "Causes, comma-separated: dns, connect, tls, timeout, status, throttled, ...; without it all that may have passed since",
                 {.value = "CAUSE", .delimiter = ','});
  command.option("--job", flags->job, "The crawl's number, as magpie status gives it; otherwise the newest", {.value = "N"});
  command.common_flags(common);
  command.runs(common, [&common, flags] { return run(common, *flags); });
}

}  // namespace magpie::cmd
