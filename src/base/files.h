#pragma once
// Files of our own: owning descriptors, whole-file reads with a limit, and writes that are all there or not at all.
#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"

namespace magpie {

namespace fs = std::filesystem;

/// Owns a file descriptor; -1 is none. Not thread-safe.
class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept;
  ~UniqueFd();
  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }
  explicit operator bool() const { return fd_ >= 0; }
  void reset();

 private:
  int fd_ = -1;
};

/// A folder that is held open. Once it is removed nothing can be written into it any more, though another of its name may have been made.
class OpenFolder {
 public:
  /// Makes it where it is missing.
  static Result<OpenFolder> make(const fs::path& path);
  /// Of a file in it, whatever is at the folder's own path by now; kNotFound of whoever writes there says that the folder was removed.
  fs::path file(std::string_view name) const;

 private:
  explicit OpenFolder(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
};

/// The words of errno with the thing in front; kNotFound for ENOENT, kForbidden for EACCES, else kUnavailable.
Failure fail_errno(std::string_view what);

/// The whole file. kNotFound, kForbidden, kTooLarge over `bytes_max`, kUnavailable.
Result<std::string> read_file(const fs::path& path, std::size_t bytes_max = std::size_t{1} << 30);
/// Writes to a neighbour, fsyncs, renames over `path` and fsyncs the folder: after a crash either the old file or the new.
Result<void> write_file_atomic(const fs::path& path, std::string_view bytes);
/// Every byte, through short writes and EINTR.
Result<void> write_all(int fd, std::string_view bytes);
/// Exactly `size` bytes at `offset`; kCorrupt when the file ends before.
Result<std::string> read_at(int fd, std::uint64_t offset, std::size_t size);
Result<void> make_folder(const fs::path& path);

}  // namespace magpie
