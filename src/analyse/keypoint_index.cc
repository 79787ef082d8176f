#include "analyse/keypoint_index.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "image/wide.h"

namespace magpie::analyse {
namespace {

constexpr int kMatchBitsMax = 52;        // of 256: random descriptors are 128 apart, and hardly ever under 80
constexpr std::uint32_t kChainMax = 16;  // with one key: it says nothing, and costs the more
constexpr std::size_t kGuessesMax = 48;  // matches that are asked which map they would give
constexpr double kCoarse = 0.06;         // longer sides that a match may be off while the map is of one match only

// Both steps of a look-up's inner loop; compiled for AVX2 too, as plain x86-64 has no instruction that counts bits.
MAGPIE_WIDE void follow_chain(const image::Descriptor& wanted, std::uint32_t at, const std::uint32_t* earlier, const image::Descriptor* all,
                              std::vector<std::uint32_t>& found) {
  for (std::uint32_t steps = 0; at != ~0U && steps < kChainMax; ++steps, at = earlier[at]) {
    const image::Descriptor& known = all[at];
    int bits = 0;
    for (std::size_t i = 0; i < 4; ++i) bits += __builtin_popcountll(wanted.words[i] ^ known.words[i]);
    if (bits <= kMatchBitsMax) found.push_back(at);
  }
}

}  // namespace

KeypointIndex::KeypointIndex() {
  for (auto& heads : heads_) heads.assign(std::size_t{1} << kKeyBits, kNone);
}

// Parts lie 32 bits apart, so with its mirrored half each descriptor is looked up by all of its tests' kinds.
std::size_t KeypointIndex::key_of(const image::Descriptor& descriptor, std::size_t table) {
  return static_cast<std::size_t>(descriptor.words[table / 2] >> (32 * (table % 2))) & ((std::size_t{1} << kKeyBits) - 1);
}

void KeypointIndex::add(std::uint32_t picture, const std::vector<image::Keypoint>& keypoints) {
  for (std::uint32_t i = 0; i < keypoints.size(); ++i) {
    const auto number = static_cast<std::uint32_t>(descriptors_.size());
    descriptors_.push_back(keypoints[i].descriptor);
    owners_.push_back({picture, i});
    for (std::size_t table = 0; table < kTables; ++table) {
      std::uint32_t& head = heads_[table][key_of(keypoints[i].descriptor, table)];
      earlier_[table].push_back(head);
      head = number;
    }
  }
}

void KeypointIndex::near(const image::Descriptor& descriptor, std::vector<std::uint32_t>& found) const {
  found.clear();
  for (std::size_t table = 0; table < kTables; ++table) {
    follow_chain(descriptor, heads_[table][key_of(descriptor, table)], earlier_[table].data(), descriptors_.data(), found);
  }
}

// What one side of the query has in common with each picture.
class KeypointIndex::Votes {
 public:
  Votes(const KeypointIndex& index, bool mirrored) : index_(index), mirrored_(mirrored) {
    const std::size_t pictures = index.owners_.empty() ? 0 : index.owners_.back().picture + std::size_t{1};
    of_picture_.resize(pictures);
    best_.assign(pictures, Best{});
  }

  void count(std::uint32_t query, const image::Descriptor& descriptor) {
    index_.near(descriptor, near_);
    touched_.clear();
    for (const std::uint32_t number : near_) {
      const int bits = image::hamming(descriptor, index_.descriptors_[number]);
      const Owner& owner = index_.owners_[number];
      Best& best = best_[owner.picture];
      if (best.query != query) touched_.push_back(owner.picture);
      if (best.query != query || bits < best.bits) best = {query, bits, owner.keypoint};
    }
    const float weight = 1 / std::sqrt(static_cast<float>(touched_.size()) + 1);
    for (const std::uint32_t picture : touched_) {
      SharedKeypoints& shared = of_picture_[picture];
      shared.score += weight;
      shared.matches.push_back({query, best_[picture].known});
    }
  }

