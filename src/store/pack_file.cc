#include "store/pack_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>

#include "base/hash.h"

namespace magpie {
namespace {

constexpr std::string_view kHead("MPK1\0\0\0\0", 8);
constexpr std::size_t kFrameBytes = 8;

struct Frame {
  std::uint32_t length = 0;
  std::uint32_t checksum = 0;
};

Frame frame_from(std::string_view bytes) {
  Frame frame;
  std::memcpy(&frame.length, bytes.data(), 4);
  std::memcpy(&frame.checksum, bytes.data() + 4, 4);
  return frame;
}

std::string_view length_field(const std::uint32_t& length) { return {reinterpret_cast<const char*>(&length), sizeof length}; }

std::uint32_t checksum_of(std::uint32_t length, std::string_view bytes) { return crc32c(bytes, crc32c(length_field(length))); }

bool plausible(const Frame& frame, std::uint64_t at, std::uint64_t size) {
  return frame.length >= 1 && frame.length <= kPackBlobBytesMax && frame.length <= size - at - kFrameBytes;
}

/// Where the last whole blob ends. Only the last blob's bytes are read: writes reach a file in order, so a killed process can
/// spoil no other; each blob is checked again whenever it is read.
Result<std::uint64_t> valid_end(int fd, std::uint64_t size) {
  std::uint64_t at = kHead.size(), last = 0;
  while (size - at >= kFrameBytes) {
    MAGPIE_TRY(const std::string bytes, read_at(fd, at, kFrameBytes));
    const Frame frame = frame_from(bytes);
    if (!plausible(frame, at, size)) break;
    last = at;
    at += kFrameBytes + frame.length;
  }
  if (last != 0 && !read_pack_blob(fd, last + kFrameBytes, at - last - kFrameBytes)) at = last;
  return at;
}

}  // namespace

Result<PackFile> PackFile::open(const fs::path& path) {
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!fd) return fail_errno(path.string());
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) return fail_errno(path.string());
  const auto size = static_cast<std::uint64_t>(info.st_size);
  if (size < kHead.size()) {  // new, or cut short before its first blob
    if (::ftruncate(fd.get(), 0) != 0) return fail_errno(path.string());
    MAGPIE_TRY_DO(write_all(fd.get(), kHead));
    return PackFile(std::move(fd), kHead.size(), size);
  }
  MAGPIE_TRY(const std::string head, read_at(fd.get(), 0, kHead.size()));
  if (head != kHead) return fail(Code::kCorrupt, "{} is not a pack file of version 1", path.string());
  MAGPIE_TRY(const std::uint64_t end, valid_end(fd.get(), size));
  if (end < size && ::ftruncate(fd.get(), static_cast<off_t>(end)) != 0) return fail_errno(path.string());
  if (::lseek(fd.get(), static_cast<off_t>(end), SEEK_SET) < 0) return fail_errno(path.string());
  return PackFile(std::move(fd), end, size - end);
}

Result<std::uint64_t> PackFile::append(std::string_view bytes) {
  if (bytes.empty()) return fail(Code::kBadInput, "an empty blob cannot be kept");
  if (bytes.size() > kPackBlobBytesMax) return fail(Code::kTooLarge, "a blob of {} bytes is over {}", bytes.size(), kPackBlobBytesMax);
  const auto length = static_cast<std::uint32_t>(bytes.size());
  const std::uint32_t checksum = checksum_of(length, bytes);
  std::string framed;
  framed.reserve(kFrameBytes + bytes.size());
  framed.append(length_field(length)).append(length_field(checksum)).append(bytes);
  if (auto done = write_all(fd_.get(), framed); !done) {
    // Half a blob must not stay in the middle of the file.
    if (::ftruncate(fd_.get(), static_cast<off_t>(size_)) == 0) ::lseek(fd_.get(), static_cast<off_t>(size_), SEEK_SET);
    return fail(done.error(), "pack file");
  }
  const std::uint64_t offset = size_ + kFrameBytes;
  size_ += framed.size();
  return offset;
}

Result<void> PackFile::sync() {
  if (::fdatasync(fd_.get()) != 0) return fail_errno("pack file");
  return {};
}

Result<std::string> read_pack_blob(int fd, std::uint64_t offset, std::uint64_t length) {
  if (offset < kHead.size() + kFrameBytes || length == 0 || length > kPackBlobBytesMax) {
    return fail(Code::kCorrupt, "no blob can lie at offset {} with {} bytes", offset, length);
  }
  MAGPIE_TRY(std::string bytes, read_at(fd, offset - kFrameBytes, kFrameBytes + length));
  const Frame frame = frame_from(bytes);
  if (frame.length != length) return fail(Code::kCorrupt, "no blob of {} bytes at offset {}", length, offset);
  bytes.erase(0, kFrameBytes);
  if (frame.checksum != checksum_of(frame.length, bytes)) return fail(Code::kCorrupt, "the blob at offset {} has a wrong checksum", offset);
  return bytes;
}

Result<std::vector<std::pair<std::uint64_t, std::uint64_t>>> list_pack_blobs(int fd) {
  struct stat info {};
  if (::fstat(fd, &info) != 0) return fail_errno("pack file");
  const auto size = static_cast<std::uint64_t>(info.st_size);
  std::vector<std::pair<std::uint64_t, std::uint64_t>> blobs;
  if (size < kHead.size()) return blobs;
  MAGPIE_TRY(const std::string head, read_at(fd, 0, kHead.size()));
  if (head != kHead) return fail(Code::kCorrupt, "this is no pack file of version 1");
  for (std::uint64_t at = kHead.size(); size - at >= kFrameBytes;) {
    MAGPIE_TRY(const std::string bytes, read_at(fd, at, kFrameBytes));
    const Frame frame = frame_from(bytes);
    if (!plausible(frame, at, size)) break;
    blobs.emplace_back(at + kFrameBytes, frame.length);
    at += kFrameBytes + frame.length;
  }
  return blobs;
}

}  // namespace magpie
