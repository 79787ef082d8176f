#pragma once
// What the outputs of object detectors mean: numbers to boxes. Pure arithmetic, so that it can be tested without a network.
//
//   ssd-anchors  boxes [1, anchors, 4] (y, x, height, width against an anchor, variances 10, 10, 5, 5), scores [1, anchors, 1 + classes]
//                before the sigmoid, background first. Anchors: ssd_anchors(). (Liu et al. 2016, as MediaPipe's calculators have it)
//   nanodet      for strides 8, 16, 32: scores [1, cells, classes] after the sigmoid, then boxes [1, cells, 44] of which each side of a box
//                is the mean of 0..10 cells under a softmax of 11 (Li et al. 2020, generalised focal loss). Maps [1, h, w, …] are the same.
//                All scores first or in pairs, told by the last side of the shape; of 44 classes by their place
//   yolo-v5      [1, boxes, 5 + classes]: centre x, y, width, height in pixels of the input, objectness, class scores (v5, v6, v7)
//   yolo-v8      [1, 4 + classes, boxes], the same without objectness (v8, v9, v11); or [1, boxes, 4 + classes]
//   yolo-v10     [1, boxes, 6]: left, top, right, bottom in pixels, score, class; nothing more to leave out
//   yolo-v3      for each scale [1, boxes, 5 + classes]: as yolo-v5 in shares of the input, the class scores with objectness in them, as
//                OpenCV gives them for Darknet's networks
#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"
#include "model/boxes.h"
#include "model/graph_session.h"
#include "model/manifest.h"

namespace magpie::model {

/// At most so many boxes go on to be compared with each other, the best.
inline constexpr std::size_t kCandidatesMax = 1'000;

/// Centre and size, in shares of the input.
struct Anchor {
  float x = 0, y = 0, width = 0, height = 0;
};

/// The anchors of an SSD of six layers with strides 16, 32, 64, 128, 256, 512: three in each cell of the first layer, six in the others,
/// scales .2 to .95. For an input of 300 px 1,917.
std::vector<Anchor> ssd_anchors(int width, int height);

/// Boxes in shares of the network's input, cut to it, with at least the form's score, best first; what overlaps is left out. A box with a
/// number that is not finite, or with nothing in it, is dropped. kCorrupt, naming the shapes, for outputs that the decoding cannot be of.
/// Thread-safe.
Result<std::vector<Detection>> decode_detections(std::span<const OutputTensor> outputs, const InputForm& input, const DetectionForm& form);

}  // namespace magpie::model
