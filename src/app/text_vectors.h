#pragma once
// Vectors of texts that were embedded before, by the texts' hashes; one file (docs/formats/bridge.md):
//   0   8 bytes "MGPTXTS1"
//   8   u32 CRC-32C of all that follows
//   12  the wire form (base/wire.h) of: text space; count, then of each hash, scale, codes
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/files.h"
#include "core/records.h"
#include "learn/bridge.h"

namespace magpie {

class TextVectors {
 public:
  /// What the file has of that space; empty for one that is missing, damaged or another's: it can be made again.
  static TextVectors load(const fs::path& file, const std::string& space);
  Result<void> save(const fs::path& file) const;

  std::optional<Embedding> find(std::string_view text) const;
  void set(std::string_view text, const Embedding& vector);
  /// Forgets those that nobody has asked for since it was loaded.
  void drop_unused();

 private:
  struct Kept {
    learn::Codes codes;
    std::size_t dims = 0;
    mutable bool used = false;
  };
  std::string space_;
  std::map<std::uint64_t, Kept> vectors_;
};

}  // namespace magpie
