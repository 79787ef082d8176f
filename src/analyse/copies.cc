#include "analyse/copies.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <iterator>
#include <set>

namespace magpie::analyse {
namespace {

bool same_shape(image::Size a, image::Size b, double ratio_max) {
  // width_a / height_a against width_b / height_b without dividing, so that a side of 0 just fails.
  const double left = static_cast<double>(a.width) * b.height;
  const double right = static_cast<double>(b.width) * a.height;
  return std::min(left, right) > 0 && std::max(left, right) <= std::min(left, right) * ratio_max;
}

// A blank picture or a plain gradient has a dhash of almost no or almost all bits: equal ones say nothing about sameness.
bool tells_something(std::uint64_t dhash) {
  const int set = std::popcount(dhash);
  return set >= 6 && set <= 58;
}

bool others_agree(const image::PerceptualHashes& a, const image::PerceptualHashes& b, int bits_max) {
  return tells_something(a.dhash) && tells_something(b.dhash) && image::hamming(a.dhash, b.dhash) <= bits_max &&
         image::hamming(a.phash, b.phash) <= bits_max;
}

// Unknown colours: the caller's choice.
bool colours_agree(const CopyEvidence& a, const CopyEvidence& b, double distance_max, bool if_unknown) {
  if (!a.colours || !b.colours) return if_unknown;
  return image::colour_distance(*a.colours, *b.colours) <= distance_max;
}

bool both_clear(const CopyEvidence& a, const CopyEvidence& b, const CopyRule& rule) {
  return std::min(a.hashes.pdq_quality, b.hashes.pdq_quality) >= rule.pdq_quality_min;
}

bool are_copies_at(int pdq_bits, const CopyEvidence& a, const CopyEvidence& b, const CopyRule& rule) {
  if (!same_shape(a.size, b.size, rule.aspect_ratio_max)) return false;
  if (!both_clear(a, b, rule)) {
    return others_agree(a.hashes, b.hashes, rule.plain_other_bits_max) && colours_agree(a, b, rule.near_colour_max, true);
  }
  if (pdq_bits <= rule.near_pdq_bits_max) return colours_agree(a, b, rule.near_colour_max, true);
  return pdq_bits <= rule.wide_pdq_bits_max && others_agree(a.hashes, b.hashes, rule.wide_other_bits_max) &&
         colours_agree(a, b, rule.wide_colour_max, false);
}

constexpr std::size_t kMirrored = 4;  // of the eight turns; those behind it are turned by quarters, too

// Mirrored left to right first, then turned clockwise.
image::ColourGrid turned(image::ColourGrid grid, std::size_t turn) {
  image::ColourGrid other = grid;
  if (turn >= kMirrored) {
    for (std::size_t i = 0; i < grid.size(); ++i) other[i] = grid[i / 4 * 4 + 3 - i % 4];
  }
  for (std::size_t quarter = 0; quarter < turn % 4; ++quarter) {
    grid = other;
    for (std::size_t i = 0; i < grid.size(); ++i) other[i] = grid[(3 - i % 4) * 4 + i / 4];
  }
  return other;
}

image::Size turned(image::Size size, std::size_t turn) { return turn % 2 == 1 ? image::Size{size.height, size.width} : size; }

}  // namespace

bool are_turned_copies(const CopyEvidence& a, std::size_t turn, const CopyEvidence& b, const CopyRule& rule) {
  if (a.turned_pdq.empty() || !both_clear(a, b, rule) || !same_shape(turned(a.size, turn), b.size, rule.aspect_ratio_max)) return false;
  if (image::hamming(a.turned_pdq.at(turn - 1), b.hashes.pdq) > rule.near_pdq_bits_max) return false;
  return !a.colours || !b.colours || image::colour_distance(turned(*a.colours, turn), *b.colours) <= rule.near_colour_max;
}

bool are_copies(const CopyEvidence& a, const CopyEvidence& b, const CopyRule& rule) {
  return are_copies_at(image::hamming(a.hashes.pdq, b.hashes.pdq), a, b, rule);
}

std::string describe(const Copy& copy) {
  std::string text = copy.turn >= kMirrored ? "mirrored, " : "";
  if (copy.turn % 4 != 0) text += fmt::format("turned by {} degrees, ", copy.turn % 4 * 90);
  return text + fmt::format("{} of 256 bits of their hashes differ", copy.pdq_bits);
}

void CopyFinder::add(std::uint64_t image, const CopyEvidence& evidence) {
  images_.push_back(image);
  evidences_.push_back(evidence);
  evidences_.back().turned_pdq = {};  // only a new picture's are asked for
  by_pdq_.add(evidence.hashes.pdq.words);
  by_phash_.add({&evidence.hashes.phash, 1});
}

std::vector<Copy> CopyFinder::copies_of(const CopyEvidence& evidence) const {
  std::vector<std::uint32_t> near, near_in_phash, either;
  by_pdq_.within(evidence.hashes.pdq.words, rule_.near_pdq_bits_max, near);
  by_phash_.within({&evidence.hashes.phash, 1}, std::max(rule_.wide_other_bits_max, rule_.plain_other_bits_max), near_in_phash);
  std::set_union(near.begin(), near.end(), near_in_phash.begin(), near_in_phash.end(), std::back_inserter(either));
  std::vector<Copy> copies;
  for (const std::uint32_t i : either) {
    const int bits = image::hamming(evidences_[i].hashes.pdq, evidence.hashes.pdq);
    if (are_copies_at(bits, evidence, evidences_[i], rule_)) copies.push_back({images_[i], bits});
  }
  std::set<std::uint64_t> found;  // symmetric ones count once
  for (const Copy& copy : copies) found.insert(copy.image);
  for (std::size_t turn = 1; turn <= evidence.turned_pdq.size(); ++turn) {
    const image::PdqHash& hash = evidence.turned_pdq[turn - 1];
    by_pdq_.within(hash.words, rule_.near_pdq_bits_max, near);
    for (const std::uint32_t i : near) {
      if (!are_turned_copies(evidence, turn, evidences_[i], rule_) || !found.insert(images_[i]).second) continue;
      copies.push_back({images_[i], image::hamming(evidences_[i].hashes.pdq, hash), turn});
    }
  }
  std::stable_sort(copies.begin(), copies.end(), [](const Copy& a, const Copy& b) { return a.pdq_bits < b.pdq_bits; });
  return copies;
}

std::optional<Copy> CopyFinder::nearest_copy(const CopyEvidence& evidence) const {
  const std::vector<Copy> copies = copies_of(evidence);
  return copies.empty() ? std::nullopt : std::optional(copies.front());
}

}  // namespace magpie::analyse
