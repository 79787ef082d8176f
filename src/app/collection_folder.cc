#include "app/collection_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>
#include <yaml-cpp/yaml.h>

#include "base/settings.h"

namespace magpie {
namespace {

constexpr std::string_view kFirstSettings =
    R"(# Settings of this collection. `magpie config --explain` lists all of them with their defaults and bounds.
# crawl:
#   agent: my-crawler            # the name sites see, and the one robots.txt may name
#   contact: https://example.org/crawler
#   host_delay: 1s               # least pause between two requests to one host
)";

bool holds_collection(const fs::path& path) {
  std::error_code error;
  return fs::is_regular_file(path / "magpie.yaml", error);
}

Result<void> flatten(const YAML::Node& node, const std::string& prefix, SettingsRegistry& registry) {
  if (node.IsNull()) return {};
  if (node.IsScalar()) return registry.set(prefix, node.Scalar());
  if (!node.IsMap()) return fail(Code::kBadInput, "'{}' must be one value", prefix);
  for (const auto& entry : node) {
    const std::string key = prefix.empty() ? entry.first.Scalar() : prefix + "." + entry.first.Scalar();
    MAGPIE_TRY_DO(flatten(entry.second, key, registry));
  }
  return {};
}

std::string holder_of(int fd) {
  const auto text = read_at(fd, 0, static_cast<std::size_t>(std::max<off_t>(0, ::lseek(fd, 0, SEEK_END))));
  return text && !text->empty() ? *text : "another process";
}

}  // namespace

Result<CollectionFolder> CollectionFolder::create(const fs::path& path) {
  if (holds_collection(path)) return fail(Code::kBusy, "{} holds a collection already", path.string());
  MAGPIE_TRY_DO(make_folder(path));
  CollectionFolder folder(fs::absolute(path).lexically_normal());
  MAGPIE_TRY_DO(write_file_atomic(folder.settings_file(), kFirstSettings));
  return folder;
}

Result<CollectionFolder> CollectionFolder::open(const fs::path& path) {
  if (!holds_collection(path))
    return fail(Code::kNotFound, "{} holds no collection; make one with: magpie init {}", path.string(), path.string());
  return CollectionFolder(fs::absolute(path).lexically_normal());
}

Result<CollectionFolder> CollectionFolder::find() {
  std::error_code error;
  for (fs::path path = fs::current_path(error); !path.empty(); path = path.parent_path()) {
    if (holds_collection(path)) return open(path);
    if (path == path.root_path()) break;
  }
  return fail(Code::kNotFound,
              "neither this folder nor one above holds a collection; make one with: magpie init, or name one with --collection DIR");
}

Result<CollectionFolder> CollectionFolder::choose(const std::string& named, bool create_it) {
  if (named.empty()) return find();
  if (holds_collection(named) || !create_it) return open(named);
  std::error_code error;
  if (fs::exists(named, error) && !fs::is_empty(named, error)) {
    return fail(Code::kBadInput, "{} is neither empty nor a collection; make one inside it with: magpie init {}", named, named);
  }
  return create(named);
}

Result<void> CollectionFolder::read_settings(SettingsRegistry& registry) const {
  MAGPIE_TRY(const std::string text, read_file(settings_file(), 1 << 20));
  try {
    if (auto done = flatten(YAML::Load(text), "", registry); !done) return fail(done.error(), settings_file().string());
  } catch (const YAML::Exception& problem) { return fail(Code::kBadInput, "{} is not YAML: {}", settings_file().string(), problem.what()); }
  return {};
}

Result<CollectionFolder::Lock> CollectionFolder::lock() const {
  const fs::path file = path_ / "lock";
  UniqueFd fd(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!fd) return fail_errno(file.string());
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    return fail(Code::kBusy, "{} is managed by {}; use it through that one, or stop it first", path_.string(), holder_of(fd.get()));
  }
  const std::string holder = fmt::format("process {}", ::getpid());
  if (::ftruncate(fd.get(), 0) != 0 || ::pwrite(fd.get(), holder.data(), holder.size(), 0) < 0) return fail_errno(file.string());
  return Lock(std::move(fd));
}

}  // namespace magpie
