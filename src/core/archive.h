#pragma once
// Port: the archive. Keeps every answer of a server bit for bit, for good; everything else can be rebuilt from it.
// The embedded one writes WARC 1.1 (docs/formats/archive.md). Pages and pictures travel between stages as an ArchivePlace.
//   MAGPIE_TRY(ArchivePlace place, archive.append({.url = url, .status = 200, .header_block = headers, .body = body, .fetched_at = now}));
//   MAGPIE_TRY_DO(archive.sync());            // once per batch, before the catalog refers to its places
//   MAGPIE_TRY(ArchivedResponse page, archive.read(place));
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/files.h"
#include "base/result.h"
#include "core/forget.h"
#include "core/records.h"

namespace magpie {

/// One answer to keep. All views are borrowed for the call.
struct Exchange {
  std::string_view url;           // asked for, canonical
  int status = 0;                 // 100..999
  std::string_view header_block;  // status line and header lines as received; empty: one is made from `status`
  std::string_view body;          // after content and transfer decoding
  Timestamp fetched_at{};
  std::string_view ip;  // the server's address as text, may be empty
  /// The body is what a browser made of the answer (UTF-8 behind a byte order mark), the header block still the server's.
  bool rendered = false;
};

struct ArchivedResponse {
  std::string url;
  int status = 0;
  std::string header_block;  // as stored: see docs/formats/archive.md for what is renamed
  std::string body;
  Timestamp fetched_at{};
};

enum class RecordFate : std::uint8_t { kKeep, kDrop, kChange };
/// Of kChange it has written over bytes of `header_block` or `body`, without making either longer or shorter.
using RecordJudge = std::function<RecordFate(const std::string& url, std::string& header_block, std::string& body)>;

/// Threads: append() and sync() from one thread at a time; everything else from any thread, also while that one writes.
class Archive {
 public:
  virtual ~Archive() = default;

  /// Hands the record to the operating system before it returns: a killed process loses nothing. A power cut may lose what came
  /// after the last sync(). kBadInput for a URL or header with control characters or a status outside 100..999, kTooLarge for a
  /// body over 1 GiB, kUnavailable from the disk (then nothing of the record is left behind). Cost: deflate of the body at level 1.
  virtual Result<ArchivePlace> append(const Exchange& exchange) = 0;
  /// Returns when all that was appended is on the disk.
  virtual Result<void> sync() = 0;

  /// kNotFound for a place that is nowhere or a file that is gone, kCorrupt for damage (digest or checksum), kTooLarge over 1 GiB.
  virtual Result<ArchivedResponse> read(const ArchivePlace& place) const = 0;
  /// The file a place lies in, open for reading, to hand to a worker with the place's offset and length; there
  /// read_warc_record(fd, offset, length) of store/warc.h gives the record.
  virtual Result<std::shared_ptr<const UniqueFd>> open_file(std::uint32_t file) const = 0;
  /// Every response from the oldest on, for `rebuild`. Stops at the first error `visit` returns. Damaged records are logged and passed
  /// over.
  virtual Result<void> each(const std::function<Result<void>(const ArchivePlace&, ArchivedResponse)>& visit) const = 0;
  /// Writes anew, under numbers of their own, the files that hold a record which `judge` drops or changes; the other records stay bit for
  /// bit, and damaged ones of those files go, as nobody can say what they are. Without `moves` it only counts, on any thread; else of the
  /// thread that appends.
  virtual Result<RewriteCounts> rewrite(const RecordJudge& judge, FileMoves* moves) = 0;
  /// For what FileMoves says of a process that died. Nothing happens when it is not there.
  virtual Result<void> remove_file(std::uint32_t file) = 0;
  /// All files together, in bytes.
  virtual std::uint64_t bytes() const = 0;
};

}  // namespace magpie
