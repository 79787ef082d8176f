#pragma once
// Where the program's own files are: models and the web app. Looked for beside the program (build/release/models) and, once
// installed, in ../share/magpie. MAGPIE_ASSETS names another folder.
#include <string_view>

#include "base/files.h"
#include "base/result.h"

namespace magpie {

/// The folder or file `name` ("models", "web", "openapi.yaml"). kNotFound, saying what to do.
Result<fs::path> asset(std::string_view name);
/// The running program's own file.
fs::path program_path();

}  // namespace magpie
