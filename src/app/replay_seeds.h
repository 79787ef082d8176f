#pragma once
// How a replay stands among the crawl jobs: its seeds are its files, as file: addresses. Only this machine's own commands make such jobs;
// what comes in over the API must be http.
#include <string>
#include <vector>

#include "base/files.h"
#include "base/result.h"

namespace magpie {

/// "file:///data/a%20b.warc.gz" of each, whatever folder the program is started in. kBadInput for a path that no address can hold.
Result<std::vector<std::string>> replay_seeds(const std::vector<fs::path>& files);
/// Whether the seeds are those of a replay.
bool is_replay(const std::vector<std::string>& seeds);
/// The paths again.
std::vector<fs::path> files_of_replay(const std::vector<std::string>& seeds);

}  // namespace magpie
