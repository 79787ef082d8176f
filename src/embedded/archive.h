#pragma once
// The archive on the local disk: WARC 1.1 files of about 1 GB, each record a gzip member (docs/formats/archive.md).
#include <memory>

#include "base/files.h"
#include "core/archive.h"

namespace magpie {

struct ArchiveOptions {
  std::uint64_t file_bytes_max = 1'000'000'000;  // the next record after this begins a new file
  bool read_only = false;                        // for other processes: nothing is repaired, append() is kForbidden
  std::string software = "Magpie";               // into each file's warcinfo
};

/// Opens or makes `folder`. A record that a crash cut short at the end of the last file is cut off (logged as archive.repaired).
/// One process may write at a time; that is the collection's lock to ensure.
Result<std::unique_ptr<Archive>> open_archive(const fs::path& folder, const ArchiveOptions& options = {});

}  // namespace magpie
