#pragma once
// The writing half of catalog.db: one transaction.
#include <functional>
#include <memory>

#include "core/catalog.h"
#include "store/sqlite.h"

namespace magpie {

/// `database` must outlive it; `ended` is called once, when the transaction goes.
Result<std::unique_ptr<CatalogTransaction>> begin_catalog_transaction(Database& database, std::function<void()> ended);

}  // namespace magpie
