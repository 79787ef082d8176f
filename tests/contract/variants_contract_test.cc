// What every VariantStore promises.
#include <gtest/gtest.h>

#include <functional>

#include "contract_folder.h"
#include "embedded/variants.h"

namespace magpie {
namespace {

struct VariantBackend {
  std::string name;
  std::function<Result<std::unique_ptr<VariantStore>>(const fs::path& folder)> open;
  std::function<fs::path(const fs::path& folder)> only_file;
};

class VariantContract : public testing::TestWithParam<VariantBackend> {
 protected:
  std::unique_ptr<VariantStore> open() {
    auto store = GetParam().open(folder_.path());
    EXPECT_TRUE(store) << store.error().message;
    return std::move(*store);
  }
  ContractFolder folder_;
};

TEST_P(VariantContract, BytesComeBackAlsoAfterReopening) {
  std::vector<VariantPlace> places;
  for (int round = 0; round < 4; ++round)
    places.push_back(*open()->put(std::string(static_cast<std::size_t>(round) * 1'000 + 1, static_cast<char>(round))));
  const auto store = open();
  for (std::size_t round = 0; round < 4; ++round)
    EXPECT_EQ(*store->get(places[round]), std::string(round * 1'000 + 1, static_cast<char>(round)));
}

TEST_P(VariantContract, WrongPlacesAreErrors) {
  const auto store = open();
  const VariantPlace place = *store->put("thumbnail");
  EXPECT_EQ(store->get({}).error().code, Code::kNotFound);
  EXPECT_EQ(store->get({.file = 9, .offset = 16, .length = 9}).error().code, Code::kNotFound);
  for (const VariantPlace& wrong :
       {VariantPlace{place.file, place.offset + 1, place.length}, VariantPlace{place.file, place.offset, place.length - 1},
        VariantPlace{place.file, place.offset, place.length + 1}, VariantPlace{place.file, 0, 1}}) {
    EXPECT_EQ(store->get(wrong).error().code, Code::kCorrupt);
  }
  EXPECT_EQ(store->put("").error().code, Code::kBadInput);
}

TEST_P(VariantContract, ACrashAtAnyByteOfTheLastBlobCostsThatBlobOnly) {
  VariantPlace first, second, last;
  {
    const auto store = open();
    first = *store->put("one");
    second = *store->put("two");
    last = *store->put("three");
  }
  const fs::path file = GetParam().only_file(folder_.path());
  const std::string whole = *read_file(file);
  ASSERT_EQ(last.offset + last.length, whole.size());
  for (std::uint64_t size = second.offset + second.length; size < whole.size(); ++size) {
    overwrite(file, std::string_view(whole).substr(0, size));
    const auto store = open();
    EXPECT_EQ(*store->get(first), "one") << size;
    EXPECT_EQ(*store->get(second), "two") << size;
    EXPECT_FALSE(store->get(last)) << size;
    EXPECT_EQ(*store->get(*store->put("again")), "again") << size;
  }
}

TEST_P(VariantContract, ASpoiltByteIsNoticed) {
  const VariantPlace place = *open()->put("thumbnail");
  const fs::path file = GetParam().only_file(folder_.path());
  const std::string whole = *read_file(file);
  ASSERT_TRUE(open()->put("another behind it"));
  const std::string longer = *read_file(file);
  for (std::uint64_t at = place.offset; at < place.offset + place.length; ++at) {
    std::string spoilt = longer;
    spoilt[at] = static_cast<char>(spoilt[at] ^ 1);
    overwrite(file, spoilt);
    EXPECT_EQ(open()->get(place).error().code, Code::kCorrupt) << at;
  }
}

struct FollowedMoves final : FileMoves {
  Result<void> begins(std::uint32_t, std::uint32_t) override { return {}; }
  Result<void> moved(std::uint32_t, std::uint32_t, const std::vector<MovedPlace>& places) override {
    moves.insert(moves.end(), places.begin(), places.end());
    return {};
  }
  std::vector<MovedPlace> moves;
};

TEST_P(VariantContract, RewritingLeavesOutWhatIsNotKeptAndMovesTheRest) {
  auto store = open();
  const VariantPlace first = *store->put("first"), gone = *store->put("gone for good"), last = *store->put("last");
  const auto keeps = [&](const VariantPlace& place) { return place != gone; };
  EXPECT_EQ((*store->rewrite(keeps, nullptr)).removed, 1u);
  EXPECT_EQ(*store->get(gone), "gone for good");
  FollowedMoves moves;
  const auto done = store->rewrite(keeps, &moves);
  ASSERT_TRUE(done) << done.error().message;
  ASSERT_EQ(moves.moves.size(), 2u);
  EXPECT_EQ(moves.moves[0].from, first);
  EXPECT_EQ(moves.moves[1].from, last);
  EXPECT_EQ(store->get(gone).error().code, Code::kNotFound);
  const VariantPlace next = *store->put("next");
  store = open();  // its files are numbered with a gap now
  EXPECT_EQ(*store->get(moves.moves[0].to), "first");
  EXPECT_EQ(*store->get(moves.moves[1].to), "last");
  EXPECT_EQ(*store->get(next), "next");
  EXPECT_EQ(*store->get(*store->put("behind all")), "behind all");
}

INSTANTIATE_TEST_SUITE_P(Backends, VariantContract,
                         testing::Values(VariantBackend{"embedded", [](const fs::path& folder) { return open_variant_store(folder); },
                                                        [](const fs::path& folder) { return folder / "variants-000001.pack"; }}),
                         [](const auto& backend) { return backend.param.name; });

}  // namespace
}  // namespace magpie
