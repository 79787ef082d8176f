#include "model/decode_detections.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

namespace magpie::model {
namespace {

float sigmoid(float x) { return 1 / (1 + std::exp(-x)); }

// Boxes as they are found. What is no box, or no find, never gets in.
class Candidates {
 public:
  explicit Candidates(float score_min) : score_min_(score_min) {}

  // False for NaN, too.
  bool wants(float score) const { return score >= score_min_ && score <= 1.001F; }

  void add(Box box, float score, std::size_t label) {
    if (!wants(score) || !std::isfinite(box.left) || !std::isfinite(box.top) || !std::isfinite(box.right) || !std::isfinite(box.bottom))
      return;
    for (float* side : {&box.left, &box.top, &box.right, &box.bottom}) *side = std::clamp(*side, 0.0F, 1.0F);
    if (box.area() > 0) found_.push_back({box, std::min(score, 1.0F), static_cast<int>(label)});
  }
  void add_centred(float x, float y, float width, float height, float score, std::size_t label) {
    add({x - width / 2, y - height / 2, x + width / 2, y + height / 2}, score, label);
  }

  std::vector<Detection> best(float overlap_max) && {
    std::ranges::stable_sort(found_, std::ranges::greater(), &Detection::score);
    if (found_.size() > kCandidatesMax) found_.resize(kCandidatesMax);
    return keep_best(std::move(found_), {.overlap_max = overlap_max});
  }

