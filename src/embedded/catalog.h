#pragma once
// The catalog in one SQLite file (WAL; docs/formats/catalog.md). Readers have connections of their own.
#include <memory>

#include "base/files.h"
#include "core/catalog.h"

namespace magpie {

struct CatalogOptions {
  bool read_only = false;        // for other processes (`search`, `status`): kNotFound when the file is not there
  std::size_t readers_max = 16;  // connections kept open between reads; more are opened and closed as needed
};

/// Opens or makes `file`. An older schema is brought up to date in one transaction (not when read_only); a newer one is kForbidden,
/// naming both versions.
Result<std::unique_ptr<Catalog>> open_catalog(const fs::path& file, const CatalogOptions& options = {});

}  // namespace magpie
