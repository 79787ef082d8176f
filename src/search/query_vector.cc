#include "search/query_vector.h"

#include <cmath>

namespace magpie {
namespace {

Result<void> add_mean(const std::vector<WeightedVector>& vectors, float sign, Embedding& sum) {
  for (const auto& [vector, weight] : vectors) {
    if (sum.empty()) sum.assign(vector.size(), 0.0F);
    if (sum.size() != vector.size()) return fail(Code::kBadInput, "a picture has {} components, another {}", vector.size(), sum.size());
    const float share = sign * weight / static_cast<float>(vectors.size());
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += share * vector[i];
  }
  return {};
}

}  // namespace

Result<Embedding> rocchio(const std::vector<WeightedVector>& like, const std::vector<WeightedVector>& unlike) {
  Embedding sum;
  MAGPIE_TRY_DO(add_mean(like, 1, sum));
  MAGPIE_TRY_DO(add_mean(unlike, -1, sum));
  double squares = 0;
  for (const float value : sum) squares += double{value} * double{value};
  constexpr double kNothingLeft = 1e-12;  // rounding leaves about this much of a vector less itself
  if (!(squares > kNothingLeft) || !std::isfinite(squares))
    return fail(Code::kBadInput, "what hits are to be like, less what they are to be unlike, leaves nothing to compare with");
  for (float& value : sum) value = static_cast<float>(value / std::sqrt(squares));
  return sum;
}

Result<std::vector<WeightedVector>> vectors_of(const VectorSnapshot& vectors, const std::vector<QueryPicture>& pictures) {
  std::vector<WeightedVector> found;
  for (const QueryPicture& picture : pictures) {
    if (!picture.vector.empty()) {
      found.push_back({picture.vector, picture.weight});
      continue;
    }
    MAGPIE_TRY(std::optional<Embedding> vector, vectors.embedding(picture.id, picture.region));
    if (!vector && picture.region != 0)
      return fail(Code::kNotFound, "nothing was detected in picture {} under number {}", picture.id, picture.region);
    if (!vector) return fail(Code::kNotFound, "picture {} has not been analysed, so nothing can be like it yet", picture.id);
    found.push_back({*std::move(vector), picture.weight});
  }
  return found;
}

}  // namespace magpie
