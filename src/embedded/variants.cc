#include "embedded/variants.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <map>
#include <optional>

#include "base/guarded.h"
#include "base/log.h"
#include "store/pack_file.h"

namespace magpie {
namespace {

constexpr std::string_view kPrefix = "variants-", kSuffix = ".pack";

fs::path file_path(const fs::path& folder, std::uint32_t file) { return folder / fmt::format("{}{:06}{}", kPrefix, file, kSuffix); }

/// In order of their numbers, which have gaps where files were written anew.
Result<std::vector<std::uint32_t>> list_files(const fs::path& folder) {
  std::vector<std::uint32_t> files;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix)) continue;
    std::uint32_t number = 0;
    const char* digits = name.data() + kPrefix.size();
    const char* digits_end = name.data() + name.size() - kSuffix.size();
    if (std::from_chars(digits, digits_end, number).ptr == digits_end && number > 0) files.push_back(number);
  }
  if (error && error != std::errc::no_such_file_or_directory) return fail(Code::kUnavailable, "{}: {}", folder.string(), error.message());
  std::sort(files.begin(), files.end());
  return files;
}

class PackedVariants final : public VariantStore {
 public:
  PackedVariants(fs::path folder, const VariantStoreOptions& options) : folder_(std::move(folder)), options_(options) {}

  Result<void> start() {
    if (!options_.read_only) MAGPIE_TRY_DO(make_folder(folder_));
    MAGPIE_TRY(const std::vector<std::uint32_t> files, list_files(folder_));
    for (const std::uint32_t file : files) {
      std::error_code gone;
      const std::uintmax_t size = fs::file_size(file_path(folder_, file), gone);
      if (!gone) bytes_ += size;
      file_ = file;
    }
    return options_.read_only || file_ == 0 ? Result<void>() : resume(file_);
  }

  Result<VariantPlace> put(std::string_view bytes) override {
    if (options_.read_only) return fail(Code::kForbidden, "variant store {} is open for reading only", folder_.string());
    if (!out_ || out_->size() >= options_.file_bytes_max) {
      MAGPIE_TRY_DO(sync());
      MAGPIE_TRY_DO(resume(file_ + 1));
    }
    const std::uint64_t before = out_->size();
    auto offset = out_->append(bytes);
    if (!offset) return fail(offset.error(), file_path(folder_, file_).string());
    bytes_ += out_->size() - before;
    return VariantPlace{file_, *offset, bytes.size()};
  }

  Result<void> sync() override { return out_ ? out_->sync() : Result<void>(); }

  Result<std::string> get(const VariantPlace& place) const override {
    MAGPIE_TRY(const std::shared_ptr<const UniqueFd> fd, open_file(place.file));
    auto bytes = read_pack_blob(fd->get(), place.offset, place.length);
    if (!bytes) return fail(bytes.error(), file_path(folder_, place.file).string());
    return bytes;
  }

  Result<RewriteCounts> rewrite(const std::function<bool(const VariantPlace&)>& keeps, FileMoves* moves) override {
    if (moves && options_.read_only) return fail(Code::kForbidden, "variant store {} is open for reading only", folder_.string());
    if (moves) MAGPIE_TRY_DO(sync());
    MAGPIE_TRY(const std::vector<std::uint32_t> files, list_files(folder_));
    RewriteCounts counts;
    for (const std::uint32_t file : files) {
      MAGPIE_TRY(const std::shared_ptr<const UniqueFd> in, open_file(file));
      MAGPIE_TRY(const auto blobs, list_pack_blobs(in->get()));
      std::vector<VariantPlace> kept;
      for (const auto& [offset, length] : blobs) {
        const VariantPlace place{file, offset, length};
        if (keeps(place)) kept.push_back(place);
        else counts.bytes_removed += length;
      }
      counts.looked_at += blobs.size();
      counts.removed += blobs.size() - kept.size();
      if (kept.size() == blobs.size()) continue;
      ++counts.files;
      if (moves) MAGPIE_TRY_DO(rewrite_file(file, in->get(), kept, *moves));
    }
    return counts;
  }

