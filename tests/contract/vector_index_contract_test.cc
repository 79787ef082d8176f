// What core/vector_index.h promises, held against every implementation that is available.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <set>

#include "contract_folder.h"
#include "core/vector_index.h"
#include "embedded/index.h"
#include "vec/dot.h"
#include "vec/quantise.h"

namespace magpie {
namespace {

Embedding random_vector(std::size_t dims, std::mt19937& random) {
  std::normal_distribution<float> normal;
  Embedding vector(dims);
  for (float& value : vector) value = normal(random);
  EXPECT_TRUE(vec::normalise(vector));
  return vector;
}

class VectorIndexContract : public ::testing::Test {
 protected:
  void SetUp() override { open({}); }
  void open(embedded::IndexOptions options) {
    index_.reset();
    auto opened = embedded::open_index(folder_.path(), std::move(options));
    ASSERT_TRUE(opened) << opened.error().message;
    index_ = std::move(*opened);
  }
  VectorIndex& index() { return index_->vectors(); }
  std::shared_ptr<const VectorSnapshot> snapshot() { return *index().snapshot(); }
  std::vector<ImageId> search(const VectorQuery& query) {
    auto matches = snapshot()->search(query);
    EXPECT_TRUE(matches) << matches.error().message;
    std::vector<ImageId> ids;
    for (const SimilarId& hit : matches->hits) ids.push_back(hit.id);
    return ids;
  }

