#include "model/class_sets.h"

namespace magpie::model {
namespace {

constexpr std::string_view kCoco[] = {
    "person",         "bicycle",    "car",           "motorcycle",    "airplane",     "bus",           "train",
    "truck",          "boat",       "traffic light", "fire hydrant",  "stop sign",    "parking meter", "bench",
    "bird",           "cat",        "dog",           "horse",         "sheep",        "cow",           "elephant",
    "bear",           "zebra",      "giraffe",       "backpack",      "umbrella",     "handbag",       "tie",
    "suitcase",       "frisbee",    "skis",          "snowboard",     "sports ball",  "kite",          "baseball bat",
    "baseball glove", "skateboard", "surfboard",     "tennis racket", "bottle",       "wine glass",    "cup",
    "fork",           "knife",      "spoon",         "bowl",          "banana",       "apple",         "sandwich",
    "orange",         "broccoli",   "carrot",        "hot dog",       "pizza",        "donut",         "cake",
    "chair",          "couch",      "potted plant",  "bed",           "dining table", "toilet",        "tv",
    "laptop",         "mouse",      "remote",        "keyboard",      "cell phone",   "microwave",     "oven",
    "toaster",        "sink",       "refrigerator",  "book",          "clock",        "vase",          "scissors",
    "teddy bear",     "hair drier", "toothbrush",
};
static_assert(std::size(kCoco) == 80);

constexpr std::string_view kDeepFashion2[] = {
    "short sleeve top", "long sleeve top", "short sleeve outwear", "long sleeve outwear", "vest",       "sling",       "shorts",
    "trousers",         "skirt",           "short sleeve dress",   "long sleeve dress",   "vest dress", "sling dress",
};
static_assert(std::size(kDeepFashion2) == 13);

}  // namespace

std::span<const std::string_view> class_set(std::string_view name) {
  if (name == "coco") return kCoco;
  if (name == "deepfashion2") return kDeepFashion2;
  return {};
}

}  // namespace magpie::model
