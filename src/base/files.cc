#include "base/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>

namespace magpie {

UniqueFd& UniqueFd::operator=(UniqueFd&& other) noexcept {
  if (this != &other) {
    reset();
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}

UniqueFd::~UniqueFd() { reset(); }

void UniqueFd::reset() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

Failure fail_errno(std::string_view what) {
  const int error = errno;
  Code code = Code::kUnavailable;
  if (error == ENOENT) code = Code::kNotFound;
  if (error == EACCES || error == EPERM) code = Code::kForbidden;
  return fail(code, "{}: {}", what, std::strerror(error));
}

Result<std::string> read_file(const fs::path& path, std::size_t bytes_max) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return fail_errno(path.string());
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) return fail_errno(path.string());
  if (S_ISDIR(info.st_mode)) return fail(Code::kBadInput, "{} is a folder", path.string());
  std::string out;
  char buffer[1 << 16];
  while (true) {
    const ssize_t got = ::read(fd.get(), buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno(path.string());
    if (got == 0) return out;
    out.append(buffer, static_cast<std::size_t>(got));
    if (out.size() > bytes_max) return fail(Code::kTooLarge, "{} has over {} bytes", path.string(), bytes_max);
  }
}

Result<void> write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(fd, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return fail_errno("write");
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
  return {};
}

Result<std::string> read_at(int fd, std::uint64_t offset, std::size_t size) {
  std::string out(size, '\0');
  std::size_t have = 0;
  while (have < size) {
    const ssize_t got = ::pread(fd, out.data() + have, size - have, static_cast<off_t>(offset + have));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno("read");
    if (got == 0) return fail(Code::kCorrupt, "the file ends at byte {}, {} bytes early", offset + have, size - have);
    have += static_cast<std::size_t>(got);
  }
  return out;
}

Result<void> write_file_atomic(const fs::path& path, std::string_view bytes) {
  fs::path folder = path.parent_path();
  if (folder.empty()) folder = ".";
  static std::atomic<std::uint64_t> written{0};  // so that two threads do not write the same neighbour
  const std::string neighbour = fmt::format("{}.{}.{}.new", path.string(), ::getpid(), ++written);
  UniqueFd fd(::open(neighbour.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!fd) return fail_errno(neighbour);
  MAGPIE_TRY_DO(write_all(fd.get(), bytes));
  if (::fsync(fd.get()) != 0) return fail_errno(neighbour);
  fd.reset();
  if (::rename(neighbour.c_str(), path.c_str()) != 0) return fail_errno(path.string());
  const UniqueFd parent(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (parent) ::fsync(parent.get());
  return {};
}

Result<OpenFolder> OpenFolder::make(const fs::path& path) {
  MAGPIE_TRY_DO(make_folder(path));
  UniqueFd fd(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return fail_errno(path.string());
  return OpenFolder(std::move(fd));
}

fs::path OpenFolder::file(std::string_view name) const { return fmt::format("/proc/self/fd/{}/{}", fd_.get(), name); }

Result<void> make_folder(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) return fail(Code::kUnavailable, "cannot make folder {}: {}", path.string(), error.message());
  return {};
}

}  // namespace magpie
