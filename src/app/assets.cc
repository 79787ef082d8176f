#include "app/assets.h"

#include <cstdlib>

namespace magpie {

fs::path program_path() {
  std::error_code error;
  fs::path path = fs::read_symlink("/proc/self/exe", error);
  return error ? fs::path("magpie") : path;
}

Result<fs::path> asset(std::string_view name) {
  std::vector<fs::path> places;
  if (const char* named = std::getenv("MAGPIE_ASSETS")) places.emplace_back(named);
  const fs::path beside = program_path().parent_path();
  places.push_back(beside);
  places.push_back(beside.parent_path() / "share" / "magpie");
  for (const fs::path& place : places) {
    std::error_code error;
    if (fs::exists(place / name, error)) return fs::canonical(place / name, error);
  }
  return fail(Code::kNotFound, "'{}' is neither beside {} nor in ../share/magpie; run ./dev build, or set MAGPIE_ASSETS", name,
              program_path().string());
}

}  // namespace magpie
