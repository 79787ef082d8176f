// What core/vector_index.h promises, held against every implementation that is available.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

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
