#pragma once
// The frontier's memory as a file, so that a restart reads that and only the log's tail. Never needed: without it the whole log is read.
//
// File <folder>/checkpoint.mfc, little-endian, version 1. Written under another name, synchronised, then renamed.
//   0  u8[4]  magic "MFC1"
//   4  u32    version          1
//   8  u64    seed             the log's
//  16  u64    log_end          it stands for the log's bytes before
//  24  u32    crc32c           of the log's last bytes before log_end, 4'096 or all there are
//  28  u32    0
//  32  shard[256]              of the signature table, as they lie in memory: u64 bytes, then u64 slots (embedded/signature_table.h)
//   …  jobs                    in base/wire.h's varints: count, then for each
//                                job, known, queued, done, failed, failures by cause (32), count of hosts; for each host, in their order
//                                name (bytes), queued pages, queued pictures, done pages, done pictures, failed, runs (bytes: u64 each,
//                                embedded/frontier_runs.h)
//   …  open                    leases and URLs put back: count, then for each signature (8 bytes, fixed), offset, not before, tries
//   …  u32    crc32c           of all bytes before
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/files.h"
#include "base/result.h"
#include "embedded/frontier_log.h"
#include "embedded/frontier_memory.h"

namespace magpie {

/// Writes one checkpoint. A file that was not finished is left behind under its other name; the next one overwrites it.
class FrontierCheckpointWriter {
 public:
  /// `path` is the checkpoint's. kUnavailable.
  static Result<FrontierCheckpointWriter> make(const std::filesystem::path& path);
  /// Copies the memory into the file, not further than the system's cache: 10 bytes a URL. Nothing may change
  /// meanwhile. kUnavailable.
  Result<void> write(const FrontierMemory& memory, const FrontierLog& log);
  /// Waits for the disk, the log's first, and puts the checkpoint in place. kUnavailable.
  Result<void> finish(const FrontierLog& log);

  std::uint64_t bytes() const { return bytes_; }

 private:
  void put(std::string_view bytes);
  void flush();
  void write_out(std::string_view bytes);
  void put_host(const HostTable& hosts, HostId id);
  void put_open(const FrontierMemory& memory);

  std::filesystem::path path_, neighbour_;
  UniqueFd fd_;
  std::string buffer_;
  Result<void> written_;  // the first error stays
  std::uint32_t sum_ = 0;
  std::uint64_t bytes_ = 0;
};

struct FrontierCheckpoint {
  FrontierMemory memory;
  std::uint64_t log_end = 0;
  std::vector<FrontierMark> open;  // for FrontierReplay::reopen()
};

/// Nothing when there is none, or it is damaged or not this log's; then the log says why.
std::optional<FrontierCheckpoint> read_frontier_checkpoint(const std::filesystem::path& path, std::uint64_t seed, std::string_view log);

}  // namespace magpie
