#pragma once
// An append-only file of blobs, for many small files that are written once and read often. A blob's place is the place of its own
// bytes, so they can be sent from the file as they are. What a crash cut short at the end is cut off when the file is opened to write.
//
// Pack file, little-endian, version 1.
//   0  u32  magic "MPK1"
//   4  u32  reserved, 0
//   8  blobs, one behind the other:
//        0  u32  length          bytes that follow the checksum, 1..64 MiB
//        4  u32  crc32c of the length field and the bytes
//        8  u8   bytes[length]   <- a place's offset and length mean these
// Worked example in docs/formats/variants.md.
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/files.h"
#include "base/result.h"

namespace magpie {

inline constexpr std::size_t kPackBlobBytesMax = std::size_t{64} << 20;

/// One open pack file. append() and sync() from one thread at a time; the free read_pack_blob from any.
class PackFile {
 public:
  /// Opens or makes `path` to append to it. kCorrupt when it is no pack file. `cut_bytes()` then tells what the tail lost.
  /// Cost: one small read per blob.
  static Result<PackFile> open(const fs::path& path);

  /// Writes at the end and returns the offset of the bytes. kTooLarge, kBadInput for none, kUnavailable (nothing is left behind then).
  Result<std::uint64_t> append(std::string_view bytes);
  Result<void> sync();

  std::uint64_t size() const { return size_; }
  std::uint64_t cut_bytes() const { return cut_bytes_; }

 private:
  PackFile(UniqueFd fd, std::uint64_t size, std::uint64_t cut_bytes) : fd_(std::move(fd)), size_(size), cut_bytes_(cut_bytes) {}
  UniqueFd fd_;
  std::uint64_t size_ = 0;
  std::uint64_t cut_bytes_ = 0;
};

/// The blob whose bytes lie at `offset`. kCorrupt when its length differs or its checksum is wrong. Thread-safe; one read.
Result<std::string> read_pack_blob(int fd, std::uint64_t offset, std::uint64_t length);

/// Where each blob's bytes lie, in order. Stops where the rest is no whole blob; checks no sums. kCorrupt when it is no pack file.
Result<std::vector<std::pair<std::uint64_t, std::uint64_t>>> list_pack_blobs(int fd);

}  // namespace magpie
