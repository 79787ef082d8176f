#pragma once
// Pictures and products as the API writes them (docs/openapi.yaml: Image, Product).
#include "base/json_writer.h"
#include "core/catalog.h"
#include "serve/hit_cards.h"
#include "serve/problem.h"

namespace magpie {

struct PictureSource {
  const Catalog& catalog;
  HitCards& cards;
  std::string_view embedding_space;
};

/// Problems: internal ones only.
Outcome<std::string> image_text(const PictureSource& source, const ImageDetails& details);
Outcome<std::string> product_text(const PictureSource& source, const StoredProduct& product);
/// Where each field of a product was read, as an array (FieldEvidence).
void write_evidence(JsonWriter& json, const Product& product);

}  // namespace magpie
