#pragma once
// From the catalog to the index: what is said of one picture, and its vectors in one model's space.
#include <string_view>

#include "core/catalog.h"
#include "core/text_index.h"
#include "core/vector_index.h"

namespace magpie::pipeline {

/// Both belong together and are committed by the caller.
struct PictureIndexes {
  TextIndex& text;
  VectorIndex& vectors;
};

/// Puts the picture in, or takes it out where it is not to be found (any more), which gives false. Errors: those of the ports.
Result<bool> index_picture(const Catalog& catalog, PictureIndexes into, ImageId id, std::string_view space);

}  // namespace magpie::pipeline
