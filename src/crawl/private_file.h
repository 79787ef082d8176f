#pragma once
// Files that hold passwords: read only when nobody else on this machine can.
#include <string>

#include "base/files.h"

namespace magpie::crawl {

/// The whole file. kForbidden, with what to do, when it is no plain file, or its group or others may read or write it (mode 0600 is asked
/// for); else as read_file(). `setting` is the key that names the file, for messages.
Result<std::string> read_private_file(const fs::path& path, std::string_view setting, std::size_t bytes_max);

}  // namespace magpie::crawl
