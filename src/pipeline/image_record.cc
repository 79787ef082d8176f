#include "pipeline/image_record.h"

#include <algorithm>
#include <iterator>

namespace magpie::pipeline {
namespace {

/// Big-endian bytes to words: bit k of the hash is bit k % 64 of words[k / 64], and bytes stand highest bit first.
image::PdqHash pdq_words(const std::array<std::uint8_t, 32>& bytes) {
  image::PdqHash hash;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const std::size_t bit = (bytes.size() - 1 - i) * 8;
    hash.words[bit / 64] |= std::uint64_t{bytes[i]} << (bit % 64);
  }
  return hash;
}

image::ColourGrid colour_grid(const std::array<std::uint8_t, 48>& bytes) {
  image::ColourGrid grid;
  for (std::size_t i = 0; i < grid.size(); ++i) grid[i] = {bytes[3 * i], bytes[3 * i + 1], bytes[3 * i + 2]};
  return grid;
}

}  // namespace

Result<Image> store_variants(const analyse::AnalysedImage& analysed, const Fetch& fetch, VariantStore& variants) {
  Image image = analysed.image;
  image.original = fetch.place;
  image.fetched_at = fetch.fetched_at;
  MAGPIE_TRY(image.thumbnail, variants.put(analysed.thumbnail));
  if (!analysed.preview.empty()) { MAGPIE_TRY(image.preview, variants.put(analysed.preview)); }
  return image;
}

analyse::CopyEvidence copy_evidence(const Image& image) {
  analyse::CopyEvidence evidence;
  evidence.hashes.phash = image.phash;
  evidence.hashes.dhash = image.dhash;
  evidence.hashes.pdq = pdq_words(image.pdq);
  evidence.hashes.pdq_quality = image.pdq_quality;
  evidence.colours = colour_grid(image.colour_grid);
  const bool turned = image.orientation >= 5;  // EXIF 5..8 lie on their side
  evidence.size = turned ? image::Size{image.height, image.width} : image::Size{image.width, image.height};
  return evidence;
}

analyse::CopyEvidence copy_evidence(const analyse::AnalysedImage& analysed) {
  analyse::CopyEvidence evidence = copy_evidence(analysed.image);
  std::transform(analysed.turned_pdq.begin(), analysed.turned_pdq.end(), std::back_inserter(evidence.turned_pdq), pdq_words);
  return evidence;
}

}  // namespace magpie::pipeline
