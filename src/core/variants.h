#pragma once
// Port: smaller versions of pictures (thumbnail, preview), made once and kept. They can be made again from the archive.
#include <string>
#include <string_view>

#include "base/result.h"
#include "core/forget.h"
#include "core/records.h"

namespace magpie {

/// Threads: put() and sync() from one thread at a time; get() and bytes() from any thread, also while that one writes.
class VariantStore {
 public:
  virtual ~VariantStore() = default;
  /// Handed to the operating system before it returns. kTooLarge over 64 MiB, kBadInput for no bytes, kUnavailable from the disk.
  virtual Result<VariantPlace> put(std::string_view bytes) = 0;
  virtual Result<void> sync() = 0;
  /// kNotFound for a place that is nowhere, kCorrupt when its checksum is wrong or nothing begins there. One disk read.
  virtual Result<std::string> get(const VariantPlace& place) const = 0;
  /// Writes anew, under numbers of their own, the files that hold something which `keeps` does not; the rest is copied. Without `moves` it
  /// only counts, on any thread; else of the thread that puts.
  virtual Result<RewriteCounts> rewrite(const std::function<bool(const VariantPlace&)>& keeps, FileMoves* moves) = 0;
  /// For what FileMoves says of a process that died. Nothing happens when it is not there.
  virtual Result<void> remove_file(std::uint32_t file) = 0;
  /// All files together, in bytes.
  virtual std::uint64_t bytes() const = 0;
};

}  // namespace magpie
