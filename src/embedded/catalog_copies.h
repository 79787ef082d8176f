#pragma once
// The catalog's tables of copies: links, verdicts, reviews. SQL only; core/catalog.h says what each means.
#include <functional>
#include <optional>
#include <vector>

#include "core/copies.h"
#include "store/sqlite.h"

namespace magpie {

Result<void> put_copy_link(Database& db, const CopyLink& link);
Result<void> set_copy_verdict(Database& db, const CopyPair& pair);
Result<std::uint64_t> add_copy_review(Database& db, const CopyReview& review);
Result<void> undo_copy_review(Database& db, std::uint64_t id);

Result<std::vector<CopyGroup>> read_copy_groups(Database& db, ImageId after, bool unreviewed_only, std::size_t limit);
Result<std::vector<CopyLink>> read_copy_links(Database& db, ImageId group, std::size_t limit);
Result<std::vector<CopyReview>> read_copy_reviews(Database& db, std::optional<std::uint64_t> id, std::size_t limit);
Result<std::vector<CopyReview>> read_copy_reviews_since(Database& db, std::uint64_t id);
Result<void> read_each_copy(Database& db, const std::function<Result<void>(ImageId, ImageId)>& visit);
Result<void> read_each_copy_link(Database& db, const std::function<Result<void>(const CopyLink&)>& visit);
Result<void> read_each_copy_verdict(Database& db, const std::function<Result<void>(const CopyPair&)>& visit);

}  // namespace magpie