  Result<void> remove_file(std::uint32_t file) override {
    open_.with([&](auto& open) { open.erase(file); });
    if (file == file_) out_.reset();
    const fs::path path = file_path(folder_, file);
    std::error_code error;
    const std::uintmax_t size = fs::file_size(path, error);
    if (error) return {};
    if (::unlink(path.c_str()) != 0) return fail_errno(path.string());
    bytes_ -= size;
    sync_folder();
    return {};
  }

  std::uint64_t bytes() const override { return bytes_; }

 private:
  static constexpr std::size_t kOpenFilesMax = 256;

  // Written aside and renamed, so that a file with a number is always whole.
  Result<void> rewrite_file(std::uint32_t file, int in, const std::vector<VariantPlace>& kept, FileMoves& moves) {
    MAGPIE_TRY(const std::vector<std::uint32_t> files, list_files(folder_));
    const std::uint32_t fresh = std::max(files.back(), file_) + 1;
    MAGPIE_TRY_DO(moves.begins(file, fresh));
    const fs::path path = file_path(folder_, fresh), aside = path.string() + ".new";
    std::error_code ignored;
    fs::remove(aside, ignored);
    MAGPIE_TRY(PackFile out, PackFile::open(aside));
    std::vector<MovedPlace> places;
    for (const VariantPlace& place : kept) {
      const auto bytes = read_pack_blob(in, place.offset, place.length);
      if (!bytes) {
        log::warn("variants.damaged", {{"file", file}, {"offset", place.offset}, {"why", bytes.error().message}});
        continue;
      }
      MAGPIE_TRY(const std::uint64_t offset, out.append(*bytes));
      places.push_back({place, {fresh, offset, place.length}});
    }
    MAGPIE_TRY_DO(out.sync());
    if (::rename(aside.c_str(), path.c_str()) != 0) return fail_errno(path.string());
    sync_folder();
    bytes_ += out.size();
    out_.reset();
    file_ = fresh;  // also if this fails: until somebody says which of the two goes, nothing is added to the new one
    MAGPIE_TRY_DO(moves.moved(file, fresh, places));
    return remove_file(file);
  }

  void sync_folder() const {
    const UniqueFd parent(::open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (parent) ::fsync(parent.get());
  }

  Result<void> resume(std::uint32_t file) {
    const fs::path path = file_path(folder_, file);
    MAGPIE_TRY(PackFile opened, PackFile::open(path));
    if (opened.cut_bytes() > 0) log::warn("variants.repaired", {{"path", path.string()}, {"cut_bytes", opened.cut_bytes()}});
    sync_folder();
    out_ = std::move(opened);
    file_ = file;
    return {};
  }

  Result<std::shared_ptr<const UniqueFd>> open_file(std::uint32_t file) const {
    if (file == 0) return fail(Code::kNotFound, "the place is nowhere");
    return open_.with([&](auto& open) -> Result<std::shared_ptr<const UniqueFd>> {
      if (const auto known = open.find(file); known != open.end()) return known->second;
      const fs::path path = file_path(folder_, file);
      UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
      if (!fd) return fail_errno(path.string());
      if (open.size() >= kOpenFilesMax) open.erase(open.begin());
      return open.emplace(file, std::make_shared<const UniqueFd>(std::move(fd))).first->second;
    });
  }

  const fs::path folder_;
  const VariantStoreOptions options_;
  std::optional<PackFile> out_;  // of the writing thread
  std::uint32_t file_ = 0;
  std::atomic<std::uint64_t> bytes_{0};
  mutable Guarded<std::map<std::uint32_t, std::shared_ptr<const UniqueFd>>> open_;
};

}  // namespace

Result<std::unique_ptr<VariantStore>> open_variant_store(const fs::path& folder, const VariantStoreOptions& options) {
  auto store = std::make_unique<PackedVariants>(folder, options);
  MAGPIE_TRY_DO(store->start());
  return std::unique_ptr<VariantStore>(std::move(store));
}

}  // namespace magpie
