#include "app/model_change.h"

#include <algorithm>
#include <vector>

#include "app/pictures.h"
#include "base/log.h"
#include "pipeline/index_picture.h"

namespace magpie {
namespace {

constexpr std::size_t kNearest = 10;
constexpr std::size_t kCommitEvery = 20'000;  // pictures

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

/// "index" -> "index-2" -> "index-3".
std::string next_name(const std::string& name) {
  const std::size_t dash = name.rfind('-');
  return fmt::format("index-{}", dash == std::string::npos ? 2 : std::strtoul(name.c_str() + dash + 1, nullptr, 10) + 1);
}

Result<void> commit(embedded::Index& index) {
  MAGPIE_TRY_DO(index.text().commit());
  return index.vectors().commit();
}

/// Gives those that are not to be found.
Result<std::vector<ImageId>> fill(embedded::Index& index, const Catalog& catalog, std::string_view space, const std::stop_token& stop,
                                  const std::function<void(std::uint64_t)>& progress) {
  std::vector<ImageId> hidden;
  std::uint64_t indexed = 0;
  MAGPIE_TRY(const Catalog::LastImages last, catalog.last_images());
  for (ImageId id = 1; id <= last.known; ++id) {
    if (stop.stop_requested()) return fail(Code::kCancelled, "stopped before all was indexed");
    MAGPIE_TRY(const bool is_in, pipeline::index_picture(catalog, {index.text(), index.vectors()}, id, space));
    if (!is_in) hidden.push_back(id);
    if (!is_in || ++indexed % kCommitEvery != 0) continue;
    MAGPIE_TRY_DO(commit(index));
    progress(indexed);
  }
  progress(indexed);
  MAGPIE_TRY_DO(commit(index));
  return hidden;
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

Result<void> switch_space(Collection& collection, std::string_view space, const std::stop_token& stop,
                          const std::function<void(std::uint64_t indexed)>& progress) {
  Catalog& catalog = collection.catalog();
  const std::string name = next_name(collection.index_name());
  MAGPIE_TRY(const std::vector<DirtyImage> waiting, catalog.take_dirty(SIZE_MAX >> 1));  // all of them are going to be in the new index
  std::vector<ImageId> hidden;
  {
    MAGPIE_TRY(const std::unique_ptr<embedded::Index> index,
               embedded::open_index(collection.folder().path() / name, {.vector_space = std::string(space)}));
    MAGPIE_TRY(hidden, fill(*index, catalog, space, stop, progress));
  }
  MAGPIE_TRY(const std::unique_ptr<CatalogTransaction> transaction, catalog.begin());
  MAGPIE_TRY_DO(transaction->clear_dirty(waiting));
  MAGPIE_TRY_DO(transaction->disinherit(hidden));  // their heirs are to be indexed once more
  MAGPIE_TRY_DO(set_embedding_space(*transaction, space));
  MAGPIE_TRY_DO(transaction->set_meta(Collection::kIndexName, name));
  return transaction->commit();
}

}  // namespace magpie
