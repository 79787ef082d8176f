#pragma once
// Thumbnails and previews on the local disk, in pack files (store/pack_file.h; docs/formats/variants.md).
#include <memory>

#include "base/files.h"
#include "core/variants.h"

namespace magpie {

struct VariantStoreOptions {
  std::uint64_t file_bytes_max = 1'000'000'000;
  bool read_only = false;
};

/// Opens or makes `folder`; a blob that a crash cut short is cut off. One writing process at a time (the collection's lock).
Result<std::unique_ptr<VariantStore>> open_variant_store(const fs::path& folder, const VariantStoreOptions& options = {});

}  // namespace magpie
