#pragma once
// A folder of its own for each test, removed at the end.
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <string>
#include <string_view>

#include "base/files.h"

namespace magpie {

class ContractFolder {
 public:
  ContractFolder() : path_(fs::temp_directory_path() / fmt::format("magpie-contract-{}-{}", ::getpid(), next_++)) {
    fs::create_directories(path_);
  }
  ~ContractFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  ContractFolder(const ContractFolder&) = delete;
  ContractFolder& operator=(const ContractFolder&) = delete;
  const fs::path& path() const { return path_; }

 private:
  static inline std::atomic<int> next_{0};
  fs::path path_;
};

/// Replaces a file's bytes without waiting for the disk: crash tests do it a thousand times.
inline void overwrite(const fs::path& file, std::string_view bytes) {
  std::ofstream(file, std::ios::binary | std::ios::trunc).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

}  // namespace magpie
