#pragma once
// The frontier on the local disk: one append-only log, and in memory a table of 64-bit signatures (9 bytes a slot, 11 to 16 bytes
// a known URL) plus 12 bytes for each URL that waits. URLs themselves stay in the log and are read when they are handed out.
//
// File <folder>/log.mfl, little-endian, version 1. The header is written whole before anything else.
//   0  u8[4]  magic "MFL1"
//   4  u32    version          1
//   8  u64    seed             of signature64; drawn at random when the file is made, so that nobody can prepare collisions
//  16  u32    crc32c           of bytes 0..15
//  20  record[]
// Record:
//   0  u32    size             bytes of the payload, 1..17'408
//   4  u32    crc32c           of the payload
//   8  u8     type             RecordType: first byte of the payload; persisted, append only
//   9  …      the rest, in base/wire.h's varints:
//             1 add          kind, depth, job, url (bytes)
//             2 acknowledge  signature (8 bytes, fixed), cause
//             3 put back     signature (8 bytes, fixed), not_before (Unix milliseconds), tries
//             4 retry        signature (8 bytes, fixed): waits again after a failure, tries from 0
// A lease is not written: what was handed out and not acknowledged waits again after a restart. One call is one write(2), so
// kill -9 loses nothing that returned; sync() makes it safe from power cuts, too. At open, everything from the first record that is
// cut short or has a wrong sum is cut off; when that is more than one record it is kept aside in log.mfl.damaged and logged.
// Worked example: docs/formats/frontier.md.
#include <filesystem>
#include <memory>

#include "base/result.h"
#include "core/frontier.h"

namespace magpie {

/// Opens or makes the frontier in `folder` (made when missing). One process at a time: kBusy when another has it open.
/// kCorrupt when the file is no frontier or of a newer version; kUnavailable for the disk.
/// Cost: reads the whole log once, about 2 million URLs a second.
Result<std::unique_ptr<Frontier>> open_frontier(const std::filesystem::path& folder);

}  // namespace magpie
