#pragma once
// What a newer look at the same page says differently: words for a person, field by field.
#include <string>
#include <vector>

#include "core/catalog.h"
#include "core/records.h"

namespace magpie::pipeline {

struct FieldChange {
  std::string field;          // "title", "description", "language", "canonical", "keywords", "products", "images", "captions", "robots"
  std::string before, after;  // of products and pictures only those that differ
};

/// Compares what the catalog keeps of a page with what was read now; `after` has its pictures' names already (page_images.h). Links are
/// not kept, and so not compared. Empty when nothing differs.
std::vector<FieldChange> page_differences(const PageDetails& before, const Page& after);

}  // namespace magpie::pipeline
