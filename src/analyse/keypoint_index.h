#pragma once
// Which known pictures share keypoints with a new one, and which map between the two most of these agree on.
// A descriptor is looked up by eight parts of it, of kKeyBits each: those of one point in two copies differ in about a tenth of their 256
// bits, so that three in four have a part in common, while of unrelated ones next to none do.
#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "image/keypoints.h"
#include "image/overlap.h"

namespace magpie::analyse {

struct KeypointMatch {
  std::uint32_t query = 0, known = 0;  // which of each picture's keypoints
};

/// Pairs of keypoints that a new picture, or the new one mirrored, shares with a known one.
struct SharedKeypoints {
  std::uint32_t picture = 0;
  bool mirrored = false;
  float score = 0;  // matches, those that many pictures have counting less
  std::vector<KeypointMatch> matches;
};

/// About 70 bytes a keypoint. Not thread-safe: one owner.
class KeypointIndex {
 public:
  KeypointIndex();

  /// `picture`: at least that of the call before.
  void add(std::uint32_t picture, const std::vector<image::Keypoint>& keypoints);
  /// Pictures that share at least kMatchesMin keypoints with the new one, the highest score first.
  std::vector<SharedKeypoints> sharing(const std::vector<image::Keypoint>& query) const;

  static constexpr std::size_t kMatchesMin = 6;

 private:
  static constexpr std::size_t kTables = 8;
  static constexpr std::size_t kKeyBits = 21;
  static constexpr std::uint32_t kNone = ~0U;

  struct Owner {
    std::uint32_t picture, keypoint;
  };
  class Votes;
  static std::size_t key_of(const image::Descriptor& descriptor, std::size_t table);
  void near(const image::Descriptor& descriptor, std::vector<std::uint32_t>& found) const;

  std::vector<image::Descriptor> descriptors_;
  std::vector<Owner> owners_;                                // of each descriptor
  std::array<std::vector<std::uint32_t>, kTables> heads_;    // by key: the last descriptor that has it
  std::array<std::vector<std::uint32_t>, kTables> earlier_;  // by descriptor: the one before it with the same key
};

/// The same of two pictures alone, each compared with each: at most one of the picture as it is and one of its mirror. `score` is the
/// number of matches.
std::vector<SharedKeypoints> shared_between(const std::vector<image::Keypoint>& query, const std::vector<image::Keypoint>& known);

struct MapGuess {
  image::AffineMap map;  // from the query to the known picture
  std::size_t inliers = 0;
};
/// The map that most of the matches agree on in place, scale and direction; nullopt if fewer than `inliers_min` do.
std::optional<MapGuess> guess_map(const std::vector<image::Keypoint>& query, const std::vector<image::Keypoint>& known,
                                  const SharedKeypoints& shared, std::size_t inliers_min);

}  // namespace magpie::analyse
