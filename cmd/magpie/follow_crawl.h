#pragma once
// Starts a crawl and stays with it until it ends: progress on stderr, Ctrl-C stops it, a summary at the end.
#include <functional>

#include "app/manager.h"
#include "app/manager_client.h"
#include "command.h"

namespace magpie::cmd {

/// `named`, or the newest crawl when that is 0. kNotFound when there is none.
Result<JobId> job_or_newest(const CollectionFolder& folder, JobId named);

/// What is said in place of a crawl's words.
struct FollowWords {
  std::function<std::string(Manager&, const CrawlJobView&)> progress = {};
  std::function<void(Manager&, const Catalog&, const CrawlJobView&)> end = {};
};

/// As the collection's manager, in this process. Gives the exit code: kDone, kFailed, or kNothing after Ctrl-C.
Result<int> follow_here(const CollectionFolder& folder, const AppSettings& settings,
                        const std::function<Result<CrawlJobView>(Manager&)>& start, bool json, const FollowWords& words = {});

/// Tells who gave settings that the running `magpie serve` does not take from a command.
void say_whose_settings(const Common& common, bool allow_loopback);

/// With the process that manages the collection already.
Result<int> follow_there(ManagerClient& manager, const std::function<Result<JobId>()>& start, bool json);

}  // namespace magpie::cmd
