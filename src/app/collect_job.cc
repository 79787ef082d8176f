#include "app/collect_job.h"

#include <algorithm>

#include "app/assets.h"
#include "base/utf8.h"
#include "collect/listing.h"
#include "net/http_target.h"

namespace magpie {
namespace {

constexpr std::string_view kScheme = "collect:";
constexpr std::string_view kLabel = "label=";

bool is_description(const fs::path& file) { return file.extension() == ".yaml" || file.extension() == ".yml"; }

Result<fs::path> shipped_file(const std::string& name) {
  MAGPIE_TRY(const fs::path folder, asset("sources"));
  return folder / (name + ".yaml");
}

std::string joined(const std::vector<std::string>& words) {
  std::string all;
  for (const std::string& word : words) all += (all.empty() ? "" : ", ") + word;
  return all;
}

}  // namespace

Result<std::string> collect_seed(const std::string& source, const std::string& label) {
  std::error_code error;
  const auto names = shipped_sources();
  const bool shipped = names && std::ranges::find(*names, source) != names->end();  // goes before a file of its name; ./ names that
  const bool is_folder = !shipped && fs::is_directory(source, error);
  if (is_folder && to_valid_utf8(fs::canonical(source, error).string()) != fs::canonical(source, error).string())
    return fail(Code::kBadInput, "the name of {} is not UTF-8; rename it, or give a link to it", source);
  if (is_folder || (!shipped && fs::is_regular_file(source, error))) {
    if (!is_folder && is_description(source) && !label.empty())
      return fail(Code::kBadInput, "--label goes with a list of addresses or a folder; {} says itself what its labels are", source);
    const std::string front = label.empty() ? std::string() : fmt::format("{}{}:", kLabel, collect::url_part(label));
    return fmt::format("{}{}{}{}", kScheme, front, fs::canonical(source, error).string(), is_folder ? "/" : "");
  }
  if (!shipped) {
    return fail(Code::kNotFound, "'{}' is neither a file, a folder nor a source that comes with Magpie ({})", source,
                names ? joined(*names) : names.error().message);
  }
  if (!label.empty()) return fail(Code::kBadInput, "--label goes with a list of addresses or a folder; {} has labels of its own", source);
  return fmt::format("{}{}", kScheme, source);
}

std::pair<std::string, std::string> parts_of_seed(std::string_view seed) {
  std::string_view rest = seed.substr(std::min(kScheme.size(), seed.size()));
  std::string label;
  if (rest.starts_with(kLabel)) {
    const std::size_t end = std::min(rest.find(':'), rest.size());
    label = percent_decoded(rest.substr(kLabel.size(), end - kLabel.size()));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return {std::move(label), std::string(rest)};
}

bool is_collect(const std::vector<std::string>& seeds) { return !seeds.empty() && seeds.front().starts_with(kScheme); }

Result<bool> is_folder_job(const std::vector<std::string>& seeds) {
  if (!is_collect(seeds)) return false;
  MAGPIE_TRY(const collect::Description source, load_source(seeds.front()));
  return source.is_folder();
}

Result<collect::Description> load_source(const std::string& seed) {
  const auto [label, rest] = parts_of_seed(seed);
  fs::path file = rest;
  if (!rest.starts_with('/')) { MAGPIE_TRY(file, shipped_file(rest)); }
  if (rest.ends_with('/')) return collect::describe_folder(file, label);
  if (!is_description(file)) return collect::describe_list(file, label);
  MAGPIE_TRY(const std::string text, read_file(file, collect::kDescriptionBytesMax));
  return collect::parse_description(text, file);
}

Result<std::vector<std::string>> shipped_sources() {
  MAGPIE_TRY(const fs::path folder, asset("sources"));
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (is_description(entry.path())) names.push_back(entry.path().stem().string());
  }
  if (error) return fail(Code::kUnavailable, "{}: {}", folder.string(), error.message());
  std::ranges::sort(names);
  return names;
}

Result<void> restart_listing(const collect::Description& description, JobId job, const Catalog& catalog, pipeline::Recorder& recorder) {
  MAGPIE_TRY(const auto states, catalog.listings(job));
  const bool all_read = std::ranges::all_of(description.categories, [&](const collect::Category& category) {
    const auto found = states.find(category.name);
    return found != states.end() && collect::state_from_json(found->second).done;
  });
  return recorder.transact([&](CatalogTransaction& transaction) -> Result<void> {
    for (const auto& [list, words] : states) {
      collect::ListState state = collect::state_from_json(words);
      state.taken = 0;
      auto done = transaction.set_listing(job, list, all_read ? std::string() : collect::to_json(state));
      if (!done) return done;
    }
    return {};
  });
}

}  // namespace magpie
