#include "learn/train_bridge.h"

#include <algorithm>
#include <cmath>

#include "vec/dot.h"
#include "vec/quantise.h"

namespace magpie::learn {
namespace {

// On the stamps .1 to 1 were alike, tried once outside of Magpie over the same vectors.
constexpr double kRidge = 0.3;
constexpr std::size_t kRecallAt = 10;
constexpr std::size_t kPicturesSampled = 1'000;
constexpr double kNonsensePassing = 0.05, kPicturesPassing = 0.02;

constexpr std::size_t kAskedMin = 20;

/// A text with the mean of pictures it is said of.
struct Pair {
  Embedding text, picture;
};
using Pairs = std::vector<Pair>;

std::vector<float> mean_of(const Pairs& pairs, Embedding Pair::*side) {
  std::vector<double> sum((pairs.front().*side).size(), 0.0);
  for (const Pair& pair : pairs) {
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += (pair.*side)[i];
  }
  std::vector<float> mean(sum.size());
  for (std::size_t i = 0; i < sum.size(); ++i) mean[i] = static_cast<float>(sum[i] / static_cast<double>(pairs.size()));
  return mean;
}

/// One component of all pairs after the other, centred: row i is component i. Rows are padded for dot products.
class Columns {
 public:
  Columns(const Pairs& pairs, Embedding Pair::*side, const std::vector<float>& mean)
      : width_(vec::padded(pairs.size())), values_(width_ * mean.size(), 0.0F) {
    for (std::size_t p = 0; p < pairs.size(); ++p) {
      for (std::size_t i = 0; i < mean.size(); ++i) values_[i * width_ + p] = (pairs[p].*side)[i] - mean[i];
    }
  }
  double dot(std::size_t i, const Columns& other, std::size_t j) const {
    return vec::dot_functions().floats(&values_[i * width_], &other.values_[j * width_], width_);
  }

