#pragma once
// Forgetting in catalog.db: what a target comes to, and the rows that go. core/forget.h says what that means.
#include "core/catalog.h"
#include "store/sqlite.h"

namespace magpie {

/// Catalog::plan_forgetting().
Result<ForgetPlan> plan_forgetting_in(Database& database, const ForgetTarget& target);
/// CatalogTransaction::forget(), in the transaction that is open.
Result<ForgetCounts> forget_in(Database& database, const ForgetPlan& plan);
/// The marks of everything that a plan names.
std::vector<std::pair<RefusedKind, std::uint64_t>> marks_of(const ForgetPlan& plan, std::uint64_t seed);

}  // namespace magpie
