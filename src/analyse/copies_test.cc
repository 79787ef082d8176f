#include "analyse/copies.h"

#include <gtest/gtest.h>

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

TEST(Copies, MirroredOnesAreFoundByTheMirroredPdqAndColours) {
  CopyEvidence known = further(120), fresh = evidence();
  fresh.mirrored_pdq = known.hashes.pdq;
  fresh.mirrored_pdq->words[0] ^= 0xFF;
  known.colours->at(4) = fresh.colours->at(7) = {200, 0, 0};
  EXPECT_TRUE(are_mirrored_copies(fresh, known));
  CopyFinder finder;
  finder.add(1, known);
  ASSERT_EQ(finder.copies_of(fresh).size(), 1U);
  EXPECT_TRUE(finder.copies_of(fresh)[0].mirrored);
  EXPECT_EQ(finder.copies_of(fresh)[0].pdq_bits, 8);
  CopyEvidence other = fresh;
  other.colours->at(4) = {0, 200, 0};
  EXPECT_FALSE(are_mirrored_copies(other, known)) << "another colour";
  other = fresh;
  other.mirrored_pdq.reset();
  EXPECT_FALSE(are_mirrored_copies(other, known)) << "what is not known";
  other = fresh;
  other.size = {300, 400};
  EXPECT_FALSE(are_mirrored_copies(other, known)) << "another shape";
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
