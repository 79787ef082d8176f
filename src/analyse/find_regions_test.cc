#include "analyse/find_regions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "analyse/analyse_picture.h"
#include "analyse/analysed_image.h"
#include "base/files.h"
#include "process/worker_pool.h"

namespace magpie::analyse {
namespace {

using testing::SizeIs;

fs::path models() { return fs::path(MAGPIE_SOURCE_DIR) / "build/models"; }
constexpr const char* kStamps = "/usr/share/tuxpaint/stamps";

Region box(float left, float top, float right, float bottom, std::string label = "thing") {
  return {left, top, right, bottom, 0.9F, std::move(label), {}};
}

TEST(Cuts, CoverTheirBoxAndStayInThePicture) {
  EXPECT_EQ(cut_of(box(0.25F, 0.5F, 0.75F, 1), {100, 40}), (Cut{25, 20, {50, 20}}));
  EXPECT_EQ(cut_of(box(0, 0, 1, 1), {3, 5}), (Cut{0, 0, {3, 5}}));
  EXPECT_EQ(cut_of(box(0.999F, 0.999F, 1, 1), {10, 10}), (Cut{9, 9, {1, 1}}));
  EXPECT_EQ(cut_of(box(-1, 2, 5, 3), {10, 10}), (Cut{0, 9, {10, 1}}));
}

TEST(Cuts, AreWidenedTowardsASquareAsFarAsThePictureGoes) {
  EXPECT_EQ(widened({40, 10, {20, 60}}, {100, 100}), (Cut{20, 10, {60, 60}}));
  EXPECT_EQ(widened({0, 10, {20, 60}}, {100, 100}), (Cut{0, 10, {60, 60}})) << "at the edge it grows inwards";
  EXPECT_EQ(widened({80, 10, {20, 60}}, {100, 100}), (Cut{40, 10, {60, 60}}));
  EXPECT_EQ(widened({10, 0, {20, 90}}, {50, 100}), (Cut{0, 0, {50, 90}})) << "and no further than it goes";
  EXPECT_EQ(widened({1, 2, {7, 7}}, {50, 50}), (Cut{1, 2, {7, 7}}));
}

// Ports of this folder, in place of networks: the detector says what it is told to, the embedder the mean colour of what it is shown.
class ToldDetector final : public Detector {
 public:
  explicit ToldDetector(std::vector<Region> told) : told_(std::move(told)) {}
  Result<std::vector<Region>> detect(const RgbPixels&) override { return told_; }
  const std::string& name() const override { return name_; }

 private:
  std::vector<Region> told_;
  std::string name_ = "told@1";
};
class MeanEmbedder final : public Embedder {
 public:
  Result<Embedding> embed(const RgbPixels& pixels) override {
    ++calls;
    Embedding mean(3);
    for (std::size_t i = 0; i < pixels.bytes.size(); ++i) mean[i % 3] += static_cast<float>(pixels.bytes[i]);
    return mean;
  }
  std::size_t dims() const override { return 3; }
  const std::string& space() const override { return space_; }
  int calls = 0;