 private:
  float score_min_;
  std::vector<Detection> found_;
};

std::string shapes_of(std::span<const OutputTensor> outputs) {
  std::string words;
  for (const OutputTensor& output : outputs) words += fmt::format("{}[{}]", words.empty() ? "" : " ", fmt::join(output.shape, ", "));
  return words;
}

// Of a shape [1, …, rows, columns] the rows and columns, all between them taken for rows; 0 × 0 for a batch of several.
struct Matrix {
  std::span<const float> values;
  std::size_t rows = 0, columns = 0;
  std::span<const float> row(std::size_t number) const { return values.subspan(number * columns, columns); }
};

Matrix matrix_of(const OutputTensor& output) {
  if (output.shape.size() < 2 || output.shape.front() != 1 || output.shape.back() < 1) return {};
  const auto columns = static_cast<std::size_t>(output.shape.back());
  if (output.values.empty() || output.values.size() % columns != 0) return {};
  return {output.values, output.values.size() / columns, columns};
}

struct Best {
  std::size_t label = 0;
  float score = 0;
};

// Class by class through a comparison that NaN always loses.
Best best_of(std::span<const float> scores) {
  Best best{0, scores[0]};
  for (std::size_t i = 1; i < scores.size(); ++i) {
    if (scores[i] > best.score || std::isnan(best.score)) best = {i, scores[i]};
  }
  return best;
}

bool decode_ssd(std::span<const OutputTensor> outputs, const InputForm& input, const DetectionForm& form, Candidates& found) {
  if (outputs.size() != 2) return false;
  const std::vector<Anchor> anchors = ssd_anchors(input.width, input.height);
  const Matrix boxes = matrix_of(outputs[0]), scores = matrix_of(outputs[1]);
  if (boxes.rows != anchors.size() || boxes.columns != 4) return false;
  if (scores.rows != anchors.size() || scores.columns != form.classes.size() + 1) return false;
  constexpr float kCentreVariance = 10, kSizeVariance = 5;
  for (std::size_t i = 0; i < anchors.size(); ++i) {
    const Best best = best_of(scores.row(i).subspan(1));
    const float score = sigmoid(best.score);
    if (!found.wants(score)) continue;
    const Anchor& anchor = anchors[i];
    const auto box = boxes.row(i);
    found.add_centred(anchor.x + box[1] / kCentreVariance * anchor.width, anchor.y + box[0] / kCentreVariance * anchor.height,
                      std::exp(box[3] / kSizeVariance) * anchor.width, std::exp(box[2] / kSizeVariance) * anchor.height, score, best.label);
  }
  return true;
}

constexpr std::size_t kBins = 11;

// The mean of 0..10 under the softmax of `bins`.
float expected_bin(std::span<const float> bins) {
  const float top = *std::max_element(bins.begin(), bins.end());
  float sum = 0, weighted = 0;
  for (std::size_t i = 0; i < bins.size(); ++i) {
    const float weight = std::exp(bins[i] - top);
    sum += weight;
    weighted += weight * static_cast<float>(i);
  }
  return weighted / sum;
}

bool decode_nanodet(std::span<const OutputTensor> outputs, const InputForm& input, const DetectionForm& form, Candidates& found) {
  constexpr std::array<int, 3> kStrides = {8, 16, 32};
  if (outputs.size() != 2 * kStrides.size()) return false;
  // Told by their width; where both are as wide, by their place: in pairs, scores and boxes of a stride have as many cells.
  const bool as_wide = form.classes.size() == 4 * kBins;
  const bool in_pairs = matrix_of(outputs[0]).rows == matrix_of(outputs[1]).rows;
  std::vector<Matrix> scores, boxes;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const Matrix matrix = matrix_of(outputs[i]);
    const bool first = in_pairs ? i % 2 == 0 : i < kStrides.size();
    if (matrix.columns == form.classes.size() && (first || !as_wide)) scores.push_back(matrix);
    else if (matrix.columns == 4 * kBins) boxes.push_back(matrix);
  }
  if (scores.size() != kStrides.size() || boxes.size() != kStrides.size()) return false;
  for (std::size_t level = 0; level < kStrides.size(); ++level) {
    const int stride = kStrides[level];
    const auto across = static_cast<std::size_t>((input.width + stride - 1) / stride);
    const auto down = static_cast<std::size_t>((input.height + stride - 1) / stride);
    if (scores[level].rows != across * down || boxes[level].rows != across * down) return false;
    const float x_step = static_cast<float>(stride) / static_cast<float>(input.width);
    const float y_step = static_cast<float>(stride) / static_cast<float>(input.height);
    for (std::size_t cell = 0; cell < across * down; ++cell) {
      const Best best = best_of(scores[level].row(cell));
      if (!found.wants(best.score)) continue;
      const auto side = [&](std::size_t number) { return expected_bin(boxes[level].row(cell).subspan(number * kBins, kBins)); };
      const float x = static_cast<float>(cell % across) + 0.5F, y = static_cast<float>(cell / across) + 0.5F;
      found.add({(x - side(0)) * x_step, (y - side(1)) * y_step, (x + side(2)) * x_step, (y + side(3)) * y_step}, best.score, best.label);
    }
  }
  return true;
}

bool decode_yolo_v3(std::span<const OutputTensor> outputs, const DetectionForm& form, Candidates& found) {
  for (const OutputTensor& output : outputs) {  // one for each scale
    const Matrix boxes = matrix_of(output);
    if (boxes.columns != 5 + form.classes.size()) return false;
    for (std::size_t i = 0; i < boxes.rows; ++i) {
      const auto row = boxes.row(i);
      if (!found.wants(row[4])) continue;
      const Best best = best_of(row.subspan(5));  // of a class, its being there included
      found.add_centred(row[0], row[1], row[2], row[3], best.score, best.label);
    }
  }
  return !outputs.empty();
}

bool decode_yolo_v5(std::span<const OutputTensor> outputs, const InputForm& input, const DetectionForm& form, Candidates& found) {
  if (outputs.empty()) return false;  // the first is all boxes; some exports give each scale's once more
  const Matrix boxes = matrix_of(outputs[0]);
  if (boxes.columns != 5 + form.classes.size()) return false;
  const auto width = static_cast<float>(input.width), height = static_cast<float>(input.height);
  for (std::size_t i = 0; i < boxes.rows; ++i) {
    const auto row = boxes.row(i);
    if (!found.wants(row[4])) continue;
    const Best best = best_of(row.subspan(5));
    found.add_centred(row[0] / width, row[1] / height, row[2] / width, row[3] / height, row[4] * best.score, best.label);
  }
  return true;
}

bool decode_yolo_v8(std::span<const OutputTensor> outputs, const InputForm& input, const DetectionForm& form, Candidates& found) {
  if (outputs.empty() || outputs[0].shape.size() != 3 || outputs[0].shape[0] != 1) return false;
  const auto down = static_cast<std::size_t>(outputs[0].shape[1]), across = static_cast<std::size_t>(outputs[0].shape[2]);
  const std::span<const float> values = outputs[0].values;
  const std::size_t fields = 4 + form.classes.size();
  const bool of_columns = down == fields;  // each box is a column; some exports turn them into rows
  if ((!of_columns && across != fields) || values.size() != down * across) return false;
  const std::size_t count = of_columns ? across : down;
  const auto at = [&](std::size_t field, std::size_t box) {
    return of_columns ? values[field * count + box] : values[box * fields + field];
  };
  const auto width = static_cast<float>(input.width), height = static_cast<float>(input.height);
  std::vector<float> scores(form.classes.size());
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t c = 0; c < scores.size(); ++c) scores[c] = at(4 + c, i);
    const Best best = best_of(scores);
    if (!found.wants(best.score)) continue;
    found.add_centred(at(0, i) / width, at(1, i) / height, at(2, i) / width, at(3, i) / height, best.score, best.label);
  }
  return true;
}

