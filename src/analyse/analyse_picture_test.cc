#include "analyse/analyse_picture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <limits>
#include <map>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "analyse/analysed_image.h"
#include "base/bounded_queue.h"
#include "image/animation.h"
#include "image/encode.h"
#include "image/picture.h"
#include "image/resize.h"
#include "image/test_pictures.h"
#include "model/network.h"

namespace magpie::analyse {
namespace {

constexpr const char* kNoModel = "build/models/efficientnet-lite0 is missing: run tools/setup/models.sh";
constexpr const char* kStamps = "/usr/share/tuxpaint/stamps";

fs::path model_folder() { return fs::path(MAGPIE_SOURCE_DIR) / "build/models/efficientnet-lite0"; }
fs::path eight_bit_model_folder() { return fs::path(MAGPIE_SOURCE_DIR) / "build/models/efficientnet-lite0-int8"; }
bool have_model() { return fs::exists(model_folder() / "manifest.yaml"); }
fs::path shared_folder() {
  const char* given = std::getenv("MAGPIE_SHARED");
  return given != nullptr ? fs::path(given) : fs::path(MAGPIE_SOURCE_DIR) / "../shared";
}

WorkerPoolOptions picture_workers(std::size_t count) {
  WorkerPoolOptions options;
  options.command = {MAGPIE_TEST_WORKER};
  options.workers = count;
  options.config = model_folder().string();
  return options;
}

Result<AnalysedImage> analyse(WorkerPool& pool, std::string_view picture) {
  MAGPIE_TRY(std::string answer, pool.call(analyse_request(picture)));
  return decode_analysed_image(answer);
}

AnalysedImage example() {
  AnalysedImage analysed;
  analysed.image.sha256 = sha256("x");
  analysed.image.format = "jpeg";
  analysed.image.width = 640;
  analysed.image.height = 480;
  analysed.image.frames = 24;
  analysed.image.duration = std::chrono::milliseconds(2'000);
  analysed.image.plays = 3;
  analysed.image.orientation = 6;
  analysed.image.bytes = 12'345;
  analysed.image.phash = 0x8123'4567'89ab'cdef;
  analysed.image.pdq[31] = 7;
  analysed.turned_pdq[6][30] = 9;
  analysed.image.pdq_quality = 100;
  analysed.image.brightness = 99.5F;
  analysed.image.colours = {{0xFF0000, 0.75F, "red"}, {0, 0.25F, "black"}};
  analysed.thumbnail = "thumb";
  analysed.preview = "preview";
  analysed.space = "tiny@1";
  analysed.embedding = {0.6F, 0.8F};
  analysed.detector = "eyes@1";
  Region shoe{.left = 0.25F, .top = 0.5F, .right = 0.75F, .bottom = 1, .score = 0.875F, .label = "shoe"};
  shoe.colours = {{0xFF0000, 1, "red"}};
  analysed.regions = {{shoe, {0.8F, 0.6F}}};
  return analysed;
}

TEST(AnalysedImage, ComesBackAsItWas) {
  const AnalysedImage before = example();
  const auto after = decode_analysed_image(encode_analysed_image(before));
  ASSERT_TRUE(after) << after.error().message;
  EXPECT_EQ(after->image.sha256, before.image.sha256);
  EXPECT_EQ(after->image.format, "jpeg");
  EXPECT_EQ(after->image.width, 640u);
  EXPECT_EQ(after->image.frames, 24u);
  EXPECT_EQ(after->image.duration, std::chrono::milliseconds(2'000));
  EXPECT_EQ(after->image.plays, 3u);
  EXPECT_EQ(after->image.orientation, 6);
  EXPECT_EQ(after->image.bytes, 12'345u);
  EXPECT_EQ(after->image.phash, before.image.phash);
  EXPECT_EQ(after->image.pdq, before.image.pdq);
  EXPECT_EQ(after->turned_pdq, before.turned_pdq);
  ASSERT_EQ(after->image.colours.size(), 2u);
  EXPECT_EQ(after->image.colours[0].name, "red");
  EXPECT_EQ(after->thumbnail, "thumb");
  EXPECT_EQ(after->preview, "preview");
  EXPECT_EQ(after->space, "tiny@1");
  EXPECT_EQ(after->embedding, before.embedding);
  EXPECT_EQ(after->detector, "eyes@1");
  ASSERT_EQ(after->regions.size(), 1u);
  EXPECT_EQ(after->regions[0].region.label, "shoe");
  EXPECT_EQ(after->regions[0].region.top, 0.5F);
  EXPECT_EQ(after->regions[0].region.score, 0.875F);
  EXPECT_EQ(after->regions[0].region.colours.at(0).name, "red");
  EXPECT_EQ(after->regions[0].embedding, before.regions[0].embedding);
}

TEST(AnalysedImage, ImpossibleValuesAreCorrupt) {
  const auto broken = [](auto&& change) {
    AnalysedImage analysed = example();
    change(analysed);
    return decode_analysed_image(encode_analysed_image(analysed));
  };
  EXPECT_FALSE(broken([](AnalysedImage& a) { a.image.width = 0; }));
  EXPECT_FALSE(broken([](AnalysedImage& a) { a.image.orientation = 9; }));
  EXPECT_FALSE(broken([](AnalysedImage& a) { a.image.pdq_quality = 101; }));
  EXPECT_FALSE(broken([](AnalysedImage& a) { a.image.brightness = std::numeric_limits<float>::quiet_NaN(); }));
  EXPECT_FALSE(broken([](AnalysedImage& a) { a.image.colours[0].share = 2; }));
  EXPECT_FALSE(broken([](AnalysedImage& a) { a.image.colours.resize(6); }));
  EXPECT_FALSE(broken([](AnalysedImage& a) { a.embedding = {1, 1}; }));
  EXPECT_TRUE(broken([](AnalysedImage& a) { a.embedding.clear(), a.regions.clear(); })) << "described only";
  EXPECT_FALSE(broken([](AnalysedImage& a) { a.regions[0].region.right = 0.25F; })) << "a box without width";
  EXPECT_FALSE(broken([](AnalysedImage& a) { a.regions[0].region.left = -0.1F; }));
  EXPECT_FALSE(broken([](AnalysedImage& a) { a.regions[0].region.score = std::numeric_limits<float>::quiet_NaN(); }));
  EXPECT_FALSE(broken([](AnalysedImage& a) { a.regions[0].region.label.clear(); }));
  EXPECT_FALSE(broken([](AnalysedImage& a) { a.regions[0].region.label.assign(101, 'x'); }));
  EXPECT_FALSE(broken([](AnalysedImage& a) { a.regions[0].region.label = "\xFF"; }));
  EXPECT_FALSE(broken([](AnalysedImage& a) { a.regions[0].embedding = {1, 0, 0}; })) << "of another length than the picture's";
  EXPECT_FALSE(broken([](AnalysedImage& a) { a.regions.assign(kRegionsMax + 1, a.regions[0]); }));
}

TEST(AnalysedImage, EveryCutIsCorrupt) {
  const std::string whole = encode_analysed_image(example());
  for (std::size_t size = 0; size < whole.size(); ++size) EXPECT_FALSE(decode_analysed_image(whole.substr(0, size))) << size;
  EXPECT_FALSE(decode_analysed_image(whole + "x"));
}

TEST(AnalysePicture, AStampGivesItsWholeRecord) {
  if (!have_model()) GTEST_SKIP() << kNoModel;
  const fs::path zebra = fs::path(kStamps) / "animals/mammals/equines/zebra.png";
  if (!fs::exists(zebra)) GTEST_SKIP() << "apt-get install tuxpaint-stamps-default";
  WorkerPool pool(picture_workers(1));
  const auto bytes = read_file(zebra);
  ASSERT_TRUE(bytes);
  const auto analysed = analyse(pool, *bytes);
  ASSERT_TRUE(analysed) << analysed.error().message;
  EXPECT_EQ(analysed->image.format, "png");
  EXPECT_EQ(analysed->image.sha256, sha256(*bytes));
  EXPECT_EQ(analysed->embedding.size(), 1280u);
  EXPECT_EQ(analysed->space, "efficientnet-lite0@1");
  EXPECT_FALSE(analysed->thumbnail.empty());
  const bool is_small = std::max(analysed->image.width, analysed->image.height) <= 640;
  EXPECT_EQ(analysed->preview.empty(), is_small);
}

TEST(AnalysePicture, WorkerAndInProcessAgree) {
  if (!have_model()) GTEST_SKIP() << kNoModel;
  WorkerHandlers handlers;
  ASSERT_TRUE(add_picture_handlers(handlers, {.model_folder = model_folder()}));
  image::Pixels grey({300, 200}, 3);
  for (std::size_t i = 0; i < grey.bytes(); ++i) grey.data()[i] = static_cast<std::uint8_t>(i / 7);
  const auto jpeg = image::encode_jpeg(grey.view());
  ASSERT_TRUE(jpeg) << jpeg.error().message;
  const WorkRequest request = analyse_request(*jpeg);
  const auto here = handlers.by_kind.at(kAnalysePicture)({request.kind, request.payload, {}, Deadline::after(20s)});
  WorkerPool pool(picture_workers(1));
  const auto there = pool.call(analyse_request(*jpeg));
  ASSERT_TRUE(here) << here.error().message;
  ASSERT_TRUE(there) << there.error().message;
  EXPECT_TRUE(*here == *there);
}

// tests/pictures/make_animations.py says what is in it.
TEST(AnalysePicture, AnAnimationsVectorIsTheMeanOfItsFrames) {
  if (!have_model()) GTEST_SKIP() << kNoModel;
  WorkerPool pool(picture_workers(1));
  const std::string bytes = *read_file(fs::path(MAGPIE_SOURCE_DIR) / "tests/pictures/moving.gif");
  const auto analysed = analyse(pool, bytes);
  ASSERT_TRUE(analysed) << analysed.error().message;
  EXPECT_EQ(analysed->image.frames, 6u);
  EXPECT_EQ(analysed->image.duration, std::chrono::milliseconds(1'000));
  EXPECT_EQ(analysed->image.plays, 3u);
  const auto shown = image::decode_shown(bytes, {}, {}, image::kOtherFrames);
  ASSERT_EQ(shown->others.size(), 2u);
  std::vector<const image::Pixels*> frames = {&shown->still.pixels, &shown->others[0], &shown->others[1]};
  Embedding sum(analysed->embedding.size());
  for (const image::Pixels* frame : frames) {
    const auto one = analyse(pool, image::bmp(*frame));
    ASSERT_TRUE(one) << one.error().message;
    EXPECT_LT(std::inner_product(one->embedding.begin(), one->embedding.end(), analysed->embedding.begin(), 0.0), 0.999);
    std::transform(sum.begin(), sum.end(), one->embedding.begin(), sum.begin(), std::plus<>());
  }
  const double length = std::sqrt(std::inner_product(sum.begin(), sum.end(), sum.begin(), 0.0));
  EXPECT_GT(std::inner_product(sum.begin(), sum.end(), analysed->embedding.begin(), 0.0) / length, 0.9999);
}

TEST(AnalysePicture, APartIsUnderstoodAsAPictureOfItsOwn) {
  if (!have_model()) GTEST_SKIP() << kNoModel;
  WorkerPool pool(picture_workers(1));
  const image::Pixels scene = image::scene({1'600, 1'200}, 5);
  const std::string upright = image::bmp(scene);
  const std::string turned = image::with_orientation(*image::encode_jpeg(image::upright(scene.copy(), 8).view(), 100), 6);
  const image::Pixels part = image::crop(scene.view(), 800, 600, {400, 400});
  const auto alone = analyse(pool, image::bmp(part));
  ASSERT_TRUE(alone) << alone.error().message;
  for (const std::string& whole : {upright, turned}) {
    const auto answer = pool.call(embed_part_request(whole, {.left = 5'000, .top = 5'000, .width = 2'500, .height = 3'333}));
    ASSERT_TRUE(answer) << answer.error().message;
    const auto analysed = decode_analysed_image(*answer);
    ASSERT_TRUE(analysed) << analysed.error().message;
    EXPECT_GT(std::inner_product(analysed->embedding.begin(), analysed->embedding.end(), alone->embedding.begin(), 0.0), 0.98);
  }
  const auto other = pool.call(embed_part_request(upright, {.left = 0, .top = 0, .width = 2'500, .height = 3'333}));
  ASSERT_TRUE(other);
  const Embedding elsewhere = decode_analysed_image(*other)->embedding;
  EXPECT_LT(std::inner_product(elsewhere.begin(), elsewhere.end(), alone->embedding.begin(), 0.0), 0.95);
  const auto small = pool.call(embed_part_request(upright, {.left = 0, .top = 0, .width = 50, .height = 5'000}));
  ASSERT_FALSE(small);
  EXPECT_EQ(small.error().code, Code::kBadInput) << small.error().message;
  EXPECT_FALSE(pool.call(embed_part_request(upright, {.left = 5'000, .top = 0, .width = 5'001, .height = 5'000})));
}

TEST(AnalysePicture, AVariantIsAJpegOfTheSideWanted) {
  if (!have_model()) GTEST_SKIP() << kNoModel;
  WorkerPool pool(picture_workers(1));
  image::Pixels wide({400, 100}, 3);
  std::fill_n(wide.data(), wide.bytes(), std::uint8_t{50});
  const auto jpeg = pool.call(variant_request(*image::encode_jpeg(wide.view()), 200));
  ASSERT_TRUE(jpeg) << jpeg.error().message;
  const auto header = image::sniff(*jpeg);
  ASSERT_TRUE(header);
  EXPECT_EQ(header->size.width, 200u);
  EXPECT_EQ(header->size.height, 50u);
}

TEST(AnalysePicture, NoPictureIsBadInputAndTheWorkerLivesOn) {
  if (!have_model()) GTEST_SKIP() << kNoModel;
  WorkerPool pool(picture_workers(1));
  ASSERT_TRUE(pool.wait_ready(Deadline::after(60s)));
  const std::vector<pid_t> before = pool.pids();
  for (const std::string_view text : {"", "<html>", "\xff\xd8\xff\xe0 cut"}) {
    const auto answer = analyse(pool, text);
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, Code::kBadInput) << answer.error().message;
  }
  EXPECT_EQ(pool.pids(), before);
}

// Every picture of the outside cases: analysed or refused with a reason, and no worker lost for it.
TEST(AnalysePicture, OutsideCasesNeverKillAWorker) {
  const fs::path cases = shared_folder() / "cases";
  if (!fs::exists(cases)) GTEST_SKIP() << "set MAGPIE_SHARED to the shared folder with cases/";
  if (!have_model()) GTEST_SKIP() << kNoModel;
  WorkerPool pool(picture_workers(2));
  BoundedQueue<std::pair<std::string, Result<std::string>>> answers(100'000);
  std::map<std::string, std::size_t> analysed;
  std::size_t asked = 0;
  for (const auto& entry : fs::recursive_directory_iterator(cases)) {
    const auto bytes = entry.is_regular_file() && entry.file_size() < (32u << 20) ? read_file(entry.path()) : Result<std::string>("");
    if (!bytes || image::sniff_format(*bytes) == image::Format::kUnknown) continue;
    ++asked;
    pool.submit(analyse_request(*bytes), [&answers, path = entry.path().string()](Result<std::string> answer) {
      answers.push({path, std::move(answer)});
    });
  }
  if (asked == 0) GTEST_SKIP() << "no pictures in " << cases;
  for (std::size_t i = 0; i < asked; ++i) {
    const auto one = answers.pop();
    ASSERT_TRUE(one);
    if (!one->second) {
      const Code code = one->second.error().code;
      EXPECT_TRUE(code == Code::kBadInput || code == Code::kTooLarge || code == Code::kTimeout)
          << one->first << ": " << one->second.error().message;
      continue;
    }
    const auto result = decode_analysed_image(*one->second);
    ASSERT_TRUE(result) << one->first << ": " << result.error().message;
    ++analysed[result->image.format];
  }
  for (const auto& [format, count] : analysed) RecordProperty(format, static_cast<int>(count));
  EXPECT_FALSE(analysed.empty());
}

// A few pictures of each format that the cases and the stamps have.
std::vector<std::string> samples_of_each_format(std::size_t of_each) {
  std::map<image::Format, std::size_t> taken;
  std::vector<std::string> samples;
  for (const fs::path& folder : {shared_folder() / "cases", fs::path(kStamps)}) {
    if (!fs::exists(folder)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
      if (!entry.is_regular_file() || entry.file_size() > (1u << 20)) continue;
      const auto bytes = read_file(entry.path());
      const image::Format format = bytes ? image::sniff_format(*bytes) : image::Format::kUnknown;
      if (format != image::Format::kUnknown && taken[format]++ < of_each) samples.push_back(*bytes);
    }
  }
  return samples;
}

// What a decoder opens late (a module, a font) must have been opened by the warm-up, or be allowed.
TEST(AnalysePicture, TheSandboxChangesNoAnswer) {
  if (!have_model()) GTEST_SKIP() << kNoModel;
  std::vector<std::string> samples = samples_of_each_format(6);
  if (samples.empty()) GTEST_SKIP() << "no pictures: set MAGPIE_SHARED, or apt-get install tuxpaint-stamps-default";
  samples.emplace_back(
      R"(<svg xmlns="http://www.w3.org/2000/svg" width="200" height="60"><text x="9" y="40" font-size="30">fonts</text></svg>)");
  const std::size_t common = samples.size();
  for (const char* name : {"waves.avif", "waves.heic"})
    samples.push_back(*read_file(fs::path(MAGPIE_SOURCE_DIR) / "tests/pictures" / name));
  WorkerPool locked(picture_workers(1));
  WorkerPoolOptions free_options = picture_workers(1);
  free_options.sandbox.enabled = false;
  WorkerPool free(free_options);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const std::string& sample = samples[i];
    const auto inside = locked.call(analyse_request(sample)), outside = free.call(analyse_request(sample));
    if (i >= common) { EXPECT_TRUE(inside) << inside.error().message; }
    ASSERT_EQ(static_cast<bool>(inside), static_cast<bool>(outside)) << (inside ? outside : inside).error().message;
    if (inside) EXPECT_TRUE(*inside == *outside) << image::to_string(image::sniff_format(sample));
    else EXPECT_EQ(inside.error().message, outside.error().message);
  }
}

struct Labelled {
  std::string label;
  Embedding embedding;
};

// Pictures of one folder of the clothing set, every `step`-th file of each class, embedded by workers.
std::vector<Labelled> embed_all(WorkerPool& pool, const fs::path& folder, std::size_t step) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  BoundedQueue<std::pair<std::string, Result<std::string>>> answers(files.size());
  std::size_t asked = 0;
  for (std::size_t i = 0; i < files.size(); i += step, ++asked) {
    pool.submit(embed_request(*read_file(files[i])),
                [&answers, label = files[i].parent_path().filename().string()](Result<std::string> answer) {
                  answers.push({label, std::move(answer)});
                });
  }
  std::vector<Labelled> all;
  for (; asked > 0; --asked) {
    auto answer = answers.pop();
    const auto analysed = decode_analysed_image(*answer->second);
    if (analysed) all.push_back({answer->first, analysed->embedding});
  }
  return all;
}

double dot(const Embedding& a, const Embedding& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += static_cast<double>(a[i]) * b[i];
  return sum;
}

// The real network on real photographs: chance would be 0.1; README.md has the figure for the whole set (0.74).
TEST(AnalysePicture, NearestNeighboursOfClothesAreMostlyOfTheirClass) {
  const fs::path clothing = shared_folder() / "data/clothing";
  if (!fs::exists(clothing / "train")) GTEST_SKIP() << "set MAGPIE_SHARED to the shared folder with data/clothing/";
  if (!have_model()) GTEST_SKIP() << kNoModel;
  const char* every = std::getenv("MAGPIE_CLOTHING_STEP");
  const std::size_t step = every != nullptr ? std::stoul(every) : 8;
  WorkerPool pool(picture_workers(2));
  const auto known = embed_all(pool, clothing / "train", step);
  const auto queries = embed_all(pool, clothing / "validation", std::max<std::size_t>(1, step / 2));
  ASSERT_GT(known.size(), 300u);
  ASSERT_GT(queries.size(), 50u);
  std::size_t right = 0;
  for (const Labelled& query : queries) {
    const auto nearest = std::max_element(known.begin(), known.end(), [&](const Labelled& a, const Labelled& b) {
      return dot(query.embedding, a.embedding) < dot(query.embedding, b.embedding);
    });
    right += nearest->label == query.label;
  }
  const double accuracy = static_cast<double>(right) / static_cast<double>(queries.size());
  fmt::print("nearest neighbour accuracy {:.3f}: {} queries against {}\n", accuracy, queries.size(), known.size());
  EXPECT_GT(accuracy, 0.6);
}

// Decoding, resizing and the network together know what a photograph shows (class numbers of ImageNet, ILSVRC 2012).
TEST(AnalysePicture, EightBitsSayWhatFloatsSay) {
  if (!have_model()) GTEST_SKIP() << kNoModel;
  auto floats = model::Network::load(model_folder(), {}), eight_bits = model::Network::load(eight_bit_model_folder(), {});
  ASSERT_TRUE(floats && eight_bits);
  EXPECT_NE(floats->manifest().space(), eight_bits->manifest().space());
  double sum = 0;
  int count = 0;
  std::error_code error;
  for (const auto& entry : fs::recursive_directory_iterator(kStamps, error)) {
    if (entry.path().extension() != ".png" || ++count > 40) continue;
    const auto picture = image::analyse_picture(*read_file(entry.path()));
    ASSERT_TRUE(picture) << entry.path();
    const model::RgbView view{picture->pixels.data(), static_cast<int>(picture->pixels.width()), static_cast<int>(picture->pixels.height()),
                              std::size_t{3} * picture->pixels.width()};
    const auto a = floats->embed(view), b = eight_bits->embed(view);
    ASSERT_TRUE(a && b);
    const double cosine = std::inner_product(a->vector.begin(), a->vector.end(), b->vector.begin(), 0.0);
    EXPECT_GT(cosine, 0.85) << entry.path();
    sum += cosine;
  }
  if (count == 0) GTEST_SKIP() << "apt-get install tuxpaint-stamps-default";
  EXPECT_GT(sum / std::min(count, 40), 0.97);
}

void expect_animals(const fs::path& folder) {
  auto network = model::Network::load(folder, {});
  ASSERT_TRUE(network) << network.error().message;
  const std::map<std::string, std::vector<int>> expected = {
      {"animals/mammals/equines/zebra.png", {340}}, {"animals/mammals/elephant.png", {101, 385, 386}},  // tusker, Indian, African elephant
  };
  for (const auto& [name, classes] : expected) {
    const auto bytes = read_file(fs::path(kStamps) / name);
    if (!bytes) GTEST_SKIP() << "apt-get install tuxpaint-stamps-default";
    const auto picture = image::analyse_picture(*bytes);
    ASSERT_TRUE(picture) << picture.error().message;
    const auto& pixels = picture->pixels;
    const auto embedding = network->embed(
        {pixels.data(), static_cast<int>(pixels.width()), static_cast<int>(pixels.height()), std::size_t{3} * pixels.width()});
    ASSERT_TRUE(embedding) << embedding.error().message;
    const auto& scores = embedding->class_scores;
    const auto top = static_cast<int>(std::max_element(scores.begin(), scores.end()) - scores.begin());
    EXPECT_THAT(classes, testing::Contains(top)) << name;
  }
}

TEST(AnalysePicture, TheNetworkKnowsAnimals) {
  if (!have_model()) GTEST_SKIP() << kNoModel;
  expect_animals(model_folder());
}
TEST(AnalysePicture, TheNetworkOfEightBitsKnowsAnimals) {
  if (!have_model()) GTEST_SKIP() << kNoModel;
  expect_animals(eight_bit_model_folder());
}

}  // namespace
}  // namespace magpie::analyse
