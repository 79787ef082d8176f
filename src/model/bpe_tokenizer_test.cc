#include "model/bpe_tokenizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace magpie::model {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::string_view kMerges = "#version: 0.2\nr e\nre d</w>\nd re\ns s</w>\ndre ss</w>\n";

// Numbers of OpenAI's list: 256 letters, the same at a word's end, then the merges.
constexpr std::int64_t kRed = 512 + 1, kDress = 512 + 4;
std::int64_t letter(char c, bool ends_word) { return c - '!' + (ends_word ? 256 : 0); }

TEST(BpeTokenizer, MergesInTheOrderOfTheList) {
  const auto tokens = BpeTokenizer::of_merges(kMerges);
  ASSERT_TRUE(tokens);
  EXPECT_EQ(tokens->size(), 512U + 5 + 2);
  EXPECT_EQ(tokens->number_of("<|startoftext|>"), 517);
  EXPECT_EQ(tokens->number_of("<|endoftext|>"), 518);
  EXPECT_THAT(tokens->encode("red dress", 10), ElementsAre(kRed, kDress));
  EXPECT_THAT(tokens->encode("  Red\t\nDRESS ", 10), ElementsAre(kRed, kDress));
  // "dred": of "re d</w>" and "d re" the first in the list is taken.
  EXPECT_THAT(tokens->encode("dred", 10), ElementsAre(letter('d', false), kRed));
  EXPECT_THAT(tokens->encode("red dress", 1), ElementsAre(kRed));
}

TEST(BpeTokenizer, APieceThatTwoMergesMakeHasTheLaterPlace) {
  const auto tokens = BpeTokenizer::of_merges("r e\ne d</w>\nre d</w>\nr ed</w>\ns s</w>\n");
  ASSERT_TRUE(tokens) << tokens.error().message;
  EXPECT_EQ(tokens->number_of("red</w>"), 512 + 3);
  EXPECT_EQ(tokens->number_of("ss</w>"), 512 + 4);
  EXPECT_EQ(tokens->number_of("<|endoftext|>"), 512 + 5 + 1);
  EXPECT_THAT(tokens->encode("red", 10), ElementsAre(512 + 3));
}

TEST(BpeTokenizer, WordsAreCutAsClipCutsThem) {
  const auto tokens = BpeTokenizer::of_merges(kMerges);
  ASSERT_TRUE(tokens);
  const auto number = [](std::string_view word) {
    std::vector<std::int64_t> out;
    for (std::size_t i = 0; i < word.size(); ++i) out.push_back(letter(word[i], i + 1 == word.size()));
    return out;
  };
  const auto encode_all = [&](std::initializer_list<std::string_view> words) {
    std::vector<std::int64_t> out;
    for (const std::string_view word : words) {
      for (const std::int64_t one : number(word)) out.push_back(one);
    }
    return out;
  };
  EXPECT_EQ(tokens->encode("it's 42!?", 20), encode_all({"it", "'s", "4", "2", "!?"}));
  EXPECT_EQ(tokens->encode("!'s", 20), encode_all({"!'", "s"}));
  EXPECT_EQ(tokens->encode("we'll'x", 20), encode_all({"we", "'ll", "'", "x"}));
  // É becomes é: bytes C3 A9, letters Ã and ©, which print; of the others U+0100 is byte 0.
  EXPECT_THAT(tokens->encode("É", 20), ElementsAre(94 + 0xC3 - 0xA1 - 1, 256 + 94 + 0xA9 - 0xA1));
}

TEST(BpeTokenizer, TheThreeFormsOfAVocabularyAgree) {
  const std::string vocabulary = R"({"r":0,"e":1,"d":2,"d</w>":3,"s":4,"s</w>":5,"re":6,"red</w>":7,"dre":9,"ss</w>":10,"dress</w>":11})";
  const auto files = BpeTokenizer::of_vocabulary(vocabulary, kMerges);
  ASSERT_TRUE(files) << files.error().message;
  EXPECT_THAT(files->encode("red dress", 9), ElementsAre(7, 11));
  EXPECT_THAT(files->encode("xx red", 9), ElementsAre(7)) << "no piece for x";
  for (const char* merges :
       {R"(["r e","re d</w>","d re","s s</w>","dre ss</w>"])", R"([["r","e"],["re","d</w>"],["d","re"],["s","s</w>"],["dre","ss</w>"]])"}) {
    const auto json = BpeTokenizer::of_tokenizer_json(R"({"model":{"type":"BPE","end_of_word_suffix":"</w>","vocab":)" + vocabulary +
                                                      R"(,"merges":)" + merges + "}}");
    ASSERT_TRUE(json) << json.error().message;
    EXPECT_EQ(json->encode("red dress reddress", 9), files->encode("red dress reddress", 9));
  }
}

TEST(BpeTokenizer, WhatIsNoVocabularyIsRefusedByName) {
  EXPECT_THAT(BpeTokenizer::of_merges("").error().message, HasSubstr("empty"));
  EXPECT_THAT(BpeTokenizer::of_merges("\x1f\x8b\x08").error().message, HasSubstr("gunzip"));
  EXPECT_THAT(BpeTokenizer::of_merges("one\n").error().message, HasSubstr("'one'"));
  EXPECT_THAT(BpeTokenizer::of_merges("a b c\n").error().message, HasSubstr("'a b c'"));
  EXPECT_THAT(BpeTokenizer::of_merges("ab c\n").error().message, HasSubstr("'ab c'"));
  EXPECT_THAT(BpeTokenizer::of_vocabulary("[1]", "").error().message, HasSubstr("no object"));
  EXPECT_THAT(BpeTokenizer::of_vocabulary(R"({"a":-1})", "").error().message, HasSubstr("'a'"));
  EXPECT_THAT(BpeTokenizer::of_vocabulary(R"({"a":1,"b":2})", "a b").error().message, HasSubstr("'a b'"));
  EXPECT_THAT(BpeTokenizer::of_vocabulary(R"({"a":99999999999})", "").error().message, HasSubstr("over"));
  EXPECT_THAT(BpeTokenizer::of_merges("[PAD]\n[unused0]\n").error().message, HasSubstr("'[PAD]' is no two pieces; WordPiece"));
  for (const std::string type : {"Unigram", "WordPiece"}) {
    const auto refused = BpeTokenizer::of_tokenizer_json(R"({"model":{"type":")" + type + R"("}})");
    EXPECT_EQ(refused.error().message, "tokenizer.json is of a model '" + type + "'; clip-bpe reads BPE");
  }
  EXPECT_THAT(BpeTokenizer::of_tokenizer_json(R"({"model":{"type":"BPE"}})").error().message, HasSubstr("</w>"));
  EXPECT_EQ(BpeTokenizer::of_tokenizer_json(std::string(5'000, '[')).error().code, Code::kCorrupt);
}

TEST(BpeTokenizer, AnyBytesAreText) {
  const auto tokens = BpeTokenizer::of_merges(kMerges);
  ASSERT_TRUE(tokens);
  EXPECT_THAT(tokens->encode("", 9), IsEmpty());
  EXPECT_THAT(tokens->encode(" \xC2\xA0\t", 9), IsEmpty());
  EXPECT_EQ(tokens->encode(std::string(512, '\xff'), 77).size(), 77U);
  EXPECT_EQ(tokens->encode(std::string(512, 'r') + "ed", 1'000).size(), 512U);
}

}  // namespace
}  // namespace magpie::model
