#pragma once
// How a source that is collected stands among the crawl jobs, and where descriptions of sources come from: those that are shipped, by
// their name, and the user's own files.
#include <string>
#include <vector>

#include "collect/description.h"
#include "core/catalog.h"
#include "pipeline/recorder.h"

namespace magpie {

/// "collect:nekos.best" for a shipped source, "collect:/home/me/job.yaml" for a file, "collect:/home/me/cats/" for a folder, whatever
/// folder the program is started in. `label` belongs to a list of addresses or a folder. kNotFound for what is neither, naming the shipped
/// ones.
Result<std::string> collect_seed(const std::string& source, const std::string& label);
/// {label, source} of collect_seed()'s answer, which give the same seed again wherever they are asked for.
std::pair<std::string, std::string> parts_of_seed(std::string_view seed);
bool is_collect(const std::vector<std::string>& seeds);
/// Whether it collects a folder of this machine. Errors: load_source()'s.
Result<bool> is_folder_job(const std::vector<std::string>& seeds);

/// The description that a seed stands for; of a list of addresses one is made. kBadInput names file, line and key.
Result<collect::Description> load_source(const std::string& seed);

/// Names of the shipped ones, in order. kNotFound when they are not installed.
Result<std::vector<std::string>> shipped_sources();

/// Lets a job that came to its end begin anew: with what was not read yet, or else from the beginning.
Result<void> restart_listing(const collect::Description& description, JobId job, const Catalog& catalog, pipeline::Recorder& recorder);

}  // namespace magpie
