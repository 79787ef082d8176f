#include "analyse/copies.h"

#include <gtest/gtest.h>

#include "image/test_pictures.h"

namespace magpie::analyse {
namespace {

CopyEvidence evidence() {
  CopyEvidence made;
  made.hashes = {.phash = 0xAAAA5555F0F00F0F, .dhash = 0x123456789ABCDEF0, .pdq = {{1, 2, 3, 4}}, .pdq_quality = 100};
  made.size = {400, 300};
  made.colours = image::ColourGrid{};
  return made;
}

// The same with `bits` of its PDQ turned over.
CopyEvidence further(int bits) {
  CopyEvidence other = evidence();
  for (int i = 0; i < bits; ++i) other.hashes.pdq.words[static_cast<std::size_t>(i) / 64] ^= std::uint64_t{1} << (i % 64);
  return other;
}

TEST(Copies, NearPdqAloneDecides) {
  CopyEvidence other = further(31);
  other.hashes.phash = ~other.hashes.phash;
  EXPECT_TRUE(are_copies(evidence(), other));
  EXPECT_FALSE(are_copies(evidence(), further(51)));
}

TEST(Copies, FurtherPdqNeedsEverythingElseToAgree) {
  CopyEvidence other = further(45);
  EXPECT_TRUE(are_copies(evidence(), other));
  other.hashes.phash ^= 0x7F;
  EXPECT_FALSE(are_copies(evidence(), other));
  other = further(45);
  other.colours.reset();
  EXPECT_FALSE(are_copies(evidence(), other));
}

TEST(Copies, TwoColoursOfOneThingAreNotCopies) {
  CopyEvidence other = evidence();
  other.colours->at(5) = {200, 0, 0};
  EXPECT_FALSE(are_copies(evidence(), other));
  other.colours.reset();
  EXPECT_TRUE(are_copies(evidence(), other)) << "without colours hashes decide";
}

TEST(Copies, AnotherShapeIsAnotherPicture) {
  CopyEvidence other = evidence();
  other.size = {400, 400};
  EXPECT_FALSE(are_copies(evidence(), other));
  other.size = {40, 30};
  EXPECT_TRUE(are_copies(evidence(), other));
  other.size = {0, 0};
  EXPECT_FALSE(are_copies(evidence(), other));
}

TEST(Copies, BlankPicturesAreNobodysCopies) {
  CopyEvidence blank = evidence();
  blank.hashes = {.phash = 1ull << 63, .dhash = 0, .pdq = {}, .pdq_quality = 0};
  EXPECT_FALSE(are_copies(blank, blank));
  CopyEvidence plain = evidence();
  plain.hashes.pdq_quality = 20;
  CopyEvidence other = further(120);
  other.hashes.pdq_quality = 90;
  EXPECT_TRUE(are_copies(plain, other)) << "PDQ says nothing here, the others agree";
}

CopyEvidence evidence_of(const image::Pixels& picture) {
  CopyEvidence evidence{.hashes = image::perceptual_hashes(picture.view()), .size = picture.size()};
  evidence.colours = image::colour_grid(picture.view());
  const image::PdqTurns turns = image::pdq_turns(picture.view());
  evidence.turned_pdq.assign(turns.hashes.begin() + 1, turns.hashes.end());
  return evidence;
}

// As image::PdqTurns says.
image::Pixels turned(const image::Pixels& picture, std::size_t turn) {
  constexpr std::uint8_t kQuarters[4] = {1, 6, 3, 8};
  return image::upright(image::upright(picture.copy(), turn >= 4 ? 2 : 1), kQuarters[turn % 4]);
}

TEST(Copies, TurnedOnesAreFoundByTheTurnedPdqAndColours) {
  const image::Pixels picture = image::scene({360, 270}, 3);
  const CopyEvidence fresh = evidence_of(picture);
  const char* const kWords[8] = {"",           "turned by 90",           "turned by 180",           "turned by 270",
                                 "mirrored, ", "mirrored, turned by 90", "mirrored, turned by 180", "mirrored, turned by 270"};
  for (std::size_t turn = 1; turn < 8; ++turn) {
    CopyEvidence known = evidence_of(turned(picture, turn));
    known.turned_pdq.clear();
    EXPECT_TRUE(are_turned_copies(fresh, turn, known)) << turn;
    EXPECT_FALSE(are_turned_copies(fresh, turn % 7 + 1, known)) << turn;
    EXPECT_FALSE(are_turned_copies(known, turn, fresh)) << "what is not known";
    CopyFinder finder;
    finder.add(1, known);
    const auto found = finder.copies_of(fresh);
    ASSERT_EQ(found.size(), 1U) << turn;
    EXPECT_EQ(found[0].turn, turn);
    EXPECT_TRUE(describe(found[0]).starts_with(kWords[turn])) << describe(found[0]);
    CopyEvidence other = known;
    other.colours->at(4) = {0, 200, 0}, other.colours->at(5) = {0, 200, 0};
    EXPECT_FALSE(are_turned_copies(fresh, turn, other)) << "another colour";
    other = known;
    other.size = {1'000, 100};
    EXPECT_FALSE(are_turned_copies(fresh, turn, other)) << "another shape";
  }
}

TEST(CopyFinder, FindsWhatTheRuleFindsNearestFirst) {
  CopyFinder finder;
  finder.add(1, further(60));
  finder.add(2, further(20));
  finder.add(3, further(10));
  finder.add(4, further(10));
  CopyEvidence plain = further(200);
  plain.hashes.pdq_quality = 10;
  finder.add(5, plain);
  std::vector<std::uint64_t> found;
  for (const Copy& copy : finder.copies_of(evidence())) found.push_back(copy.image);
  EXPECT_EQ(found, (std::vector<std::uint64_t>{3, 4, 2, 5}));
  EXPECT_EQ(finder.nearest_copy(evidence())->image, 3u);
  EXPECT_FALSE(CopyFinder().nearest_copy(evidence()));
}

}  // namespace
}  // namespace magpie::analyse
