#include "index/segment_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <utility>

#include "base/hash.h"

namespace magpie::index {
namespace {

constexpr std::size_t kBufferBytes = 1 << 20;

template <class T>
void put_number(std::string& out, T value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

template <class T>
T number_at(const char* data) {
  T value;
  std::memcpy(&value, data, sizeof value);
  return value;
}

bool checked_at_open(Section section) {
  return section != Section::kVectorRows && section != Section::kVectorCodes && section != Section::kSketchWords;
}

}  // namespace

Result<SegmentFileWriter> SegmentFileWriter::create(const fs::path& path) {
  UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!fd) return fail_errno(path.string());
  SegmentFileWriter writer(path, std::move(fd));
  writer.put(kSegmentMagic);
  return writer;
}

SegmentFileWriter::~SegmentFileWriter() {
  if (fd_) ::unlink(path_.c_str());
}

void SegmentFileWriter::begin(Section section) {
  align();
  entries_.push_back({.section = section, .offset = written_});
  in_section_ = true;
}

void SegmentFileWriter::append(std::string_view bytes) {
  Entry& entry = entries_.back();
  entry.crc = crc32c(bytes, entry.crc);
  entry.length += bytes.size();
  put(bytes);
}

void SegmentFileWriter::align() {
  static constexpr char kZeros[kSectionAlignment] = {};
  put({kZeros, (kSectionAlignment - written_ % kSectionAlignment) % kSectionAlignment});
}

void SegmentFileWriter::put(std::string_view bytes) {
  written_ += bytes.size();
  if (buffer_.size() + bytes.size() > kBufferBytes) flush();
  if (bytes.size() <= kBufferBytes) {
    buffer_ += bytes;
  } else if (state_) {
    state_ = write_all(fd_.get(), bytes);
  }
}

void SegmentFileWriter::flush() {
  if (state_) state_ = write_all(fd_.get(), buffer_);
  buffer_.clear();
}

Result<void> SegmentFileWriter::finish(const SegmentCounts& counts) {
  align();
  const std::uint64_t footer_offset = written_;
  std::string footer;
  for (const Entry& entry : entries_) {
    put_number(footer, static_cast<std::uint32_t>(entry.section));
    put_number(footer, entry.crc);
    put_number(footer, entry.offset);
    put_number(footer, entry.length);
  }
  put_number(footer, footer_offset);
  put_number(footer, static_cast<std::uint32_t>(entries_.size()));
  put_number(footer, counts.documents);
  put_number(footer, counts.vectors);
  put_number(footer, counts.dims);
  put_number(footer, crc32c(footer));
  footer += kSegmentEndMagic;
  put(footer);
  flush();
  if (!state_) return fail(state_.error(), path_.string());
  if (::fsync(fd_.get()) != 0) return fail_errno(path_.string());
  fd_.reset();
  return {};
}

Result<SegmentFile> SegmentFile::open(const fs::path& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return fail_errno(path.string());
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) return fail_errno(path.string());
  const auto size = static_cast<std::size_t>(info.st_size);
  if (size < kSectionAlignment + kSegmentTrailerBytes) return fail(Code::kCorrupt, "{} is cut short", path.string());
  void* data = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, fd.get(), 0);
  if (data == MAP_FAILED) return fail_errno(path.string());
  SegmentFile file(path, static_cast<const char*>(data), size);
  MAGPIE_TRY_DO(file.read_footer());
  for (const auto& [section, place] : file.sections_) {
    if (checked_at_open(section)) MAGPIE_TRY_DO(file.check(section, place));
  }
  return file;
}

SegmentFile::SegmentFile(SegmentFile&& other) noexcept
    : path_(std::move(other.path_)),
      data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      counts_(other.counts_),
      sections_(std::move(other.sections_)) {}

SegmentFile::~SegmentFile() {
  if (data_ != nullptr) ::munmap(const_cast<char*>(data_), size_);
}

Result<void> SegmentFile::read_footer() {
  const char* trailer = data_ + size_ - kSegmentTrailerBytes;
  const auto offset = number_at<std::uint64_t>(trailer);
  const auto count = number_at<std::uint32_t>(trailer + 8);
  const bool framed = std::string_view(data_, kSegmentMagic.size()) == kSegmentMagic &&
                      std::string_view(trailer + 28, kSegmentEndMagic.size()) == kSegmentEndMagic && count <= kSectionsMax &&
                      offset <= size_ && offset + count * kSectionEntryBytes + kSegmentTrailerBytes == size_;
  if (!framed) return fail(Code::kCorrupt, "{} is not a whole segment", path_.string());
  const std::string_view summed(data_ + offset, size_ - offset - 8);
  if (crc32c(summed) != number_at<std::uint32_t>(trailer + 24)) return fail(Code::kCorrupt, "footer of {} is damaged", path_.string());
  counts_ = {number_at<std::uint32_t>(trailer + 12), number_at<std::uint32_t>(trailer + 16), number_at<std::uint32_t>(trailer + 20)};
  for (std::uint32_t i = 0; i < count; ++i) {
    const char* entry = data_ + offset + i * kSectionEntryBytes;
    const Place place{number_at<std::uint32_t>(entry + 4), number_at<std::uint64_t>(entry + 8), number_at<std::uint64_t>(entry + 16)};
    const bool inside = place.offset % kSectionAlignment == 0 && place.offset <= offset && place.length <= offset - place.offset;
    if (!inside) return fail(Code::kCorrupt, "footer of {} points outside", path_.string());
    sections_[static_cast<Section>(number_at<std::uint32_t>(entry))] = place;
  }
  return {};
}

std::string_view SegmentFile::section(Section section) const {
  const auto found = sections_.find(section);
  if (found == sections_.end()) return {};
  return {data_ + found->second.offset, static_cast<std::size_t>(found->second.length)};
}

std::uint32_t SegmentFile::sum(Section section) const {
  const auto found = sections_.find(section);
  return found == sections_.end() ? 0 : found->second.crc;
}

Result<void> SegmentFile::check(Section section, const Place& place) const {
  if (crc32c({data_ + place.offset, static_cast<std::size_t>(place.length)}) == place.crc) return {};
  return fail(Code::kCorrupt, "section {} of {} is damaged; magpie rebuild makes the index anew", static_cast<std::uint32_t>(section),
              path_.string());
}

Result<void> SegmentFile::verify() const {
  for (const auto& [section, place] : sections_) MAGPIE_TRY_DO(check(section, place));
  return {};
}

void SegmentFile::expect_random_access(Section wanted) const {
  const std::string_view raw = section(wanted);
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const auto begin = (reinterpret_cast<std::uintptr_t>(raw.data()) + page - 1) / page * page;
  const auto end = (reinterpret_cast<std::uintptr_t>(raw.data()) + raw.size()) / page * page;
  if (begin < end) ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_RANDOM);  // advice: failing costs only speed
}

Failure SegmentFile::wrong_size(Section section, std::uint64_t have, std::uint64_t want) const {
  return fail(Code::kCorrupt, "section {} of {} has {} bytes, not {}; magpie rebuild makes the index anew",
              static_cast<std::uint32_t>(section), path_.string(), have, want);
}

}  // namespace magpie::index
