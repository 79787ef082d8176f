#pragma once
// The frontier on the local disk: one append-only log that has everything, and in memory 10 bytes for each known URL (a table of 64-bit
// signatures), 8 for each run of waiting URLs (a host's URLs of one add() lie side by side in the log), and 60 to 70 for each host.
// URLs themselves stay in the log and are read when they are handed out. A checkpoint of the memory makes a restart short; what it
// holds is in the log as well (embedded/frontier_checkpoint.h draws it).
//
// File <folder>/log.mfl, little-endian, version 2. The header is written whole before anything else.
//   0  u8[4]  magic "MFL1"
//   4  u32    version          2; version 1 is upgraded when it is opened
//   8  u64    seed             of the signatures; drawn at random when the file is made, so that nobody can prepare collisions
//  16  u32    crc32c           of bytes 0..15
//  20  record[]
// Record:
//   0  u32    size             bytes of the payload, 1..131'072
//   4  u32    crc32c           of the payload
//   8  u8     type             RecordType: first byte of the payload; persisted, append only
//   9  …      to the end of the payload, entries one after the other; numbers in base/wire.h's varints unless said otherwise:
//             5 add       a URL: kind + 16 × priority (1 byte), depth, job, url (bytes). All of a record have the same job, host, lane
//                         and priority: they are one run of a host's queue, in shuffled order
//             6 end       signature (8 bytes, fixed), offset of the URL's entry in this file, cause
//             7 put back  signature, offset, not_before (Unix milliseconds, signed), tries
//             8 again     signature, offset: waits again after a failure, tries from 0
//             9 revisit   as add: URLs that were done wait again, with these depths and priorities
// A lease is not written: what was handed out and not acknowledged waits again after a restart. One call is one write(2), so
// kill -9 loses nothing that returned; sync() makes it safe from power cuts, too. At open, everything from the first record that is
// cut short or has a wrong sum is cut off; when more than such a record is lost it is kept aside in log.mfl.damaged and logged.
// What stands before the checkpoint's place is not read at open; damage there shows when a URL is handed out.
// Worked example: docs/formats/frontier.md.
#include <cstdint>
#include <filesystem>
#include <memory>

#include "base/result.h"
#include "core/frontier.h"

namespace magpie {

struct FrontierOptions {
  /// A checkpoint is due when the log has grown by this many bytes, and by a fifth, since the last.
  std::uint64_t checkpoint_bytes = std::uint64_t{32} << 20;
  /// The same for the one that a clean close writes.
  std::uint64_t close_bytes = std::uint64_t{1} << 20;
};

/// Opens or makes the frontier in `folder` (made when missing). One process at a time: kBusy when another has it open.
/// kCorrupt when the log is no frontier's or of a newer version; kUnavailable for the disk. A checkpoint that is damaged, or not this
/// log's, is not used, and nothing is lost.
///
/// Checkpoints are written by a thread of the frontier's own. Other calls wait while it copies the memory into the file (10 bytes a
/// URL), not while it waits for the disk; a failure is logged and changes nothing else.
/// Cost: reads the checkpoint and the log after it, a fifth of the log at most beyond 32 MiB; measured by bench/frontier_bench.cc.
Result<std::unique_ptr<Frontier>> open_frontier(const std::filesystem::path& folder, const FrontierOptions& options = {});

}  // namespace magpie
