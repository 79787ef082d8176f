#include "crawl/private_file.h"

#include <fcntl.h>
#include <sys/stat.h>

namespace magpie::crawl {

// Mode and bytes are those of one open file, so that no other can take its place between.
Result<std::string> read_private_file(const fs::path& path, std::string_view setting, std::size_t bytes_max) {
  const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd) return fail_errno(fmt::format("{}: {}", setting, path.string()));
  struct stat facts {};
  if (fstat(fd.get(), &facts) != 0) return fail_errno(path.string());
  if (!S_ISREG(facts.st_mode)) return fail(Code::kForbidden, "{}: {} is no plain file", setting, path.string());
  if ((facts.st_mode & 077) != 0)
    return fail(Code::kForbidden, "{}: others than its owner may use {}; run chmod 600 {}", setting, path.string(), path.string());
  const auto size = static_cast<std::size_t>(facts.st_size);
  if (size > bytes_max) return fail(Code::kTooLarge, "{}: {} is over {} bytes", setting, path.string(), bytes_max);
  return read_at(fd.get(), 0, size);
}

}  // namespace magpie::crawl
