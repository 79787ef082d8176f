#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/hash.h"
#include "model/detection_network.h"

namespace magpie::model {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

// One pixel of 32 × 32 decides for its cell whether there is something: where it is red. Two cells across, two down; one anchor of 16 × 24.
constexpr const char* kCfg =
    "[net]\nwidth=64\nheight=64\nchannels=3\n\n[convolutional]\nfilters=7\nsize=1\nstride=32\npad=0\nactivation=linear\n\n"
    "[yolo]\nmask=0\nanchors=16,24\nclasses=2\nnum=1\n";
constexpr int kSide = 64;

std::string bytes_of(const std::vector<float>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

/// Version 0.2, seen 0 pictures; seven biases, then 7 × 3 weights.
std::string weights() {
  const std::int32_t version[] = {0, 2, 0, 0, 0};
  std::vector<float> values = {0, 0, 0, 0, -10, 5, -5};  // x, y, width, height, objectness, the two classes
  values.resize(7 + 7 * 3);
  values[7 + 4 * 3] = 20;  // objectness of the red channel
  return std::string(reinterpret_cast<const char*>(version), sizeof version) + bytes_of(values);
}

class Darknet : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "magpie-darknet-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
  }
  void TearDown() override { fs::remove_all(folder_); }

  Result<DetectionNetwork> load(const std::string& cfg, const std::string& of_weights, const std::string& decoding = "yolo-v3") {
    std::string files;
    for (const auto& [name, bytes] : {std::pair<std::string, std::string>("net.cfg", cfg), {"net.weights", of_weights}}) {
      EXPECT_TRUE(write_file_atomic(folder_ / name, bytes));
      files += fmt::format("  - {{name: {}, size: {}, sha256: {}}}\n", name, bytes.size(), to_hex(sha256(bytes)));
    }
    EXPECT_TRUE(write_file_atomic(
        folder_ / "manifest.yaml",
        fmt::format("manifest: 1\nname: net\nversion: '1'\ntask: detection\ngraph: net.cfg\nlicence: CC0-1.0\nsource: a test\nfiles:\n{}"
                    "input: {{width: {}, height: {}, type: f32-nchw, scale: 255, fit: squash}}\n"
                    "detection: {{decoding: {}, classes: [shirt, shoe]}}\n",
                    files, kSide, kSide, decoding)));
    return DetectionNetwork::load(folder_, {});
  }
  std::string refusal(const std::string& cfg, const std::string& of_weights) {
    const auto network = load(cfg, of_weights);
    EXPECT_FALSE(network);
    return network ? "" : network.error().message;
  }

  fs::path folder_;
};

TEST_F(Darknet, BoxesAreThoseOfItsWeights) {
  auto network = load(kCfg, weights());
  ASSERT_TRUE(network) << network.error().message;
  std::vector<std::uint8_t> pixels(3 * kSide * kSide);
  for (int y = kSide / 2; y < kSide; ++y) {
    for (int x = kSide / 2; x < kSide; ++x) pixels[3 * static_cast<std::size_t>(y * kSide + x)] = 255;
  }
  const auto found = network->detect({pixels.data(), kSide, kSide, 3 * kSide});
  ASSERT_TRUE(found) << found.error().message;
  ASSERT_THAT(*found, SizeIs(1)) << "one of four cells is red";
  const Detection& shirt = found->front();
  EXPECT_EQ(network->label(shirt), "shirt");
  const auto sigmoid = [](double x) { return 1 / (1 + std::exp(-x)); };
  EXPECT_NEAR(shirt.score, sigmoid(10) * sigmoid(5), 1e-4);
  // The middle of the cell in the lower right, and the anchor around it.
  EXPECT_NEAR(shirt.box.left, 0.75 - 0.125, 1e-4);
  EXPECT_NEAR(shirt.box.right, 0.75 + 0.125, 1e-4);
  EXPECT_NEAR(shirt.box.top, 0.75 - 0.1875, 1e-4);
  EXPECT_NEAR(shirt.box.bottom, 0.75 + 0.1875, 1e-4);
}

TEST_F(Darknet, FilesThatAreNoNetworkAreRefused) {
  const auto with = [](const std::string& part, const std::string& instead) {
    std::string cfg = kCfg;
    return cfg.replace(cfg.find(part), part.size(), instead);
  };
  EXPECT_THAT(refusal(with("mask=0", "mask=3"), weights()), HasSubstr("mask=3"));
  EXPECT_THAT(refusal(with("mask=0", "mask = -1"), weights()), HasSubstr("mask=-1"));
  for (const char* mask : {"m{ask=3",
                           "m\x01"
                           "ask=3",
                           "m\xFF"
                           "ask=3",
                           "mask=10000000000", "mask=0,,0", "mask=0x", "mask=0\nmask=1", "mask=3\nmask="}) {
    SCOPED_TRACE(mask);  // what OpenCV passes over, reads otherwise, or does not set at all
    EXPECT_THAT(refusal(with("mask=0", mask), weights()), HasSubstr("must name some of 1 anchors"));
  }
  for (const char* layers : {"1", "-2", "2147483647", "-1,9", "x"}) {
    SCOPED_TRACE(layers);
    EXPECT_THAT(refusal(with("[yolo]", fmt::format("[route]\nlayers={}\n[yolo]", layers)), weights()), HasSubstr("sections before it"));
  }
  for (const char* entry : {"groups=0", "stride=0", "size=-1", "filters=1e9", "filters=99999999999"}) {
    SCOPED_TRACE(entry);
    EXPECT_THAT(refusal(with("pad=0", entry), weights()), HasSubstr("must be a number from"));
  }
  EXPECT_THAT(refusal(with("filters=7", "filters=8"), weights()), HasSubstr("net: "));
  EXPECT_THAT(refusal(with("[yolo]", "[bolo]"), weights()), HasSubstr("bolo"));
  EXPECT_THAT(refusal(with("stride=32", "stride=0"), weights()), HasSubstr("stride"));
  EXPECT_THAT(refusal(kCfg, weights().substr(0, 60)), HasSubstr("60 bytes, and the .cfg is of a network of 132"));
  EXPECT_THAT(refusal(kCfg, weights() + "more"), HasSubstr("136 bytes"));
  EXPECT_THAT(refusal(kCfg, "short"), HasSubstr("are empty"));
  EXPECT_THAT(refusal("", weights()), HasSubstr("net: "));
  EXPECT_THAT(refusal("\xFF\xFE[net", weights()), HasSubstr("net: "));
}

TEST_F(Darknet, AnotherDecodingIsRefusedByItsManifest) {
  EXPECT_THAT(load(kCfg, weights(), "yolo-v5").error().message, HasSubstr("decoding yolo-v3"));
}

}  // namespace
}  // namespace magpie::model