bool decode_yolo_v10(std::span<const OutputTensor> outputs, const InputForm& input, const DetectionForm& form, Candidates& found) {
  if (outputs.empty()) return false;
  if (outputs[0].values.empty()) return true;  // some exports give as many rows as there are finds
  const Matrix boxes = matrix_of(outputs[0]);
  if (boxes.columns != 6) return false;
  const auto width = static_cast<float>(input.width), height = static_cast<float>(input.height);
  for (std::size_t i = 0; i < boxes.rows; ++i) {
    const auto row = boxes.row(i);
    if (!(row[5] >= 0 && row[5] < static_cast<float>(form.classes.size()))) continue;
    found.add({row[0] / width, row[1] / height, row[2] / width, row[3] / height}, row[4], static_cast<std::size_t>(row[5]));
  }
  return true;
}

}  // namespace

std::vector<Anchor> ssd_anchors(int width, int height) {
  constexpr int kLayers = 6, kFirstStride = 16;
  constexpr float kScaleMin = 0.2F, kScaleMax = 0.95F;
  constexpr std::array<float, 5> kAspects = {1, 2, 0.5F, 3, 0.3333F};
  const auto scale_of = [](int layer) {
    return layer == kLayers ? 1.0F : kScaleMin + (kScaleMax - kScaleMin) * static_cast<float>(layer) / (kLayers - 1);
  };
  std::vector<Anchor> anchors;
  for (int layer = 0; layer < kLayers; ++layer) {
    std::vector<std::array<float, 2>> sizes;  // width, height
    const auto add = [&](float scale, float aspect) { sizes.push_back({scale * std::sqrt(aspect), scale / std::sqrt(aspect)}); };
    if (layer == 0) {
      add(0.1F, 1), add(kScaleMin, 2), add(kScaleMin, 0.5F);
    } else {
      for (const float aspect : kAspects) add(scale_of(layer), aspect);
      add(std::sqrt(scale_of(layer) * scale_of(layer + 1)), 1);
    }
    const int stride = kFirstStride << layer;
    const int across = (width + stride - 1) / stride, down = (height + stride - 1) / stride;
    for (int y = 0; y < down; ++y) {
      for (int x = 0; x < across; ++x) {
        for (const auto& [w, h] : sizes) {
          anchors.push_back({(static_cast<float>(x) + 0.5F) / static_cast<float>(across),
                             (static_cast<float>(y) + 0.5F) / static_cast<float>(down), w, h});
        }
      }
    }
  }
  return anchors;
}

Result<std::vector<Detection>> decode_detections(std::span<const OutputTensor> outputs, const InputForm& input, const DetectionForm& form) {
  Candidates found(form.score_min);
  bool fits = false;
  switch (form.decoding) {
    case BoxDecoding::kSsdAnchors: fits = decode_ssd(outputs, input, form, found); break;
    case BoxDecoding::kNanodet: fits = decode_nanodet(outputs, input, form, found); break;
    case BoxDecoding::kYoloV5: fits = decode_yolo_v5(outputs, input, form, found); break;
    case BoxDecoding::kYoloV8: fits = decode_yolo_v8(outputs, input, form, found); break;
    case BoxDecoding::kYoloV3: fits = decode_yolo_v3(outputs, form, found); break;
    case BoxDecoding::kYoloV10: fits = decode_yolo_v10(outputs, input, form, found); break;
  }
  if (fits) return std::move(found).best(form.overlap_max);
  return fail(Code::kCorrupt, "outputs of shapes {} are not those of {} with {} classes; see detection: decoding, classes",
              shapes_of(outputs), to_string(form.decoding), form.classes.size());
}

}  // namespace magpie::model
