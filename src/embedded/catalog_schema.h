#pragma once
// The tables of catalog.db, and the steps that bring an older file up to date. docs/formats/catalog.md explains them.
#include "base/result.h"
#include "store/sqlite.h"

namespace magpie {

/// Of this program; kept in PRAGMA user_version.
inline constexpr int kCatalogVersion = 13;

/// Makes or upgrades the tables in one transaction; also makes collection_id and url_seed. kForbidden for a newer file.
Result<void> migrate_catalog(Database& database);
/// kForbidden unless the file has just this program's version; for those that only read.
Result<void> check_catalog_version(Database& database);

}  // namespace magpie