  void take(std::vector<SharedKeypoints>& out) {
    for (std::uint32_t picture = 0; picture < of_picture_.size(); ++picture) {
      SharedKeypoints& shared = of_picture_[picture];
      if (shared.matches.size() < kMatchesMin) continue;
      shared.picture = picture;
      shared.mirrored = mirrored_;
      out.push_back(std::move(shared));
    }
  }

 private:
  struct Best {  // of one query keypoint's matches in a picture
    std::uint32_t query = kNone;
    int bits = 0;
    std::uint32_t known = 0;
  };
  const KeypointIndex& index_;
  bool mirrored_;
  std::vector<SharedKeypoints> of_picture_;
  std::vector<Best> best_;
  std::vector<std::uint32_t> near_, touched_;
};

std::vector<SharedKeypoints> KeypointIndex::sharing(const std::vector<image::Keypoint>& query) const {
  std::vector<SharedKeypoints> found;
  for (const bool mirror : {false, true}) {
    Votes votes(*this, mirror);
    for (std::uint32_t i = 0; i < query.size(); ++i) {
      votes.count(i, mirror ? image::mirrored(query[i].descriptor) : query[i].descriptor);
    }
    votes.take(found);
  }
  std::stable_sort(found.begin(), found.end(), [](const SharedKeypoints& a, const SharedKeypoints& b) { return a.score > b.score; });
  return found;
}

namespace {

struct Nearest {
  int bits = kMatchBitsMax + 1;
  std::uint32_t known = 0;
};

MAGPIE_WIDE Nearest nearest_of(const image::Descriptor& wanted, const image::Keypoint* all, std::size_t count) {
  Nearest nearest;
  for (std::uint32_t at = 0; at < count; ++at) {
    int bits = 0;
    for (std::size_t i = 0; i < 4; ++i) bits += __builtin_popcountll(wanted.words[i] ^ all[at].descriptor.words[i]);
    if (bits < nearest.bits) nearest = {bits, at};
  }
  return nearest;
}

}  // namespace

std::vector<SharedKeypoints> shared_between(const std::vector<image::Keypoint>& query, const std::vector<image::Keypoint>& known) {
  std::vector<SharedKeypoints> found;
  for (const bool mirror : {false, true}) {
    SharedKeypoints shared{.mirrored = mirror, .matches = {}};
    for (std::uint32_t i = 0; i < query.size(); ++i) {
      const image::Descriptor wanted = mirror ? image::mirrored(query[i].descriptor) : query[i].descriptor;
      const Nearest nearest = nearest_of(wanted, known.data(), known.size());
      if (nearest.bits <= kMatchBitsMax) shared.matches.push_back({i, nearest.known});
    }
    shared.score = static_cast<float>(shared.matches.size());
    if (shared.matches.size() >= KeypointIndex::kMatchesMin) found.push_back(std::move(shared));
  }
  return found;
}

namespace {

// The map that one match alone would give: its places, scales and directions on each other.
image::AffineMap from_one(const image::Keypoint& query, const image::Keypoint& known, bool mirrored) {
  const double scale = known.scale / query.scale;
  const double turn = known.angle - (mirrored ? std::numbers::pi - query.angle : query.angle);
  const double c = scale * std::cos(turn), s = scale * std::sin(turn);
  image::AffineMap map{.xx = mirrored ? -c : c, .xy = -s, .yx = mirrored ? -s : s, .yy = c};
  map.x0 = known.x - map.x(query.x, query.y);
  map.y0 = known.y - map.y(query.x, query.y);
  return map;
}

// Whether a match fits a map: its place within `distance_max`, its scale and its direction roughly.
class Fit {
 public:
  Fit(const image::AffineMap& map, double distance_max) : map_(map) {
    scale_ = static_cast<float>(std::sqrt(std::abs(map.determinant())));
    distance_ = static_cast<float>(distance_max) * std::max(1.0F, scale_);
  }
  bool operator()(const image::Keypoint& q, const image::Keypoint& k) const {
    const auto dx = static_cast<float>(map_.x(q.x, q.y)) - k.x, dy = static_cast<float>(map_.y(q.x, q.y)) - k.y;
    if (dx * dx + dy * dy > distance_ * distance_) return false;
    const float grown = q.scale * scale_;
    if (k.scale > 1.5F * grown || grown > 1.5F * k.scale) return false;
    const double c = std::cos(q.angle), s = std::sin(q.angle);
    const double x = map_.xx * c + map_.xy * s, y = map_.yx * c + map_.yy * s;
    return x * std::cos(k.angle) + y * std::sin(k.angle) > 0.87 * std::hypot(x, y);  // within 30 degrees
  }

