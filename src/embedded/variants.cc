#include "embedded/variants.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <map>
#include <optional>

#include "base/guarded.h"
#include "base/log.h"
#include "store/pack_file.h"

namespace magpie {
namespace {

fs::path file_path(const fs::path& folder, std::uint32_t file) { return folder / fmt::format("variants-{:06}.pack", file); }

class PackedVariants final : public VariantStore {
 public:
  PackedVariants(fs::path folder, const VariantStoreOptions& options) : folder_(std::move(folder)), options_(options) {}

  Result<void> start() {
    if (!options_.read_only) MAGPIE_TRY_DO(make_folder(folder_));
    std::error_code error;
    while (true) {  // files are numbered without gaps
      const std::uintmax_t size = fs::file_size(file_path(folder_, file_ + 1), error);
      if (error) break;
      bytes_ += size;
      ++file_;
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

  std::uint64_t bytes() const override { return bytes_; }

 private:
  static constexpr std::size_t kOpenFilesMax = 256;

  Result<void> resume(std::uint32_t file) {
    const fs::path path = file_path(folder_, file);
    MAGPIE_TRY(PackFile opened, PackFile::open(path));
    if (opened.cut_bytes() > 0) log::warn("variants.repaired", {{"path", path.string()}, {"cut_bytes", opened.cut_bytes()}});
    const UniqueFd parent(::open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (parent) ::fsync(parent.get());
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
