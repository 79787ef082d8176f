#include "text/word_finder.h"

#include <gtest/gtest.h>

#include <string>

namespace magpie {
namespace {

std::string found(std::span<const WordFinder::Word> words, std::string_view text) {
  std::string out;
  WordFinder(words).each(text, [&](std::size_t begin, std::size_t end, std::uint32_t value) {
    out += std::to_string(value) + "@" + std::to_string(begin) + "-" + std::to_string(end) + " ";
  });
  return out;
}

TEST(WordFinder, FindsEveryOccurrenceAlsoInsideAnother) {
  constexpr WordFinder::Word kWords[] = {{"he", 1}, {"she", 2}, {"hers", 3}};
  EXPECT_EQ(found(kWords, "ushers she"), "2@1-4 1@2-4 3@2-6 2@7-10 1@8-10 ");
}

TEST(WordFinder, LetterCaseDoesNotCount) {
  constexpr WordFinder::Word kWords[] = {{"price", 1}, {"артикул", 2}};
  EXPECT_EQ(found(kWords, "PriCe"), "1@0-5 ");
  EXPECT_EQ(found(kWords, "Артикул АРТИКУЛ"), "2@0-14 2@15-29 ");
}

TEST(WordFinder, WholeWordsEndAtCapitalsAndSigns) {
  constexpr WordFinder::Word kWords[] = {{"old", 1, true}};
  for (const char* text : {"old", "price-old", "oldPrice", "priceOld", "old_2", "is old."}) EXPECT_NE(found(kWords, text), "") << text;
  for (const char* text : {"gold", "bold", "holder", "old2", "OLDER", "sold-out"}) EXPECT_EQ(found(kWords, text), "") << text;
}

TEST(WordFinder, MarksAreJoined) {
  constexpr WordFinder::Word kWords[] = {{"a", 1}, {"b", 2}, {"c", 4}};
  EXPECT_EQ(WordFinder(kWords).marks_in("xaxc"), 5u);
  EXPECT_EQ(WordFinder(kWords).marks_in(""), 0u);
}

}  // namespace
}  // namespace magpie