  ContractFolder folder_;
  std::unique_ptr<embedded::Index> index_;
};

using Ids = std::vector<ImageId>;
const Embedding kEast{1, 0, 0}, kNorth{0, 1, 0}, kNorthEast{0.8F, 0.6F, 0};

TEST_F(VectorIndexContract, AnEmptyIndexHasNoHits) {
  EXPECT_EQ(search({.vector = kEast}), Ids{});
  EXPECT_EQ(snapshot()->dims(), 0U);
  EXPECT_FALSE(*snapshot()->embedding(1));
}

TEST_F(VectorIndexContract, CommittedVectorsSurviveReopening) {
  ASSERT_TRUE(index().add(7, kEast));
  EXPECT_EQ(search({.vector = kEast}), Ids{});
  ASSERT_TRUE(index().commit());
  open({});
  EXPECT_EQ(search({.vector = kEast}), Ids{7});
  EXPECT_EQ(snapshot()->size(), 1U);
  EXPECT_EQ(snapshot()->dims(), 3U);
  EXPECT_EQ(**snapshot()->embedding(7), kEast);
}

TEST_F(VectorIndexContract, NearestComeFirstWithinKBoundaryAndAllowed) {
  ASSERT_TRUE(index().add(1, kNorth));
  ASSERT_TRUE(index().add(2, kNorthEast));
  ASSERT_TRUE(index().commit());
  ASSERT_TRUE(index().add(3, kEast));
  ASSERT_TRUE(index().commit());
  EXPECT_EQ(search({.vector = kEast}), (Ids{3, 2, 1}));
  EXPECT_EQ(search({.vector = kEast, .k = 2}), (Ids{3, 2}));
  EXPECT_EQ(search({.vector = kEast, .k = kAllSimilar, .min_similarity = 0.5F}), (Ids{3, 2}));
  IdSet allowed;
  allowed.add(1);
  allowed.add(2);
  EXPECT_EQ(search({.vector = kEast, .k = 1, .allowed = &allowed}), Ids{2});
}

TEST_F(VectorIndexContract, EqualSimilaritiesGoById) {
  for (const ImageId id : {5U, 3U, 9U}) ASSERT_TRUE(index().add(id, kEast));
  ASSERT_TRUE(index().commit());
  EXPECT_EQ(search({.vector = kEast, .k = 2}), (Ids{3, 5}));
}

TEST_F(VectorIndexContract, ReplacingAndRemoving) {
  ASSERT_TRUE(index().add(1, kEast));
  ASSERT_TRUE(index().add(2, kEast));
  ASSERT_TRUE(index().commit());
  ASSERT_TRUE(index().add(1, kNorth));
  ASSERT_TRUE(index().remove(2));
  ASSERT_TRUE(index().commit());
  EXPECT_EQ(search({.vector = kNorth}), Ids{1});
  EXPECT_EQ(**snapshot()->embedding(1), kNorth);
  EXPECT_FALSE(*snapshot()->embedding(2));
}

TEST_F(VectorIndexContract, VectorsAreNormalised) {
  ASSERT_TRUE(index().add(1, Embedding{3, 4, 0}));
  ASSERT_TRUE(index().commit());
  EXPECT_NEAR(snapshot()->search({.vector = kEast})->hits.at(0).similarity, 0.6F, 1e-6);
}

TEST_F(VectorIndexContract, WrongVectorsAreRefused) {
  EXPECT_EQ(index().add(kNoId, kEast).error().code, Code::kBadInput);
  EXPECT_EQ(index().add(1, Embedding{0, 0, 0}).error().code, Code::kBadInput);
  EXPECT_EQ(index().add(1, Embedding{1, NAN, 0}).error().code, Code::kBadInput);
  EXPECT_EQ(index().add(1, Embedding{}).error().code, Code::kBadInput);
  EXPECT_EQ(index().add(1, Embedding(kVectorDimsMax + 1, 1.0F)).error().code, Code::kBadInput);
  ASSERT_TRUE(index().add(1, kEast));
  EXPECT_EQ(index().add(2, Embedding{1, 0}).error().code, Code::kBadInput);
  ASSERT_TRUE(index().commit());
  EXPECT_EQ(snapshot()->search({.vector = Embedding{1, 0}}).error().code, Code::kBadInput);
}

TEST_F(VectorIndexContract, AnswersAreThoseOfAFullComparison) {
  std::mt19937 random(11);
  for (const std::size_t dims : {5U, 64U, 200U}) {
    ContractFolder own;
    auto opened = embedded::open_index(own.path());
    ASSERT_TRUE(opened);
    std::vector<Embedding> vectors{{}};
    for (ImageId id = 1; id <= 3'600; ++id) {
      vectors.push_back(random_vector(dims, random));
      ASSERT_TRUE((*opened)->vectors().add(id, vectors.back()));
      if (id == 2'600 || id == 3'300) { ASSERT_TRUE((*opened)->vectors().commit()); }  // a large part and small ones
    }
    ASSERT_TRUE((*opened)->vectors().commit());
    const auto view = *(*opened)->vectors().snapshot();
    for (int round = 0; round < 10; ++round) {
      const Embedding query = random_vector(dims, random);
      std::vector<std::pair<double, ImageId>> expected;
      for (ImageId id = 1; id < vectors.size(); ++id) expected.emplace_back(vec::dot(query, vectors[id]), id);
      std::sort(expected.begin(), expected.end(), std::greater<>());
      const auto nearest = view->search({.vector = query, .k = 20});
      ASSERT_EQ(nearest->hits.size(), 20U);
      for (std::size_t i = 0; i < 20; ++i) EXPECT_NEAR(nearest->hits[i].similarity, expected[i].first, 1e-5);
      const auto unranked = view->search({.vector = query, .k = 20, .ranked = false});
      ASSERT_EQ(unranked->hits.size(), 20U);
      for (const SimilarId& hit : unranked->hits) EXPECT_GT(vec::dot(query, vectors[hit.id]), expected[19].first - 0.01);
      const float cut = static_cast<float>(expected[1'500].first + expected[1'501].first) / 2;
      const auto all = view->search({.vector = query, .k = kAllSimilar, .min_similarity = cut});
      EXPECT_EQ(all->hits.size(), 1'501U);
      EXPECT_TRUE(all->complete);
      for (const unsigned one_in : {1U, 10U, 100U, 1'000U}) {
        IdSet allowed(static_cast<ImageId>(vectors.size()));
        for (ImageId id = 1; id < vectors.size(); id += one_in) allowed.add(id);
        std::vector<double> best;
        for (const auto& [similarity, id] : expected) {
          if (best.size() < 10 && allowed.contains(id)) best.push_back(similarity);
        }
        const auto filtered = view->search({.vector = query, .k = 10, .allowed = &allowed});
        ASSERT_EQ(filtered->hits.size(), best.size());
        for (std::size_t i = 0; i < best.size(); ++i) EXPECT_NEAR(filtered->hits[i].similarity, best[i], 1e-5) << one_in;
      }
    }
  }
}

/// One vector of a picture, as a test keeps it.
struct Kept {
  ImageId id = kNoId;
  std::uint16_t region = 0;
  std::string region_class;
  Embedding vector;
};

bool is_within(const Kept& kept, const VectorScope& scope) {
  if (scope.part == VectorPart::kWhole) return kept.region == 0;
  if (scope.part == VectorPart::kRegion) return kept.region != 0 && (scope.region_class.empty() || kept.region_class == scope.region_class);
  return true;
}

/// Each picture's best vector, best picture first.
std::vector<SimilarId> compare_all(const std::vector<Kept>& all, const Embedding& query, const VectorScope& scope, const IdSet* allowed) {
  std::map<ImageId, SimilarId> best;
  for (const Kept& kept : all) {
    if (!is_within(kept, scope) || (allowed != nullptr && !allowed->contains(kept.id))) continue;
    const auto similarity = static_cast<float>(vec::dot(query, kept.vector));
    const auto [known, added] = best.try_emplace(kept.id, SimilarId{kept.id, similarity, kept.region});
    if (!added && similarity > known->second.similarity) known->second = {kept.id, similarity, kept.region};
  }
  std::vector<SimilarId> hits;
  for (const auto& [id, hit] : best) hits.push_back(hit);
  std::sort(hits.begin(), hits.end(), [](const SimilarId& a, const SimilarId& b) { return a.similarity > b.similarity; });
  return hits;
}

std::vector<PictureVector> views(std::span<const Kept> kept) {
  std::vector<PictureVector> vectors;
  for (const Kept& one : kept) vectors.push_back({one.vector, one.region, one.region_class});
  return vectors;
}

void expect_same(const std::vector<SimilarId>& found, std::span<const SimilarId> expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    EXPECT_EQ(found[i].id, expected[i].id) << i;
    EXPECT_EQ(found[i].region, expected[i].region) << i;
    EXPECT_NEAR(found[i].similarity, expected[i].similarity, 1e-5) << i;
  }
}

// Pictures with none to five regions, or regions alone; some are replaced and removed in later commits, and all is merged in the end.
TEST_F(VectorIndexContract, RegionsAnswerAsAFullComparisonDoes) {
  std::mt19937 random(12);
  const std::vector<std::string> classes{"", "dress", "shoe", "bag"};
  const auto draw = [&](ImageId id) {
    std::vector<Kept> kept;
    if (random() % 10 != 0) kept.push_back({id, 0, "", random_vector(48, random)});
    for (std::uint16_t region = static_cast<std::uint16_t>(random() % 6); region > 0; --region) {
      kept.push_back({id, region, classes[random() % classes.size()], random_vector(48, random)});
      // Regions of one picture are alike, so that one picture has many of the best rows.
      for (std::size_t i = 0; i < 48; ++i) kept.back().vector[i] += 2 * kept.front().vector[i];
      EXPECT_TRUE(vec::normalise(kept.back().vector));
    }
    if (kept.empty()) kept.push_back({id, 9, "dress", random_vector(48, random)});
    return kept;
  };
  std::map<ImageId, std::vector<Kept>> pictures;
  const auto put = [&](ImageId id) {
    pictures[id] = draw(id);
    ASSERT_TRUE(index().add(id, views(pictures[id])));
  };
  for (ImageId id = 1; id <= 2'000; ++id) put(id);
  ASSERT_TRUE(index().commit());
  for (ImageId id = 1; id <= 2'300; id += 1 + static_cast<ImageId>(random() % 8)) put(id);
  for (ImageId id = 5; id <= 2'000; id += 50) {
    ASSERT_TRUE(index().remove(id));
    pictures.erase(id);
  }
  ASSERT_TRUE(index().commit());
  for (const bool merged : {false, true}) {
    if (merged) {
      ASSERT_TRUE(index_->merge_all());
      open({});
    }
    std::vector<Kept> all;
    for (const auto& [id, kept] : pictures) all.insert(all.end(), kept.begin(), kept.end());
    EXPECT_EQ(snapshot()->size(), all.size());
    for (const Kept& one : {all.front(), all[77], all.back()}) {
      const auto stored = *snapshot()->embedding(one.id, one.region);
      ASSERT_TRUE(stored);
      EXPECT_NEAR(vec::dot(*stored, one.vector), 1, 1e-5);
    }
    EXPECT_FALSE(*snapshot()->embedding(all.front().id, 200));
    IdSet allowed;
    for (ImageId id = 3; id <= 2'300; id += 7) allowed.add(id);
    const std::vector<VectorScope> scopes{{},
                                          {VectorPart::kWhole, ""},
                                          {VectorPart::kRegion, ""},
                                          {VectorPart::kRegion, "dress"},
                                          {VectorPart::kRegion, "bag"},
                                          {VectorPart::kRegion, "lamp"}};
    for (int round = 0; round < 10; ++round) {
      Embedding query = random_vector(48, random);
      if (round % 2 == 0) query = all[random() % all.size()].vector;
      for (const VectorScope& scope : scopes) {
        for (const IdSet* among : {static_cast<const IdSet*>(nullptr), static_cast<const IdSet*>(&allowed)}) {
          const std::vector<SimilarId> expected = compare_all(all, query, scope, among);
          const auto nearest = snapshot()->search({.vector = query, .k = 15, .allowed = among, .scope = scope});
          ASSERT_TRUE(nearest);
          expect_same(nearest->hits, std::span(expected).first(std::min<std::size_t>(15, expected.size())));
          if (expected.size() < 200) continue;
          const float cut = (expected[150].similarity + expected[151].similarity) / 2;
          const auto similar =
              snapshot()->search({.vector = query, .k = kAllSimilar, .allowed = among, .min_similarity = cut, .scope = scope});
          ASSERT_TRUE(similar);
          expect_same(similar->hits, std::span(expected).first(151));
        }
      }
    }
  }
}

/// Clusters of look-alikes: what graphs are for.
std::vector<Embedding> clustered_vectors(std::size_t count, std::size_t dims, std::mt19937& random) {
  std::vector<Embedding> vectors, centres;
  for (std::size_t i = 0; i < count / 100; ++i) centres.push_back(random_vector(dims, random));
  for (std::size_t i = 0; i < count; ++i) {
    Embedding vector = random_vector(dims, random);
    const Embedding& centre = centres[random() % centres.size()];
    for (std::size_t j = 0; j < dims; ++j) vector[j] += 1.2F * centre[j];
    EXPECT_TRUE(vec::normalise(vector));
    vectors.push_back(std::move(vector));
  }
  return vectors;
}

// Filters from all to one in a thousand, anywhere, near the query and far from it: the approximate search finds 95 % of what the exact one
// finds, whatever plan it takes.
TEST_F(VectorIndexContract, AnApproximateSearchLosesNothingToAFilter) {
  open({.merge_in_background = false, .graph_vectors_min = 3'000});
  std::mt19937 random(13);
  constexpr ImageId kCount = 12'000;
  const std::vector<Embedding> vectors = clustered_vectors(kCount, 64, random);
  for (ImageId id = 1; id <= kCount; ++id) ASSERT_TRUE(index().add(id, vectors[id - 1]));
  ASSERT_TRUE(index().commit());
  for (ImageId id = 10; id <= kCount; id += 10) ASSERT_TRUE(index().remove(id));
  ASSERT_TRUE(index().commit());
  std::set<VectorPlan> plans;
  for (const std::size_t one_in : {1U, 2U, 4U, 10U, 100U, 1'000U}) {
    for (const char* where : {"anywhere", "near", "far"}) {
      double found = 0, wanted = 0;
      for (int round = 0; round < 20; ++round) {
        const Embedding& query = vectors[random() % vectors.size()];
        const auto all = snapshot()->search({.vector = query, .k = kAllSimilar});
        ASSERT_TRUE(all);
        IdSet allowed, larger(kCount * 2);
        for (std::size_t rank = 0; rank < all->hits.size(); ++rank) {
          const bool anywhere = random() % one_in == 0;
          const bool near = rank < all->hits.size() / one_in, far = rank >= all->hits.size() - all->hits.size() / one_in;
          if (*where == 'a' ? anywhere : *where == 'n' ? near : far) allowed.add(all->hits[rank].id), larger.add(all->hits[rank].id);
        }
        const auto exact = snapshot()->search({.vector = query, .k = 10, .allowed = &allowed});
        const auto fast = snapshot()->search({.vector = query, .k = 10, .allowed = &allowed, .exact = false});
        const auto same = snapshot()->search({.vector = query, .k = 10, .allowed = &larger, .exact = false});
        ASSERT_TRUE(exact && fast && same);
        EXPECT_TRUE(exact->complete);
        EXPECT_EQ(fast->complete, fast->plan == VectorPlan::kScan);
        plans.insert(fast->plan);
        if (*where == 'f' && one_in > 1) { EXPECT_EQ(fast->plan, VectorPlan::kScan) << "nothing near the query passes"; }
        expect_same(same->hits, fast->hits);  // one filter, written in another way
        EXPECT_LE(fast->hits.size(), exact->hits.size());
        for (const SimilarId& hit : exact->hits) {
          wanted += 1;
          found += std::ranges::any_of(fast->hits, [&](const SimilarId& one) { return one.id == hit.id; }) ? 1 : 0;
        }
      }
      EXPECT_GE(found, 0.95 * wanted) << "one in " << one_in << " " << where;
    }
  }
  EXPECT_EQ(plans.size(), 2U);
}

TEST_F(VectorIndexContract, AnApproximateSearchKnowsRegionsToo) {
  open({.merge_in_background = false, .graph_vectors_min = 3'000});
  std::mt19937 random(14);
  const std::vector<Embedding> vectors = clustered_vectors(16'000, 48, random);
  for (ImageId id = 1; id <= 4'000; ++id) {
    const auto* own = &vectors[(id - 1) * 4];
    ASSERT_TRUE(
        index().add(id, std::vector<PictureVector>{{own[0], 0, ""}, {own[1], 1, "dress"}, {own[2], 2, "shoe"}, {own[3], 3, "shoe"}}));
  }
  ASSERT_TRUE(index().commit());
  for (const VectorScope& scope : {VectorScope{}, VectorScope{VectorPart::kWhole, ""}, VectorScope{VectorPart::kRegion, "shoe"}}) {
    double found = 0;
    for (int round = 0; round < 30; ++round) {
      const Embedding& query = vectors[random() % vectors.size()];
      const auto exact = snapshot()->search({.vector = query, .k = 10, .scope = scope});
      const auto fast = snapshot()->search({.vector = query, .k = 10, .scope = scope, .exact = false});
      ASSERT_TRUE(exact && fast);
      ASSERT_EQ(fast->hits.size(), 10U);
      for (const SimilarId& hit : exact->hits) {
        found +=
            std::ranges::any_of(fast->hits, [&](const SimilarId& one) { return one.id == hit.id && one.region == hit.region; }) ? 1 : 0;
      }
    }
    EXPECT_GE(found / 300, 0.95);
  }
}

TEST_F(VectorIndexContract, BackgroundIsTheMeanOfTheScope) {
  const std::vector<PictureVector> first{{kEast, 0, ""}, {kNorth, 1, "dress"}}, second{{kEast, 0, ""}, {kNorthEast, 1, "shoe"}};
  ASSERT_TRUE(index().add(1, first));
  ASSERT_TRUE(index().add(2, second));
  ASSERT_TRUE(index().commit());
  const auto background = [&](VectorPart part, const std::string& region_class) {
    return snapshot()->background(kEast, {part, region_class})->mean;
  };
  EXPECT_NEAR(background(VectorPart::kAny, ""), 0.7F, 0.01F);
  EXPECT_NEAR(background(VectorPart::kWhole, ""), 1, 0.01F);
  EXPECT_NEAR(background(VectorPart::kRegion, ""), 0.4F, 0.01F);
  EXPECT_NEAR(background(VectorPart::kRegion, "shoe"), 0.8F, 0.01F);
  EXPECT_EQ(background(VectorPart::kRegion, "bag"), 0);
  EXPECT_LT(snapshot()->background(kEast, {VectorPart::kRegion, "shoe"})->vectors, snapshot()->background(kEast, {})->vectors);
}

TEST_F(VectorIndexContract, WrongRegionsAreRefused) {
  const auto code = [&](std::vector<PictureVector> vectors) { return index().add(1, vectors).error().code; };
  EXPECT_EQ(code({}), Code::kBadInput);
  EXPECT_EQ(code({{kEast, 1, "dress"}, {kNorth, 1, "shoe"}}), Code::kBadInput);
  EXPECT_EQ(code({{kEast, 0, "dress"}}), Code::kBadInput);
  EXPECT_EQ(code({{kEast, 1, std::string(kRegionClassBytesMax + 1, 'x')}}), Code::kBadInput);
  const Embedding flat{1, 0};
  EXPECT_EQ(code({{kEast, 0, ""}, {flat, 1, ""}}), Code::kBadInput);
  const std::string longest(kRegionClassBytesMax, 'x');
  EXPECT_TRUE(index().add(1, std::vector<PictureVector>{{kEast, 65'535, longest}}));
  EXPECT_EQ(index().add(1, std::vector<PictureVector>(kPictureVectorsMax + 1, {kEast, 0, ""})).error().code, Code::kBadInput);
}

TEST_F(VectorIndexContract, AnotherModelsVectorsAreNotMixedIn) {
  open({.vector_space = "lite0-1"});
  ASSERT_TRUE(index().add(1, kEast));
  ASSERT_TRUE(index().commit());
  index_.reset();
  const auto other = embedded::open_index(folder_.path(), {.vector_space = "lite2-1"});
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, Code::kBadInput);
}

}  // namespace
}  // namespace magpie