 private:
  const image::AffineMap& map_;
  float scale_ = 1, distance_ = 0;
};

// Least squares of what `start` leaves over, about the middle of the points; held near `start` where they say little.
image::AffineMap fitted(const image::AffineMap& start, const std::vector<image::Keypoint>& query, const std::vector<image::Keypoint>& known,
                        const std::vector<KeypointMatch>& matches) {
  const auto n = static_cast<double>(matches.size());
  double cx = 0, cy = 0;
  for (const KeypointMatch& m : matches) cx += query[m.query].x / n, cy += query[m.query].y / n;
  constexpr double kHold = 0.01;  // squared longer sides: the weight of points at a tenth of the side
  double sxx = kHold, sxy = 0, syy = kHold, ex = 0, ey = 0, exx = 0, exy = 0, eyx = 0, eyy = 0;
  for (const KeypointMatch& m : matches) {
    const image::Keypoint &q = query[m.query], &k = known[m.known];
    const double x = q.x - cx, y = q.y - cy;
    const double dx = k.x - start.x(q.x, q.y), dy = k.y - start.y(q.x, q.y);
    sxx += x * x, sxy += x * y, syy += y * y;
    ex += dx / n, ey += dy / n;
    exx += dx * x, exy += dx * y, eyx += dy * x, eyy += dy * y;
  }
  const double determinant = sxx * syy - sxy * sxy;
  const double axx = (exx * syy - exy * sxy) / determinant, axy = (exy * sxx - exx * sxy) / determinant;
  const double ayx = (eyx * syy - eyy * sxy) / determinant, ayy = (eyy * sxx - eyx * sxy) / determinant;
  image::AffineMap map = start;
  map.xx += axx, map.xy += axy, map.x0 += ex - axx * cx - axy * cy;
  map.yx += ayx, map.yy += ayy, map.y0 += ey - ayx * cx - ayy * cy;
  return map;
}

}  // namespace

std::optional<MapGuess> guess_map(const std::vector<image::Keypoint>& query, const std::vector<image::Keypoint>& known,
                                  const SharedKeypoints& shared, std::size_t inliers_min) {
  const std::vector<KeypointMatch>& matches = shared.matches;
  MapGuess best;
  const std::size_t step = std::max<std::size_t>(1, matches.size() / kGuessesMax);
  for (std::size_t i = 0; i < matches.size() && 2 * best.inliers < matches.size(); i += step) {
    const image::AffineMap map = from_one(query[matches[i].query], known[matches[i].known], shared.mirrored);
    const Fit fits(map, kCoarse);
    std::size_t inliers = 0;
    for (const KeypointMatch& match : matches) inliers += fits(query[match.query], known[match.known]) ? 1 : 0;
    if (inliers > best.inliers) best = {map, inliers};
  }
  std::vector<KeypointMatch> agreeing;
  for (const double distance : {kCoarse, 0.04, 0.025}) {
    if (best.inliers < inliers_min) return std::nullopt;
    const Fit fits(best.map, distance);
    agreeing.clear();
    for (const KeypointMatch& match : matches) {
      if (fits(query[match.query], known[match.known])) agreeing.push_back(match);
    }
    best.inliers = agreeing.size();
    if (best.inliers >= inliers_min) best.map = fitted(best.map, query, known, agreeing);
  }
  if (best.inliers < inliers_min) return std::nullopt;
  return best;
}

}  // namespace magpie::analyse
