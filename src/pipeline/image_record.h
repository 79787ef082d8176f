#pragma once
// From what a worker found in a picture to the records that are kept.
#include "analyse/analysed_image.h"
#include "analyse/copies.h"
#include "core/records.h"
#include "core/variants.h"

namespace magpie::pipeline {

/// Puts thumbnail and preview into the store (not yet synced) and fills an Image, but for id and copy_group.
Result<Image> store_variants(const analyse::AnalysedImage& analysed, const Fetch& fetch, VariantStore& variants);

/// What copy detection compares, from a kept picture.
analyse::CopyEvidence copy_evidence(const Image& image);
/// The same of a picture that was just analysed, with what finds mirrored copies.
analyse::CopyEvidence copy_evidence(const analyse::AnalysedImage& analysed);

}  // namespace magpie::pipeline