 private:
  std::size_t width_;
  std::vector<float> values_;
};

/// The lower factor L of a symmetric positive matrix, in its place: L L' = matrix.
void factorise(std::vector<double>& matrix, std::size_t size) {
  for (std::size_t j = 0; j < size; ++j) {
    for (std::size_t i = j; i < size; ++i) {
      double sum = matrix[i * size + j];
      for (std::size_t k = 0; k < j; ++k) sum -= matrix[i * size + k] * matrix[j * size + k];
      matrix[i * size + j] = i == j ? std::sqrt(std::max(sum, 1e-12)) : sum / matrix[j * size + j];
    }
  }
}

/// Solves L L' x = b in the place of b.
void solve(const std::vector<double>& factor, std::size_t size, std::vector<double>& b) {
  for (std::size_t i = 0; i < size; ++i) {
    for (std::size_t k = 0; k < i; ++k) b[i] -= factor[i * size + k] * b[k];
    b[i] /= factor[i * size + i];
  }
  for (std::size_t i = size; i-- > 0;) {
    for (std::size_t k = i + 1; k < size; ++k) b[i] -= factor[k * size + i] * b[k];
    b[i] /= factor[i * size + i];
  }
}

Result<void> go_on(const std::stop_token& stop) {
  if (stop.stop_requested()) return fail(Code::kCancelled, "stopped while learning");
  return {};
}

Result<std::vector<float>> ridge(const Pairs& pairs, const std::vector<float>& text_mean, const std::vector<float>& picture_mean,
                                 const std::stop_token& stop) {
  const Columns texts(pairs, &Pair::text, text_mean), pictures(pairs, &Pair::picture, picture_mean);
  const std::size_t from = text_mean.size(), to = picture_mean.size();
  std::vector<double> matrix(from * from);
  double trace = 0;
  for (std::size_t i = 0; i < from; ++i) {
    MAGPIE_TRY_DO(go_on(stop));
    for (std::size_t j = 0; j <= i; ++j) matrix[i * from + j] = texts.dot(i, texts, j);
    trace += matrix[i * from + i];
  }
  for (std::size_t i = 0; i < from; ++i) matrix[i * from + i] += kRidge * trace / static_cast<double>(from);
  factorise(matrix, from);
  std::vector<float> line(from * to);
  std::vector<double> column(from);
  for (std::size_t j = 0; j < to; ++j) {
    MAGPIE_TRY_DO(go_on(stop));
    for (std::size_t i = 0; i < from; ++i) column[i] = texts.dot(i, pictures, j);
    solve(matrix, from, column);
    for (std::size_t i = 0; i < from; ++i) line[i * to + j] = static_cast<float>(column[i]);
  }
  return line;
}

Codes centred_codes(const Embedding& vector, const std::vector<float>& mean) {
  std::vector<float> centred(vector);
  for (std::size_t i = 0; i < centred.size(); ++i) centred[i] -= mean[i];
  vec::normalise(centred);
  return encode_vector(centred);
}

Result<Bridge> learn(const Pairs& pairs, BridgeFacts facts, const std::stop_token& stop) {
  Bridge::Parts parts{.facts = std::move(facts)};
  parts.text_mean = mean_of(pairs, &Pair::text);
  parts.picture_mean = mean_of(pairs, &Pair::picture);
  MAGPIE_TRY(parts.line, ridge(pairs, parts.text_mean, parts.picture_mean, stop));
  for (const Pair& pair : pairs) {
    parts.texts.push_back(centred_codes(pair.text, parts.text_mean));
    parts.pictures.push_back(centred_codes(pair.picture, parts.picture_mean));
  }
  return Bridge(std::move(parts));
}

/// The value that a share `passing` of the values reaches.
float reached_by(std::vector<float> values, double passing) {
  if (values.empty()) return 0;
  const auto place = static_cast<std::size_t>((1 - passing) * static_cast<double>(values.size() - 1));
  std::ranges::nth_element(values, values.begin() + static_cast<std::ptrdiff_t>(place));
  return values[place];
}

std::vector<float> closenesses(const Embedding& place, const std::vector<const Embedding*>& pictures) {
  std::vector<float> close(pictures.size());
  double sum = 0;
  for (std::size_t i = 0; i < close.size(); ++i) sum += close[i] = static_cast<float>(vec::dot(place, *pictures[i]));
  const auto mean = static_cast<float>(sum / static_cast<double>(std::max<std::size_t>(1, close.size())));
  for (float& one : close) one -= mean;
  return close;
}

/// The texts with the means of their pictures, those left out aside or not. A text without any is none.
Pairs pairs_of(const Lessons& lessons, bool without_held_back) {
  Pairs pairs;
  for (std::size_t t = 0; t < lessons.texts.size(); ++t) {
    Embedding mean(lessons.pictures.front().size(), 0.0F);
    bool any = false;
    for (const std::uint32_t picture : lessons.said[t]) {
      if (without_held_back && lessons.held_back[picture]) continue;
      any = true;
      for (std::size_t i = 0; i < mean.size(); ++i) mean[i] += lessons.pictures[picture][i];
    }
    if (any && vec::normalise(mean)) pairs.push_back({lessons.texts[t], std::move(mean)});
  }
  return pairs;
}

/// Texts to ask for in the trial: those said of pictures left out alone, where they are enough; else all that are said of any.
std::vector<std::size_t> texts_to_ask(const Lessons& lessons) {
  std::vector<std::size_t> any, alone;
  for (std::size_t t = 0; t < lessons.texts.size(); ++t) {
    const auto held_back = [&](std::uint32_t picture) { return bool{lessons.held_back[picture]}; };
    if (std::ranges::any_of(lessons.said[t], held_back)) any.push_back(t);
    if (std::ranges::all_of(lessons.said[t], held_back)) alone.push_back(t);
  }
  return alone.size() >= kAskedMin ? alone : any;
}

/// Whether one of `own` is among the nearest; `close` is of the pictures that `numbers` names.
bool is_found(const std::vector<float>& close, const std::vector<std::uint32_t>& numbers, const std::vector<std::uint32_t>& own) {
  float best = -2;
  for (std::size_t i = 0; i < close.size(); ++i) {
    if (std::ranges::find(own, numbers[i]) != own.end()) best = std::max(best, close[i]);
  }
  return std::ranges::count_if(close, [&](float other) { return other > best; }) < static_cast<std::ptrdiff_t>(kRecallAt);
}

/// Asks for what was left out, by a bridge that has not seen it.
Result<void> examine(const Bridge& bridge, const Lessons& lessons, const std::vector<std::size_t>& asked, const std::stop_token& stop,
                     BridgeFacts& facts) {
  std::vector<std::uint32_t> numbers;
  std::vector<const Embedding*> pool, sample;
  const std::size_t step = std::max<std::size_t>(1, lessons.pictures.size() / kPicturesSampled);
  for (std::uint32_t i = 0; i < lessons.pictures.size(); ++i) {
    if (i % step == 0) sample.push_back(&lessons.pictures[i]);
    if (!lessons.held_back[i]) continue;
    numbers.push_back(i);
    pool.push_back(&lessons.pictures[i]);
  }
  std::vector<float> passing;
  std::uint64_t found = 0;
  for (const std::size_t text : asked) {
    MAGPIE_TRY_DO(go_on(stop));
    const Embedding place = bridge.guess(lessons.texts[text]).vector;
    found += is_found(closenesses(place, pool), numbers, lessons.said[text]) ? 1 : 0;
    const std::vector<float> random = closenesses(place, sample);
    passing.insert(passing.end(), random.begin(), random.end());
  }
  std::vector<float> alike;
  for (const Embedding& words : lessons.nonsense) alike.push_back(bridge.guess(words).alike);
  facts.held_back = asked.size();
  facts.pool = pool.size();
  facts.recall = static_cast<double>(found) / static_cast<double>(asked.size());
  facts.closeness_min = reached_by(std::move(passing), kPicturesPassing);
  facts.alike_min = reached_by(std::move(alike), kNonsensePassing);
  return {};
}

/// Learns without what is left out, and asks for it.
Result<void> try_out(const Lessons& lessons, const std::stop_token& stop, BridgeFacts& facts) {
  const Pairs known = pairs_of(lessons, true);
  const std::vector<std::size_t> asked = texts_to_ask(lessons);
  if (asked.empty() || known.empty()) return fail(Code::kNotFound, "too few pictures to leave some out in a trial");
  MAGPIE_TRY(const Bridge bridge, learn(known, {}, stop));
  return examine(bridge, lessons, asked, stop, facts);
}

Result<void> check(const Lessons& lessons) {
  std::size_t pairs = 0;
  for (const auto& pictures : lessons.said) pairs += pictures.size();
  if (pairs < kPairsMin) return fail(Code::kNotFound, "the pages say what {} pictures show; a bridge needs {}", pairs, kPairsMin);
  const auto same_dims = [](const std::vector<Embedding>& vectors) {
    return std::ranges::all_of(vectors, [&](const Embedding& one) { return !one.empty() && one.size() == vectors.front().size(); });
  };
  if (!same_dims(lessons.texts) || !same_dims(lessons.pictures)) return fail(Code::kBadInput, "vectors of different dims");
  return {};
}

}  // namespace

Result<Bridge> train_bridge(const Lessons& lessons, const std::stop_token& stop) {
  MAGPIE_TRY_DO(check(lessons));
  BridgeFacts facts;
  MAGPIE_TRY_DO(try_out(lessons, stop, facts));
  const Pairs all = pairs_of(lessons, false);
  facts.pairs = all.size();
  return learn(all, std::move(facts), stop);
}

}  // namespace magpie::learn
