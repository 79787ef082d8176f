#include "app/space_comparison.h"

#include <algorithm>
#include <vector>

namespace magpie {
namespace {

constexpr std::size_t kNearest = 10;

struct Sampled {
  ImageId group = kNoId;
  Embedding before, after;
};

float cosine(const Embedding& a, const Embedding& b) {  // of unit length
  float sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

/// By which at most `count` of `all` are taken, spread evenly over them.
std::size_t step_over(std::size_t all, std::size_t count) { return std::max<std::size_t>(1, (all + count - 1) / count); }

/// Spread evenly over the ids, which are given out one after the other.
Result<std::vector<Sampled>> sample(const Catalog& catalog, std::string_view before, std::string_view after) {
  std::vector<Sampled> sampled;
  MAGPIE_TRY(const Catalog::LastImages last, catalog.last_images());
  for (std::size_t id = 1, step = step_over(last.known, kSpacePicturesAmong); id <= last.known; id += step) {
    MAGPIE_TRY(std::optional<Embedding> one, catalog.embedding(static_cast<ImageId>(id), before));
    if (!one) continue;
    MAGPIE_TRY(std::optional<Embedding> other, catalog.embedding(static_cast<ImageId>(id), after));
    MAGPIE_TRY(const std::optional<Image> image, catalog.image(static_cast<ImageId>(id)));
    if (other && image) sampled.push_back({image->copy_group, std::move(*one), std::move(*other)});
  }
  return sampled;
}

/// Places in the sample, the most similar first.
std::vector<std::size_t> nearest(const std::vector<Sampled>& sampled, std::size_t of, Embedding Sampled::*space) {
  std::vector<std::pair<float, std::size_t>> all;
  for (std::size_t i = 0; i < sampled.size(); ++i) {
    if (i != of) all.emplace_back(-cosine(sampled[of].*space, sampled[i].*space), i);
  }
  const std::size_t count = std::min(kNearest, all.size());
  std::partial_sort(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(count), all.end());
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < count; ++i) places.push_back(all[i].second);
  return places;
}

}  // namespace

Result<SpaceComparison> compare_spaces(const Catalog& catalog, std::string_view before, std::string_view after) {
  MAGPIE_TRY(const std::vector<Sampled> sampled, sample(catalog, before, after));
  SpaceComparison found{.among = sampled.size()};
  if (sampled.size() < 2) return found;
  std::size_t same = 0, of = 0, copies_before = 0, copies_after = 0;
  for (std::size_t i = 0, step = step_over(sampled.size(), kSpacePicturesAsked); i < sampled.size(); i += step, ++found.asked) {
    const std::vector<std::size_t> old_ones = nearest(sampled, i, &Sampled::before), new_ones = nearest(sampled, i, &Sampled::after);
    of += old_ones.size();
    same += static_cast<std::size_t>(
        std::ranges::count_if(old_ones, [&](std::size_t one) { return std::ranges::find(new_ones, one) != new_ones.end(); }));
    const auto is_copy = [&](std::size_t other) { return sampled[other].group == sampled[i].group; };
    bool has_copy = false;
    for (std::size_t other = 0; other < sampled.size() && !has_copy; ++other) has_copy = other != i && is_copy(other);
    if (!has_copy) continue;
    ++found.with_copies;
    copies_before += is_copy(old_ones.front()) ? 1 : 0;
    copies_after += is_copy(new_ones.front()) ? 1 : 0;
  }
  found.same = static_cast<double>(same) / static_cast<double>(of);
  if (found.with_copies > 0) {
    found.copies_before = static_cast<double>(copies_before) / static_cast<double>(found.with_copies);
    found.copies_after = static_cast<double>(copies_after) / static_cast<double>(found.with_copies);
  }
  return found;
}

}  // namespace magpie