 private:
  std::string space_ = "mean@1";
};

/// White, with a blue square in its lower right quarter.
image::Pixels square_on_white(std::uint32_t width, std::uint32_t height) {
  image::Pixels pixels({width, height}, 3);
  for (std::uint32_t y = 0; y < height; ++y) {
    for (std::uint32_t x = 0; x < width; ++x) {
      std::uint8_t* at = pixels.row(y) + std::size_t{x} * 3;
      const bool blue = x >= width * 6 / 10 && x < width * 9 / 10 && y >= height * 6 / 10 && y < height * 9 / 10;
      at[0] = at[1] = blue ? 0 : 255, at[2] = 255;
    }
  }
  return pixels;
}

TEST(FindRegions, EachHasTheColoursAndTheVectorOfWhatItShows) {
  ToldDetector detector({box(0, 0, 1, 1, "all"), box(0.5F, 0.5F, 1, 1, "blue thing"), box(0, 0.5F, 0.1F, 0.52F, "speck")});
  MeanEmbedder embedder;
  const Embedding whole = {7, 7, 7};
  const auto found = find_regions(square_on_white(200, 200), detector, embedder, whole);
  ASSERT_TRUE(found) << found.error().message;
  ASSERT_THAT(*found, SizeIs(2)) << "a speck is too small to be compared";
  EXPECT_EQ((*found)[0].embedding, whole) << "it is the picture";
  EXPECT_EQ(embedder.calls, 1);
  ASSERT_FALSE((*found)[1].region.colours.empty());
  EXPECT_EQ((*found)[1].region.colours[0].name, "blue") << "the white around it is its background";
  EXPECT_GT((*found)[1].region.colours[0].share, 0.9F);
  EXPECT_GT((*found)[1].embedding[2], (*found)[1].embedding[0]);
}

TEST(FindRegions, KnownOnesGetTheVectorsThatTheyWouldHaveIfTheyWereFound) {
  const std::vector<Region> boxes = {box(0, 0, 1, 1, "all"), box(0.5F, 0.5F, 1, 1, "blue thing")};
  ToldDetector detector(boxes);
  MeanEmbedder embedder;
  const Embedding whole = {7, 7, 7};
  const auto found = find_regions(square_on_white(200, 200), detector, embedder, whole);
  const auto known = embed_regions(square_on_white(200, 200), boxes, embedder, whole);
  ASSERT_TRUE(found && known);
  ASSERT_THAT(*known, SizeIs(2));
  for (std::size_t i = 0; i < 2; ++i) EXPECT_EQ((*known)[i].embedding, (*found)[i].embedding);
  EXPECT_THAT(*embed_regions(square_on_white(90, 40), boxes, embedder, whole), SizeIs(2)) << "none is left out";
}

TEST(FindRegions, ThereAreNoMoreThanTheLimitAndNoneInSmallPictures) {
  std::vector<Region> many;
  for (int i = 0; i < 30; ++i) many.push_back(box(0.02F * static_cast<float>(i), 0, 0.02F * static_cast<float>(i) + 0.4F, 0.5F));
  ToldDetector detector(many);
  MeanEmbedder embedder;
  EXPECT_THAT(*find_regions(square_on_white(300, 300), detector, embedder, {1, 0, 0}), SizeIs(kRegionsMax));
  EXPECT_THAT(*find_regions(square_on_white(90, 40), detector, embedder, {1, 0, 0}), SizeIs(0));
}

class DetectingWorker : public testing::Test {
 protected:
  static Result<AnalysedImage> ask(WorkRequest request, bool detects = true) {
    WorkerPoolOptions options;
    options.command = {MAGPIE_TEST_WORKER};
    options.workers = 1;
    options.config = (models() / "efficientnet-lite0-int8").string();
    if (detects) options.config += "\n" + (models() / "ssd-open-images").string();
    WorkerPool pool(std::move(options));
    MAGPIE_TRY(const std::string answer, pool.call(std::move(request)));
    return decode_analysed_image(answer);
  }
  void SetUp() override {
    if (!fs::exists(models() / "ssd-open-images/manifest.yaml")) GTEST_SKIP() << "no detector: run tools/setup/models.sh";
    if (!fs::exists(kStamps)) GTEST_SKIP() << "apt-get install tuxpaint-stamps-default";
  }
  static std::string stamp(const std::string& name) { return read_file(fs::path(kStamps) / name).value(); }
};

TEST_F(DetectingWorker, FindsWhatTheDrawingsShow) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"vehicles/auto/sportscar2.png", "Car"}, {"household/dishes/mug.png", "Mug"}, {"animals/mammals/bovines/cow.png", "Cattle"}};
  for (const auto& [file, label] : cases) {
    const auto analysed = ask(analyse_request(stamp(file)));
    ASSERT_TRUE(analysed) << analysed.error().message;
    EXPECT_EQ(analysed->detector, "ssd-open-images@1");
    ASSERT_FALSE(analysed->regions.empty()) << file;
    EXPECT_EQ(analysed->regions[0].region.label, label);
    EXPECT_FALSE(analysed->regions[0].region.colours.empty());
    EXPECT_EQ(analysed->regions[0].embedding.size(), analysed->embedding.size());
  }
}

TEST_F(DetectingWorker, LooksOnlyAtWhatIsKept) {
  const std::string car = stamp("vehicles/auto/sportscar2.png");
  const auto upload = ask(embed_request(car));
  ASSERT_TRUE(upload) << upload.error().message;
  EXPECT_TRUE(upload->regions.empty() && upload->detector.empty()) << "a question";
  const auto plain = ask(analyse_request(car), /*detects=*/false);
  ASSERT_TRUE(plain) << plain.error().message;
  EXPECT_TRUE(plain->regions.empty() && plain->detector.empty()) << "no detector";
  EXPECT_FALSE(plain->embedding.empty());
}

}  // namespace
}  // namespace magpie::analyse
