#include "app/replay_seeds.h"

#include "net/http_target.h"
#include "net/url.h"

namespace magpie {
namespace {

constexpr std::string_view kScheme = "file://";

std::string escaped(const std::string& path) {
  std::string out;
  for (const char c : path) {
    if (c == '%') out += "%25";
    else if (c == '?') out += "%3F";
    else if (c == '#') out += "%23";
    else if (c == '\\') out += "%5C";
    else out += c;
  }
  return out;
}

}  // namespace

Result<std::vector<std::string>> replay_seeds(const std::vector<fs::path>& files) {
  std::vector<std::string> seeds;
  for (const fs::path& file : files) {
    std::error_code error;
    const fs::path whole = fs::canonical(file, error);
    if (error) return fail(Code::kNotFound, "{}: {}", file.string(), error.message());
    MAGPIE_TRY(const Url url, Url::parse(fmt::format("{}{}", kScheme, escaped(whole.string()))));
    seeds.push_back(url.href());
    if (files_of_replay({seeds.back()}).front() != whole)
      return fail(Code::kBadInput, "the name of {} cannot be kept; rename it", whole.string());
  }
  return seeds;
}

bool is_replay(const std::vector<std::string>& seeds) { return !seeds.empty() && seeds.front().starts_with(kScheme); }

std::vector<fs::path> files_of_replay(const std::vector<std::string>& seeds) {
  std::vector<fs::path> files;
  for (const std::string& seed : seeds) files.emplace_back(percent_decoded(std::string_view(seed).substr(kScheme.size())));
  return files;
}

}  // namespace magpie
