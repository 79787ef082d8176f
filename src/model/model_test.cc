#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cmath>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/files.h"
#include "model/manifest.h"
#include "model/network.h"
#include "model/resize.h"

namespace magpie::model {
namespace {

using testing::Each;
using testing::HasSubstr;

fs::path model_folder() { return fs::path(MAGPIE_SOURCE_DIR) / "build/models/efficientnet-lite0"; }
bool have_model() { return fs::exists(model_folder() / "manifest.yaml"); }
constexpr const char* kNoModel = "build/models/efficientnet-lite0 is missing: run tools/setup/models.sh";

std::string manifest_text() {
  return "manifest: 1\nname: tiny\nversion: \"2\"\ntask: embedding\ngraph: g.xml\nfiles:\n  - name: g.xml\n    size: 3\n    sha256: " +
         to_hex(sha256("abc")) +
         "\ninput: {width: 8, height: 9}\noutput: {embedding_dims: 4, classes: 0}\nlicence: Apache-2.0\nsource: here\n";
}

std::string replaced(std::string text, std::string_view what, std::string_view with) {
  text.replace(text.find(what), what.size(), with);
  return text;
}

class ModelFolder : public testing::Test {
 protected:
  void SetUp() override {
    folder = fs::path(testing::TempDir()) / fmt::format("magpie_model_{}", ::getpid());
    fs::create_directories(folder);
    put("manifest.yaml", manifest_text());
    put("g.xml", "abc");
  }
  void TearDown() override { fs::remove_all(folder); }
  void put(const std::string& name, std::string_view bytes) { ASSERT_TRUE(write_file_atomic(folder / name, bytes)); }
  fs::path folder;
};

TEST_F(ModelFolder, ManifestSaysWhatGoesInAndOut) {
  const auto manifest = load_manifest(folder);
  ASSERT_TRUE(manifest) << manifest.error().message;
  EXPECT_EQ(manifest->space(), "tiny@2");
  EXPECT_EQ(manifest->input.width, 8);
  EXPECT_EQ(manifest->input.height, 9);
  EXPECT_EQ(manifest->embedding_dims, 4);
  EXPECT_TRUE(verify(*manifest));
}

TEST_F(ModelFolder, DamagedFileIsFoundByItsSum) {
  put("g.xml", "abd");
  const auto manifest = load_manifest(folder);
  ASSERT_TRUE(manifest) << manifest.error().message;
  const auto verified = verify(*manifest);
  ASSERT_FALSE(verified);
  EXPECT_EQ(verified.error().code, Code::kCorrupt);
  EXPECT_THAT(verified.error().message, HasSubstr("g.xml"));
}

TEST_F(ModelFolder, FileOfAnotherSizeOrNoneIsRefusedAtOnce) {
  put("g.xml", "abcd");
  EXPECT_EQ(load_manifest(folder).error().code, Code::kCorrupt);
  fs::remove(folder / "g.xml");
  EXPECT_EQ(load_manifest(folder).error().code, Code::kCorrupt);
}

TEST_F(ModelFolder, MissingModelNamesTheNextStep) {
  const auto manifest = load_manifest(folder / "nowhere");
  ASSERT_FALSE(manifest);
  EXPECT_EQ(manifest.error().code, Code::kNotFound);
  EXPECT_THAT(manifest.error().message, HasSubstr("./dev setup"));
}

TEST(Manifest, ThatLiesOrEscapesItsFolderIsCorrupt) {
  const std::string good = manifest_text();
  ASSERT_TRUE(parse_manifest(good)) << parse_manifest(good).error().message;
  const std::vector<std::string> bad = {
      "",
      "[",
      "just words",
      replaced(good, "manifest: 1", "manifest: 9"),
      replaced(good, "name: g.xml", "name: ../g.xml"),
      replaced(good, "width: 8", "width: -8"),
      replaced(good, "embedding_dims: 4", "embedding_dims: 99999999"),
      replaced(good, "graph: g.xml", "graph: other.xml"),
      replaced(good, "size: 3", "size: many"),
      replaced(good, "sha256: ", "sha256: zz"),
  };
  for (const std::string& text : bad) {
    const auto manifest = parse_manifest(text);
    ASSERT_FALSE(manifest) << text;
    EXPECT_EQ(manifest.error().code, Code::kCorrupt) << text;
  }
}

std::string detector_text() {
  return "manifest: 1\nname: mine\nversion: \"1\"\ntask: detection\ngraph: m.onnx\nfiles: [{name: m.onnx, size: 3, sha256: " +
         to_hex(sha256("abc")) +
         "}]\ninput: {width: 640, height: 480, type: f32-nchw, fit: pad, channels: bgr, mean: 1, scale: [255, 254, 253]}\n"
         "detection: {decoding: yolo-v8, classes: [shirt, shoe], score_min: 0.25}\nlicence: MIT\nsource: mine\n";
}

TEST(Manifest, OfADetectorSaysHowPicturesGoInAndWhatComesOut) {
  const auto manifest = parse_manifest(detector_text());
  ASSERT_TRUE(manifest) << manifest.error().message;
  EXPECT_EQ(manifest->task, Task::kDetection);
  EXPECT_EQ(manifest->input.type, InputType::kF32Nchw);
  EXPECT_EQ(manifest->input.fit, Fit::kPad);
  EXPECT_TRUE(manifest->input.bgr);
  EXPECT_THAT(manifest->input.mean, Each(1));
  EXPECT_EQ(manifest->input.scale[1], 254);
  EXPECT_EQ(manifest->detection.decoding, BoxDecoding::kYoloV8);
  EXPECT_THAT(manifest->detection.classes, testing::ElementsAre("shirt", "shoe"));
  EXPECT_FLOAT_EQ(manifest->detection.score_min, 0.25F);
  const auto fashion = parse_manifest(replaced(detector_text(), "[shirt, shoe]", "deepfashion2"));
  ASSERT_TRUE(fashion) << fashion.error().message;
  EXPECT_EQ(fashion->detection.classes.at(9), "short sleeve dress");
}

TEST(Manifest, MistakesAreNamedByTheirField) {
  const std::string good = detector_text();
  const std::vector<std::array<std::string, 3>> wrong = {
      {"task: detection", "task: cooking", "task is 'cooking'; it must be one of: embedding, detection"},
      {"yolo-v8", "yolo-v99", "detection: decoding"},
      {"[shirt, shoe]", "imagenet", "detection: classes is 'imagenet'"},
      {"[shirt, shoe]", "[]", "detection: classes"},
      {"score_min: 0.25", "score_min: 25", "detection: score_min is 25; it must be from 0.01 to 1"},
      {"score_min: 0.25", "score_min: .nan", "detection: score_min"},
      {"f32-nchw", "f64", "input: type"},
      {"fit: pad", "fit: stretch", "input: fit"},
      {"[255, 254, 253]", "[255, 0, 253]", "scale"},
      {"[255, 254, 253]", "[255, 254]", "input: scale"},
      {"type: f32-nchw", "type: u8-nhwc", "input: mean and scale go with"},
      {"width: 640", "breadth: 640", "input: width is missing"},
      {"name: mine", "name: ../mine", "name is '../mine'"},
      {"name: mine", "name: mine@2", "name is 'mine@2'"},
      {"licence: MIT\n", "", "licence is missing"},
      {"detection: {", "detector: {", "detection must name"},
  };
  ASSERT_TRUE(parse_manifest(good)) << parse_manifest(good).error().message;
  for (const auto& [what, with, words] : wrong) {
    const auto manifest = parse_manifest(replaced(good, what, with));
    ASSERT_FALSE(manifest) << with;
    EXPECT_EQ(manifest.error().code, Code::kCorrupt);
    EXPECT_THAT(manifest.error().message, HasSubstr(words));
  }
}

TEST(Manifest, DeepAndLargeTextsAreRefused) {
  EXPECT_FALSE(parse_manifest(std::string(100'000, '[')));
  EXPECT_FALSE(parse_manifest(std::string(60'000, '[')));
  EXPECT_FALSE(parse_manifest("a: &a [1]\nb: &b [*a, *a]\nmanifest: *b\n"));
  std::string steps;
  for (int i = 0; i < 300; ++i) steps += std::string(static_cast<std::size_t>(i), ' ') + "a:\n";
  EXPECT_FALSE(parse_manifest(steps));
}

std::vector<std::uint8_t> flat(int width, int height, std::uint8_t value) {
  return std::vector<std::uint8_t>(static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * 3, value);
}
RgbView view(const std::vector<std::uint8_t>& pixels, int width, int height) {
  return {pixels.data(), width, height, static_cast<std::size_t>(width) * 3};
}

TEST(Resize, FlatPicturesStayFlatAtEverySize) {
  for (const auto& [width, height] : {std::pair{1, 1}, {3, 500}, {640, 480}, {224, 224}, {7, 7}}) {
    const auto pixels = flat(width, height, 201);
    EXPECT_THAT(resize_rgb(view(pixels, width, height), 32, 24, Fit::kSquash), Each(201));
    EXPECT_THAT(resize_rgb(view(pixels, width, height), 32, 24, Fit::kCrop), Each(201));
  }
}

TEST(Resize, SameSizeIsTheSamePicture) {
  std::vector<std::uint8_t> pixels = flat(16, 16, 0);
  for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<std::uint8_t>(i * 37);
  EXPECT_EQ(resize_rgb(view(pixels, 16, 16), 16, 16, Fit::kSquash), pixels);
}

TEST(Resize, EveryPixelCountsWhenShrinking) {
  std::vector<std::uint8_t> checks = flat(64, 64, 0);
  for (std::size_t y = 0; y < 64; ++y) {
    for (std::size_t x = 0; x < 64; ++x) std::fill_n(checks.begin() + static_cast<std::ptrdiff_t>((y * 64 + x) * 3), 3, (x + y) % 2 * 200);
  }
  for (const std::uint8_t value : resize_rgb(view(checks, 64, 64), 8, 8, Fit::kSquash)) EXPECT_NEAR(value, 100, 2);
}

TEST(Resize, CropTakesTheMiddleAndPadKeepsAll) {
  std::vector<std::uint8_t> wide = flat(30, 10, 0);  // black, white, black thirds
  for (std::size_t y = 0; y < 10; ++y) std::fill_n(wide.begin() + static_cast<std::ptrdiff_t>((y * 30 + 10) * 3), 30, 255);
  EXPECT_THAT(resize_rgb(view(wide, 30, 10), 10, 10, Fit::kCrop), Each(255));
  const auto padded = resize_rgb(view(wide, 30, 10), 30, 30, Fit::kPad);
  EXPECT_EQ(padded[0], 127);                   // bar
  EXPECT_EQ(padded[(15 * 30 + 0) * 3], 0);     // left third
  EXPECT_EQ(padded[(15 * 30 + 15) * 3], 255);  // middle third
}

TEST(Resize, RowsMayHaveGaps) {
  std::vector<std::uint8_t> rows(8 * 40, 9);  // 10 pixels and 10 stray bytes a row
  for (std::size_t y = 0; y < 8; ++y) std::fill_n(rows.begin() + static_cast<std::ptrdiff_t>(y * 40), 30, 77);
  EXPECT_THAT(resize_rgb({rows.data(), 10, 8, 40}, 5, 4, Fit::kSquash), Each(77));
}

std::vector<std::uint8_t> stripes(int width, int height, int period) {
  std::vector<std::uint8_t> pixels = flat(width, height, 0);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const auto at = (static_cast<std::size_t>(y) * static_cast<std::size_t>(width) + static_cast<std::size_t>(x)) * 3;
      pixels[at] = static_cast<std::uint8_t>(x / period % 2 * 255);
      pixels[at + 1] = static_cast<std::uint8_t>(y * 255 / height);
    }
  }
  return pixels;
}

double dot(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += static_cast<double>(a[i]) * b[i];
  return sum;
}

TEST(Network, GivesUnitVectorsThatRepeat) {
  if (!have_model()) GTEST_SKIP() << kNoModel;
  Result<Network> network = Network::load(model_folder(), {});
  ASSERT_TRUE(network) << network.error().message;
  const auto fine = stripes(300, 200, 4), coarse = stripes(300, 200, 40);
  const auto first = network->embed(view(fine, 300, 200));
  const auto other = network->embed(view(coarse, 300, 200));
  const auto again = network->embed(view(fine, 300, 200));
  ASSERT_TRUE(first && other && again);
  EXPECT_EQ(first->vector.size(), 1280u);
  EXPECT_EQ(first->class_scores.size(), 1000u);
  EXPECT_NEAR(dot(first->vector, first->vector), 1, 1e-5);
  EXPECT_EQ(first->vector, again->vector);
  EXPECT_LT(dot(first->vector, other->vector), 0.95);
}

TEST(Network, RefusesAnEmptyPictureAndSaysWhereTheRuntimeShouldBe) {
  if (!have_model()) GTEST_SKIP() << kNoModel;
  Result<Network> network = Network::load(model_folder(), {});
  ASSERT_TRUE(network) << network.error().message;
  EXPECT_EQ(network->embed({}).error().code, Code::kBadInput);
  const auto lost = Network::load(model_folder(), {.runtime_folder = "/nowhere"});
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().code, Code::kUnavailable);
  EXPECT_THAT(lost.error().message, HasSubstr("/nowhere"));
}

TEST(Network, DamagedWeightsAreNotLoaded) {
  if (!have_model()) GTEST_SKIP() << kNoModel;
  const fs::path copy = fs::path(testing::TempDir()) / fmt::format("magpie_damaged_{}", ::getpid());
  fs::remove_all(copy);
  fs::copy(model_folder(), copy);
  auto weights = read_file(copy / "lite0.bin");
  ASSERT_TRUE(weights);
  (*weights)[1'000'000] ^= 1;
  ASSERT_TRUE(write_file_atomic(copy / "lite0.bin", *weights));
  const auto network = Network::load(copy, {});
  fs::remove_all(copy);
  ASSERT_FALSE(network);
  EXPECT_EQ(network.error().code, Code::kCorrupt);
}

}  // namespace
}  // namespace magpie::model
