#pragma once
// The catalog's tables of look-alikes: what each picture inherits from which. core/catalog.h says what each call means.
#include <optional>
#include <string_view>
#include <vector>

#include "core/surroundings.h"
#include "store/sqlite.h"

namespace magpie {

/// Keeps no word that its source does not say (any more). Whether the inherited words are others than before.
Result<bool> put_surroundings(Database& db, ImageId image, const Surroundings& found);
/// The picture is to be looked at again; what it inherited stays until then.
Result<void> outdate_surroundings(Database& db, ImageId image);
/// Drops what is inherited from or by pictures, ids as JSON, and puts the heirs that stay onto the to-index list.
Result<void> remove_surroundings(Database& db, std::string_view images);

Result<std::optional<Surroundings>> read_surroundings(Database& db, ImageId image);
Result<std::vector<InheritedWord>> read_inherited_words(Database& db, ImageId image);
Result<std::vector<ImageId>> read_heirs(Database& db, ImageId source);
Result<std::optional<NoteworthyFeatures>> read_noteworthy_features(Database& db, ImageId image);

}  // namespace magpie
