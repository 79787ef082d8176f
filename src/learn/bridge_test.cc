#include "learn/bridge.h"

#include <gtest/gtest.h>

#include <random>

#include "learn/train_bridge.h"
#include "vec/dot.h"
#include "vec/quantise.h"

namespace magpie::learn {
namespace {

constexpr std::size_t kTextDims = 40, kPictureDims = 100, kThings = 400;

Embedding random_vector(std::mt19937& random, std::size_t dims) {
  std::normal_distribution<float> normal;
  Embedding vector(dims);
  for (float& value : vector) value = normal(random);
  vec::normalise(vector);
  return vector;
}

/// Things have a few traits. A text's vector and a picture's are two linear views of them, so that one can be learnt from the other.
class World {
 public:
  explicit World(unsigned seed) : random_(seed) {
    for (std::size_t i = 0; i < kTraits; ++i) {
      text_of_.push_back(random_vector(random_, kTextDims));
      picture_of_.push_back(random_vector(random_, kPictureDims));
    }
  }
  void add_thing(Lessons& lessons, bool held_back) {
    std::normal_distribution<float> normal;
    Embedding text(kTextDims, 0), picture(kPictureDims, 0);
    for (std::size_t trait = 0; trait < kTraits; ++trait) {
      const float much = normal(random_);
      for (std::size_t i = 0; i < kTextDims; ++i) text[i] += much * text_of_[trait][i];
      for (std::size_t i = 0; i < kPictureDims; ++i) picture[i] += much * picture_of_[trait][i];
    }
    vec::normalise(text);
    vec::normalise(picture);
    lessons.said.push_back({static_cast<std::uint32_t>(lessons.pictures.size())});
    lessons.texts.push_back(std::move(text));
    lessons.pictures.push_back(std::move(picture));
    lessons.held_back.push_back(held_back);
  }
  Embedding nonsense() { return random_vector(random_, kTextDims); }

 private:
  static constexpr std::size_t kTraits = 8;
  std::mt19937 random_;
  std::vector<Embedding> text_of_, picture_of_;
};

Lessons lessons_of(World& world, std::size_t things = kThings) {
  Lessons lessons;
  for (std::size_t i = 0; i < things; ++i) world.add_thing(lessons, i % 10 == 0);
  for (int i = 0; i < 100; ++i) lessons.nonsense.push_back(world.nonsense());
  return lessons;
}

TEST(Bridge, LeadsFromTextsItHasNotSeenToTheirPictures) {
  World world(7);
  const auto bridge = train_bridge(lessons_of(world));
  ASSERT_TRUE(bridge) << bridge.error().message;
  EXPECT_EQ(bridge->facts().pairs, kThings);
  EXPECT_EQ(bridge->facts().held_back, kThings / 10);
  EXPECT_EQ(bridge->facts().pool, kThings / 10);
  EXPECT_GT(bridge->facts().recall, 0.9);  // 0.25 by chance
  Lessons news;
  world.add_thing(news, false);
  const auto place = bridge->place(news.texts[0]);
  ASSERT_TRUE(place && *place);
  EXPECT_GT(vec::dot((*place)->vector, news.pictures[0]), 0.7);
}

TEST(Bridge, WhatHasNothingToDoWithOneAnotherIsNotFound) {
  World world(7);
  Lessons lessons = lessons_of(world);
  std::mt19937 random(1);
  for (Embedding& picture : lessons.pictures) picture = random_vector(random, kPictureDims);
  const auto bridge = train_bridge(lessons);
  ASSERT_TRUE(bridge);
  EXPECT_LT(bridge->facts().recall, 0.5);
}

TEST(Bridge, NonsenseLiesNowhere) {
  World world(3);
  const auto bridge = train_bridge(lessons_of(world));
  ASSERT_TRUE(bridge);
  int placed = 0;
  for (int i = 0; i < 200; ++i) {
    const auto place = bridge->place(world.nonsense());
    ASSERT_TRUE(place);
    placed += *place ? 1 : 0;
  }
  EXPECT_LT(placed, 40);  // one in twenty is let pass
  EXPECT_EQ(bridge->place(Embedding(3, 0.5F)).error().code, Code::kBadInput);
}

TEST(Bridge, OfManyPicturesWithOneTextTheirMeanIsMeant) {
  World world(5);
  Lessons lessons = lessons_of(world);
  const auto before = train_bridge(lessons);
  // The first text is said of every picture that was left out, too.
  for (std::uint32_t i = 0; i < kThings; i += 10) lessons.said[0].push_back(i);
  const auto after = train_bridge(lessons);
  ASSERT_TRUE(before && after);
  EXPECT_NE(before->guess(lessons.texts[0]).vector, after->guess(lessons.texts[0]).vector);
  EXPECT_EQ(after->facts().pairs, kThings);
}

TEST(Bridge, TooFewPairsAreNone) {
  World world(5);
  const auto bridge = train_bridge(lessons_of(world, kPairsMin - 1));
  ASSERT_FALSE(bridge);
  EXPECT_EQ(bridge.error().code, Code::kNotFound);
}

TEST(Bridge, LearningEndsWhenItIsStopped) {
  World world(5);
  std::stop_source stop;
  stop.request_stop();
  const auto bridge = train_bridge(lessons_of(world), stop.get_token());
  ASSERT_FALSE(bridge);
  EXPECT_EQ(bridge.error().code, Code::kCancelled);
}

TEST(Bridge, IsOnDiskWhatItIsInMemory) {
  World world(9);
  const Lessons lessons = lessons_of(world);
  const auto bridge = train_bridge(lessons);
  ASSERT_TRUE(bridge);
  const std::string bytes = bridge->encode();
  const auto read = Bridge::decode(bytes);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->guess(lessons.texts[3]).vector, bridge->guess(lessons.texts[3]).vector);
  EXPECT_EQ(read->facts().recall, bridge->facts().recall);
  EXPECT_EQ(read->encode(), bytes);
}

TEST(Bridge, DamageIsSeen) {
  World world(9);
  const std::string bytes = train_bridge(lessons_of(world))->encode();
  for (std::size_t at = 0; at < bytes.size(); at += 1 + bytes.size() / 300) {
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
    EXPECT_EQ(Bridge::decode(damaged).error().code, Code::kCorrupt) << at;
    EXPECT_EQ(Bridge::decode(std::string_view(bytes).substr(0, at)).error().code, Code::kCorrupt) << at;
  }
}

}  // namespace
}  // namespace magpie::learn
