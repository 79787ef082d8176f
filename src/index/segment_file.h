#pragma once
// Bytes of a segment: writing them section by section as a stream, and mapping them for reading. What sections mean is said in
// segment_format.h; this file only moves them and checks their sums.
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/files.h"
#include "index/segment_format.h"

namespace magpie::index {

struct SegmentCounts {
  std::uint32_t documents = 0, vectors = 0, dims = 0;
};

/// Writes one segment. Errors of append() are kept and come from finish(), so that callers need not check every byte. Holds a 1 MiB
/// buffer. An unfinished file is removed by the destructor. Not thread-safe.
class SegmentFileWriter {
 public:
  static Result<SegmentFileWriter> create(const fs::path& path);
  SegmentFileWriter(SegmentFileWriter&&) = default;
  SegmentFileWriter& operator=(SegmentFileWriter&&) = delete;
  ~SegmentFileWriter();

  /// Sections follow each other; beginning one ends the one before.
  void begin(Section section);
  void append(std::string_view bytes);
  template <class T>
  requires std::is_trivially_copyable_v<T>
  void append(std::span<const T> values) { append(std::string_view(reinterpret_cast<const char*>(values.data()), values.size_bytes())); }
  /// begin() and append() in one.
  template <class T>
  void write(Section section, const std::vector<T>& values) {
    begin(section);
    append(std::span<const T>(values));
  }
  /// Writes the footer and flushes to the disk. kUnavailable when the disk refuses (the message names the file).
  Result<void> finish(const SegmentCounts& counts);

 private:
  struct Entry {
    Section section;
    std::uint32_t crc = 0;
    std::uint64_t offset = 0, length = 0;
  };
  SegmentFileWriter(fs::path path, UniqueFd fd) : path_(std::move(path)), fd_(std::move(fd)) {}
  void put(std::string_view bytes);
  void flush();
  void align();

  fs::path path_;
  UniqueFd fd_;
  std::string buffer_;
  std::uint64_t written_ = 0;  // with the buffer
  std::vector<Entry> entries_;
  bool in_section_ = false;
  Result<void> state_;
};

/// A mapped segment file. The mapping lives as long as the object, also when the file is unlinked. Thread-safe.
class SegmentFile {
 public:
  /// Checks magic, footer and the sums of all sections but vector rows, codes and sketches, which are most of the bytes (verify() checks
  /// them). kCorrupt names the file and the section; kNotFound.
  static Result<SegmentFile> open(const fs::path& path);
  SegmentFile(SegmentFile&& other) noexcept;
  SegmentFile& operator=(SegmentFile&&) = delete;
  ~SegmentFile();

  const SegmentCounts& counts() const { return counts_; }
  std::uint64_t bytes() const { return size_; }
  /// Empty when the file lacks the section.
  std::string_view section(Section section) const;
  /// kCorrupt unless the section holds exactly `count` values.
  template <class T>
  Result<std::span<const T>> column(Section wanted, std::uint64_t count) const {
    const std::string_view raw = section(wanted);
    if (raw.size() != count * sizeof(T)) return wrong_size(wanted, raw.size(), count * sizeof(T));
    return std::span<const T>(reinterpret_cast<const T*>(raw.data()), static_cast<std::size_t>(count));
  }
  /// The section's crc32c as the file says it; 0 where the file lacks the section.
  std::uint32_t sum(Section section) const;
  /// Tells the system that the section is read here and there, so that it reads no neighbours.
  void expect_random_access(Section section) const;
  /// Checks the sums of all sections. Reads the whole file.
  Result<void> verify() const;

 private:
  struct Place {
    std::uint32_t crc = 0;
    std::uint64_t offset = 0, length = 0;
  };
  SegmentFile(fs::path path, const char* data, std::size_t size) : path_(std::move(path)), data_(data), size_(size) {}
  Result<void> read_footer();
  Result<void> check(Section section, const Place& place) const;
  Failure wrong_size(Section section, std::uint64_t have, std::uint64_t want) const;

  fs::path path_;
  const char* data_ = nullptr;
  std::size_t size_ = 0;
  SegmentCounts counts_;
  std::map<Section, Place> sections_;
};

}  // namespace magpie::index
