#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "base/files.h"
#include "model/boxes.h"
#include "model/class_sets.h"
#include "model/decode_detections.h"
#include "model/detection_network.h"

namespace magpie::model {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInf = std::numeric_limits<float>::infinity();

// ---- boxes

TEST(Boxes, OverlapIsTheSharedPartOfBoth) {
  EXPECT_FLOAT_EQ(overlap({0, 0, 1, 1}, {0, 0, 1, 1}), 1);
  EXPECT_FLOAT_EQ(overlap({0, 0, 1, 1}, {0, 0, 0.5F, 1}), 0.5F);
  EXPECT_NEAR(overlap({0, 0, 0.6F, 1}, {0.4F, 0, 1, 1}), 0.2F, 1e-6);
  EXPECT_EQ(overlap({0, 0, 0.5F, 0.5F}, {0.5F, 0.5F, 1, 1}), 0) << "they touch";
  EXPECT_EQ(overlap({0.5F, 0, 0.1F, 1}, {0, 0, 1, 1}), 0) << "inside out";
  EXPECT_EQ(overlap({0, 0, 0, 0}, {0, 0, 0, 0}), 0) << "no 0 / 0";
}

TEST(Boxes, TheBestOfSeveralOnOneThingStays) {
  const std::vector<Detection> kept = keep_best({{{0, 0, 0.5F, 0.5F}, 0.6F, 0},
                                                 {{0.01F, 0, 0.5F, 0.5F}, 0.9F, 0},      // the same thing, surer
                                                 {{0.1F, 0.1F, 0.6F, 0.6F}, 0.7F, 1},    // overlaps, of another class
                                                 {{0.01F, 0.01F, 0.5F, 0.5F}, 0.8F, 1},  // another name for the first
                                                 {{0.6F, 0.6F, 1, 1}, 0.55F, 0}},
                                                {.overlap_max = 0.45F, .overlap_max_any = 0.8F, .kept_max = 10});
  ASSERT_THAT(kept, SizeIs(3));
  EXPECT_FLOAT_EQ(kept[0].score, 0.9F);
  EXPECT_FLOAT_EQ(kept[1].score, 0.7F);
  EXPECT_FLOAT_EQ(kept[2].score, 0.55F);
}

TEST(Boxes, NoMoreAreKeptThanWanted) {
  std::vector<Detection> many;
  for (int i = 0; i < 50; ++i) {
    const float left = static_cast<float>(i) / 50;
    many.push_back({{left, 0, left + 0.02F, 1}, 0.5F + static_cast<float>(i) / 1'000, 0});
  }
  const std::vector<Detection> kept = keep_best(many, {.kept_max = 8});
  ASSERT_THAT(kept, SizeIs(8));
  EXPECT_FLOAT_EQ(kept[0].score, 0.549F);
  EXPECT_THAT(keep_best(many, {.kept_max = 100}), SizeIs(50));
  EXPECT_THAT(keep_best({}, {}), SizeIs(0));
}

// ---- anchors

TEST(SsdAnchors, AreThe1917OfA300PixelInput) {
  const std::vector<Anchor> anchors = ssd_anchors(300, 300);
  ASSERT_THAT(anchors, SizeIs(1'917)) << "19·19·3 + (10·10 + 5·5 + 3·3 + 2·2 + 1·1)·6";
  EXPECT_NEAR(anchors[0].x, 0.5 / 19, 1e-6);
  EXPECT_NEAR(anchors[0].width, 0.1, 1e-6);
  EXPECT_NEAR(anchors[1].width / anchors[1].height, 2, 1e-4);
  EXPECT_NEAR(anchors[2].width / anchors[2].height, 0.5, 1e-4);
  EXPECT_NEAR(anchors[1'083].width, 0.35, 1e-5) << "the second layer's first";
  EXPECT_NEAR(anchors[1'083].x, 0.05, 1e-6);
  EXPECT_NEAR(anchors.back().x, 0.5, 1e-6);
  EXPECT_NEAR(anchors.back().width, std::sqrt(0.95), 1e-5) << "between the last scale and the whole";
}

// ---- decoders

struct Output {
  std::vector<std::int64_t> shape;
  std::vector<float> values;
  explicit Output(std::vector<std::int64_t> sides, float fill = 0) : shape(std::move(sides)) {
    values.assign(static_cast<std::size_t>(std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>())), fill);
  }
};

Result<std::vector<Detection>> decode(const std::vector<Output>& outputs, const InputForm& input, const DetectionForm& form) {
  std::vector<OutputTensor> tensors;
  for (const Output& output : outputs) tensors.push_back({output.values, output.shape});
  return decode_detections(tensors, input, form);
}

DetectionForm form_of(BoxDecoding decoding, std::vector<std::string> classes) {
  return {.decoding = decoding, .classes = std::move(classes)};
}
InputForm input_of(int width, int height) {
  InputForm input;
  input.width = width, input.height = height, input.fit = Fit::kSquash;
  return input;
}

class SsdOutputs : public testing::Test {
 protected:
  // Anchor 1917 - 6: the single cell of the last layer, a square of .95.
  static constexpr std::size_t kAnchor = 1'911;
  std::vector<Output> outputs{Output({1, 1'917, 4}), Output({1, 1'917, 3}, -10)};
  InputForm input = input_of(300, 300);
  DetectionForm form = form_of(BoxDecoding::kSsdAnchors, {"shoe", "boot"});

  float& score(std::size_t label) { return outputs[1].values[kAnchor * 3 + 1 + label]; }
  float& box(std::size_t field) { return outputs[0].values[kAnchor * 4 + field]; }
};

TEST_F(SsdOutputs, NothingAboveTheScoreIsNothing) {
  outputs[1].values[kAnchor * 3] = 9;  // background
  const auto found = decode(outputs, input, form);
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_THAT(*found, SizeIs(0));
}

TEST_F(SsdOutputs, BoxesLieAgainstTheirAnchor) {
  score(1) = 2;
  box(0) = 1, box(1) = -0.5F;                                 // y, x: tenths of the anchor's sides
  box(2) = 5 * std::log(0.5F), box(3) = 5 * std::log(0.25F);  // height, width: half and a quarter of it
  const auto found = decode(outputs, input, form);
  ASSERT_TRUE(found) << found.error().message;
  ASSERT_THAT(*found, SizeIs(1));
  const Detection& one = found->front();
  EXPECT_EQ(one.label, 1);
  EXPECT_NEAR(one.score, 1 / (1 + std::exp(-2.0)), 1e-6);
  const float x = 0.5F - 0.05F * 0.95F, y = 0.5F + 0.1F * 0.95F;
  EXPECT_NEAR(one.box.left, x - 0.95 / 8, 1e-5);
  EXPECT_NEAR(one.box.right, x + 0.95 / 8, 1e-5);
  EXPECT_NEAR(one.box.top, y - 0.95 / 4, 1e-5);
  EXPECT_NEAR(one.box.bottom, y + 0.95 / 4, 1e-5);
}

TEST_F(SsdOutputs, BoxesAreCutToThePicture) {
  score(0) = 2;
  box(3) = 5 * std::log(4.0F);
  const auto found = decode(outputs, input, form);
  ASSERT_TRUE(found && found->size() == 1);
  EXPECT_EQ(found->front().box.left, 0);
  EXPECT_EQ(found->front().box.right, 1);
}

TEST_F(SsdOutputs, NumbersThatAreNoneNeverGetOut) {
  for (const float bad : {kNan, kInf, -kInf}) {
    score(0) = 2;
    for (std::size_t field = 0; field < 4; ++field) {
      box(field) = bad;
      const auto found = decode(outputs, input, form);
      ASSERT_TRUE(found);
      for (const Detection& one : *found) EXPECT_TRUE(one.box.area() > 0 && one.box.area() <= 1) << bad << " in field " << field;
      box(field) = 0;
    }
    score(0) = kNan, score(1) = bad;
    const auto found = decode(outputs, input, form);
    ASSERT_TRUE(found);
    for (const Detection& one : *found) EXPECT_LE(one.score, 1);
  }
  std::fill(outputs[1].values.begin(), outputs[1].values.end(), kNan);
  const auto found = decode(outputs, input, form);
  ASSERT_TRUE(found);
  EXPECT_THAT(*found, SizeIs(0));
}

TEST_F(SsdOutputs, EveryAnchorAtOnceIsBounded) {
  std::fill(outputs[1].values.begin(), outputs[1].values.end(), 3.0F);
  const auto found = decode(outputs, input, form);
  ASSERT_TRUE(found);
  EXPECT_LE(found->size(), 100u);
  EXPECT_GE(found->size(), 2u);
}

TEST_F(SsdOutputs, ShapesThatAreNotItsAreNamed) {
  const auto refused = [&](std::vector<Output> bad) {
    const auto found = decode(bad, input, form);
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().code, Code::kCorrupt);
    EXPECT_THAT(found.error().message, HasSubstr("ssd-anchors with 2 classes"));
  };
  refused({});
  refused({outputs[0]});
  refused({outputs[0], Output({1, 1'917, 2})});
  refused({outputs[0], Output({1, 1'916, 3})});
  refused({Output({1, 1'917, 5}), outputs[1]});
  refused({Output({2, 1'917, 4}), outputs[1]});
  refused({Output({}), Output({0})});
}

TEST(NanodetOutputs, SidesAreMeansOverTheirBins) {
  const InputForm input = input_of(64, 32);
  const DetectionForm form = form_of(BoxDecoding::kNanodet, {"a", "b"});
  std::vector<Output> outputs{Output({1, 4, 8, 2}),  Output({1, 2, 4, 2}),  Output({1, 1, 2, 2}),
                              Output({1, 4, 8, 44}), Output({1, 2, 4, 44}), Output({1, 1, 2, 44})};
  const std::size_t cell = 1 * 4 + 2;  // of the second scale: x 2.5, y 1.5 cells of 16 px
  outputs[1].values[cell * 2 + 1] = 0.75F;
  const auto side = [&](std::size_t number, std::size_t bin) { outputs[4].values[cell * 44 + number * 11 + bin] = 100; };
  side(0, 1), side(1, 1), side(2, 0), side(3, 0);
  outputs[4].values[cell * 44 + 2 * 11 + 1] = 100;  // right: halfway between 0 and 1
  const auto found = decode(outputs, input, form);
  ASSERT_TRUE(found) << found.error().message;
  ASSERT_THAT(*found, SizeIs(1));
  EXPECT_EQ(found->front().label, 1);
  EXPECT_FLOAT_EQ(found->front().score, 0.75F);
  EXPECT_NEAR(found->front().box.left, 1.5 * 16 / 64, 1e-5);
  EXPECT_NEAR(found->front().box.top, 0.5 * 16 / 32, 1e-5);
  EXPECT_NEAR(found->front().box.right, 3.0 * 16 / 64, 1e-5);
  EXPECT_NEAR(found->front().box.bottom, 1.5 * 16 / 32, 1e-5);
  outputs[4].values[cell * 44] = kNan;
  const auto none = decode(outputs, input, form);
  ASSERT_TRUE(none);
  EXPECT_THAT(*none, SizeIs(0));
  outputs.pop_back();
  EXPECT_FALSE(decode(outputs, input, form));
}

TEST(NanodetOutputs, ScoresOf44ClassesAreToldFromBoxesByTheirPlace) {
  const InputForm input = input_of(64, 32);
  const DetectionForm form = form_of(BoxDecoding::kNanodet, std::vector<std::string>(44, "thing"));
  const auto middle_find = [&](const std::vector<std::size_t>& order, std::size_t scores, std::size_t boxes) {
    const std::vector<Output> maps{Output({1, 4, 8, 44}), Output({1, 2, 4, 44}), Output({1, 1, 2, 44})};
    std::vector<Output> outputs;
    for (const std::size_t level : order) outputs.push_back(maps[level]);
    outputs[scores].values[6 * 44 + 43] = 0.75F;
    outputs[boxes].values[6 * 44 + 1] = 100;  // left: one cell of 16 px
    return decode(outputs, input, form);
  };
  for (const auto& found : {middle_find({0, 1, 2, 0, 1, 2}, 1, 4), middle_find({0, 0, 1, 1, 2, 2}, 2, 3)}) {
    ASSERT_TRUE(found) << found.error().message;
    ASSERT_THAT(*found, SizeIs(1));
    EXPECT_EQ(found->front().label, 43);
    EXPECT_NEAR(found->front().box.left, 1.5 * 16 / 64, 1e-5);
  }
}

TEST(YoloOutputs, OfFiveAreRowsWithObjectness) {
  const InputForm input = input_of(640, 320);
  const DetectionForm form = form_of(BoxDecoding::kYoloV5, {"a", "b", "c"});
  Output out({1, 3, 8});
  const std::vector<float> rows = {320, 160, 64, 32, 0.9F, 0.1F, 0.8F, 0,  //
                                   320, 160, 64, 32, 0.6F, 0.1F, 0.8F, 0,  // under .5 with its objectness
                                   32,  32,  64, 64, kNan, 1,    1,    1};
  out.values = rows;
  const auto found = decode({out}, input, form);
  ASSERT_TRUE(found) << found.error().message;
  ASSERT_THAT(*found, SizeIs(1));
  EXPECT_EQ(found->front().label, 1);
  EXPECT_NEAR(found->front().score, 0.72, 1e-6);
  EXPECT_NEAR(found->front().box.left, 0.45, 1e-6);
  EXPECT_NEAR(found->front().box.bottom, 0.55, 1e-6);
  EXPECT_FALSE(decode({Output({1, 3, 7})}, input, form));
}

TEST(YoloOutputs, OfEightAreColumnsWithoutIt) {
  const InputForm input = input_of(640, 640);
  const DetectionForm form = form_of(BoxDecoding::kYoloV8, {"a", "b"});
  Output out({1, 6, 5});
  const auto at = [&](std::size_t field, std::size_t box) -> float& { return out.values[field * 5 + box]; };
  at(0, 3) = 320, at(1, 3) = 64, at(2, 3) = 64, at(3, 3) = 128, at(5, 3) = 0.7F;
  at(5, 4) = 0.9F;  // a box without sides
  const auto found = decode({out}, input, form);
  ASSERT_TRUE(found) << found.error().message;
  ASSERT_THAT(*found, SizeIs(1));
  EXPECT_EQ(found->front().label, 1);
  EXPECT_EQ(found->front().box, (Box{0.45F, 0, 0.55F, 0.2F}));
  const auto other = decode({Output({1, 5, 7})}, input, form);
  ASSERT_FALSE(other) << "three classes";
  EXPECT_THAT(other.error().message, HasSubstr("[1, 5, 7]"));
}

TEST(YoloOutputs, OfEightMayBeTurned) {
  const DetectionForm form = form_of(BoxDecoding::kYoloV8, {"a", "b"});
  Output out({1, 3, 6});
  out.values = {320, 160, 64, 32, 0.1F, 0.8F, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
  const auto found = decode({out}, input_of(640, 320), form);
  ASSERT_TRUE(found) << found.error().message;
  ASSERT_THAT(*found, SizeIs(1));
  EXPECT_EQ(found->front().label, 1);
  EXPECT_NEAR(found->front().box.left, 0.45, 1e-6);
}

TEST(YoloOutputs, OfTenAreCornersAndAClass) {
  const InputForm input = input_of(100, 100);
  const DetectionForm form = form_of(BoxDecoding::kYoloV10, {"a", "b"});
  Output out({1, 4, 6});
  out.values = {10, 20, 30, 40, 0.9F, 1, 10, 20, 30, 40, 0.9F, 2, 50, 60, 30, 40, 0.9F, 0, 0, 0, 99, 99, 0.8F, kNan};
  const auto found = decode({out}, input, form);
  ASSERT_TRUE(found) << found.error().message;
  ASSERT_THAT(*found, SizeIs(1)) << "not: a class too many, a box inside out, a class that is no number";
  EXPECT_EQ(found->front().box, (Box{0.1F, 0.2F, 0.3F, 0.4F}));
  EXPECT_THAT(*decode({Output({1, 0, 6})}, input, form), SizeIs(0));
}

// ---- from input to picture

TEST(PictureBox, BarsAndCutsAreTakenBack) {
  InputForm input = input_of(100, 100);
  EXPECT_EQ(picture_box({0.1F, 0.2F, 0.3F, 0.4F}, input, 400, 200), (Box{0.1F, 0.2F, 0.3F, 0.4F}));
  input.fit = Fit::kPad;  // a quarter of the input above and below is bars
  const Box padded = picture_box({0, 0.25F, 0.5F, 0.5F}, input, 400, 200);
  EXPECT_NEAR(padded.top, 0, 1e-6);
  EXPECT_NEAR(padded.bottom, 0.5, 1e-6);
  EXPECT_NEAR(padded.right, 0.5, 1e-6);
  EXPECT_EQ(picture_box({0, 0, 1, 0.2F}, input, 400, 200).area(), 0) << "all in a bar";
  input.fit = Fit::kCrop;  // the middle half of the picture's width
  const Box cropped = picture_box({0, 0, 1, 1}, input, 400, 200);
  EXPECT_NEAR(cropped.left, 0.25, 1e-6);
  EXPECT_NEAR(cropped.right, 0.75, 1e-6);
  EXPECT_EQ(cropped.bottom, 1);
}

TEST(ClassSets, AreKnownByName) {
  EXPECT_THAT(class_set("coco"), SizeIs(80));
  EXPECT_THAT(class_set("deepfashion2"), SizeIs(13));
  EXPECT_THAT(class_set("nothing"), SizeIs(0));
}

TEST(Normalise, ChannelsGoWhereTheGraphWantsThem) {
  InputForm input = input_of(2, 1);
  input.type = InputType::kF32Nchw;
  input.mean = {1, 2, 3};
  input.scale = {1, 2, 4};
  const std::vector<std::uint8_t> pixels = {11, 12, 13, 21, 22, 23};
  std::vector<float> out(6);
  normalise(pixels, input, out);
  EXPECT_THAT(out, testing::ElementsAre(10, 20, 5, 10, 2.5F, 5));
  input.type = InputType::kF32Nhwc;
  input.bgr = true;
  normalise(pixels, input, out);
  EXPECT_THAT(out, testing::ElementsAre(12, 5, 2, 22, 10, 4.5F)) << "mean and scale are in the graph's order, blue first";
}

TEST(DetectionNetwork, OursLoadsAndGivesTheSameTwice) {
  const fs::path folder = fs::path(MAGPIE_SOURCE_DIR) / "build/models/ssd-open-images";
  if (!fs::exists(folder / "manifest.yaml")) GTEST_SKIP() << "build/models/ssd-open-images is missing: run tools/setup/models.sh";
  Result<DetectionNetwork> network = DetectionNetwork::load(folder, {});
  ASSERT_TRUE(network) << network.error().message;
  EXPECT_THAT(network->manifest().detection.classes, SizeIs(23));
  const std::vector<std::uint8_t> grey(300 * 200 * 3, 127);
  const RgbView view{grey.data(), 300, 200, 900};
  const auto first = network->detect(view), again = network->detect(view);
  ASSERT_TRUE(first && again) << first.error().message;
  EXPECT_THAT(*first, SizeIs(0)) << "nothing on a grey picture";
  EXPECT_EQ(network->detect({}).error().code, Code::kBadInput);
  EXPECT_EQ(DetectionNetwork::load(fs::path(MAGPIE_SOURCE_DIR) / "build/models/efficientnet-lite0", {}).error().code, Code::kBadInput);
}

}  // namespace
}  // namespace magpie::model
