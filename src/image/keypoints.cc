#include "image/keypoints.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <random>

#include "base/check.h"
#include "image/resize.h"
#include "image/wide.h"

namespace magpie::image {
namespace {

constexpr double kLevelRatio = 1.25;
constexpr std::uint32_t kLevelSideMin = 40;  // px, shorter side
constexpr int kPatchRadius = 14;             // px that a descriptor looks at around its point
constexpr int kEdge = 5;                     // px at the rim that have no points: their surroundings are half missing
constexpr int kTurns = 32;                   // directions that descriptors are turned to
constexpr std::uint32_t kCells = 5;          // a side; points are spread over kCells x kCells
constexpr float kResponseMin = 6;            // the least eigenvalue of the gradients' second moments, grey levels squared

// A level of the pyramid with room around it, so that descriptors at the rim read the rim's pixels again.
struct Level {
  Size size;
  float pixel = 0;  // side of one pixel in longer sides
  std::vector<float> smooth;

  static constexpr int kRoom = kPatchRadius + 4;
  std::size_t stride() const { return size.width + 2 * kRoom; }
  const float* row(int y) const { return smooth.data() + static_cast<std::size_t>(y + kRoom) * stride() + kRoom; }
  float* row(int y) { return smooth.data() + static_cast<std::size_t>(y + kRoom) * stride() + kRoom; }
};

// ---- the pyramid

Pixels enlarge(PixelsView grey, Size target) {
  Pixels large(target, 1);
  const float down = static_cast<float>(grey.size.height) / static_cast<float>(target.height);
  const float across = static_cast<float>(grey.size.width) / static_cast<float>(target.width);
  const auto between = [](float at, std::uint32_t count, std::uint32_t& low, std::uint32_t& high) {
    at = std::clamp(at, 0.0F, static_cast<float>(count - 1));
    low = static_cast<std::uint32_t>(at);
    high = std::min(low + 1, count - 1);
    return at - static_cast<float>(low);
  };
  for (std::uint32_t y = 0; y < target.height; ++y) {
    std::uint32_t top = 0, bottom = 0;
    const float v = between((static_cast<float>(y) + 0.5F) * down - 0.5F, grey.size.height, top, bottom);
    for (std::uint32_t x = 0; x < target.width; ++x) {
      std::uint32_t left = 0, right = 0;
      const float u = between((static_cast<float>(x) + 0.5F) * across - 0.5F, grey.size.width, left, right);
      const float upper = static_cast<float>(grey.row(top)[left]) * (1 - u) + static_cast<float>(grey.row(top)[right]) * u;
      const float lower = static_cast<float>(grey.row(bottom)[left]) * (1 - u) + static_cast<float>(grey.row(bottom)[right]) * u;
      large.row(y)[x] = static_cast<std::uint8_t>(upper * (1 - v) + lower * v + 0.5F);
    }
  }
  return large;
}

Size scaled(Size size, double factor) {
  const auto side = [factor](std::uint32_t of) { return std::max(1U, static_cast<std::uint32_t>(std::lround(of * factor))); };
  return {side(size.width), side(size.height)};
}

Pixels finest(PixelsView grey, std::uint32_t side) {
  const std::uint32_t longer = std::max(grey.size.width, grey.size.height);
  const double factor = std::min(2.0, static_cast<double>(side) / longer);
  const Size target = scaled(grey.size, factor);
  return factor > 1 ? enlarge(grey, target) : resize_area(grey, target);
}

MAGPIE_WIDE void smooth_row(const std::uint8_t* a, const std::uint8_t* b, const std::uint8_t* c, const std::uint8_t* d,
                            const std::uint8_t* e, std::size_t count, float* sums) {
  for (std::size_t i = 0; i < count; ++i) {
    sums[i] = (static_cast<float>(a[i]) + static_cast<float>(e[i]) + 4 * (static_cast<float>(b[i]) + static_cast<float>(d[i])) +
               6 * static_cast<float>(c[i])) *
              (1.0F / 16);
  }
}
MAGPIE_WIDE void smooth_across(const float* sums, std::size_t count, float* row) {
  for (std::size_t i = 0; i < count; ++i) {
    row[i] = (sums[i] + sums[i + 4] + 4 * (sums[i + 1] + sums[i + 3]) + 6 * sums[i + 2]) * (1.0F / 16);
  }
}

Level make_level(PixelsView grey, float pixel) {
  Level level{.size = grey.size, .pixel = pixel, .smooth = {}};
  level.smooth.resize(level.stride() * (grey.size.height + 2 * Level::kRoom));
  const int width = static_cast<int>(grey.size.width), height = static_cast<int>(grey.size.height);
  std::vector<float> sums(grey.size.width + 4);
  for (int y = 0; y < height; ++y) {
    const auto at = [&](int offset) { return grey.row(static_cast<std::uint32_t>(std::clamp(y + offset, 0, height - 1))); };
    smooth_row(at(-2), at(-1), at(0), at(1), at(2), grey.size.width, sums.data() + 2);
    sums[0] = sums[1] = sums[2];
    sums[grey.size.width + 2] = sums[grey.size.width + 3] = sums[grey.size.width + 1];
    float* row = level.row(y);
    smooth_across(sums.data(), grey.size.width, row);
    std::fill_n(row - Level::kRoom, Level::kRoom, row[0]);
    std::fill_n(row + width, Level::kRoom, row[width - 1]);
  }
  for (int y = 1; y <= Level::kRoom; ++y) {
    std::copy_n(level.row(0) - Level::kRoom, level.stride(), level.row(-y) - Level::kRoom);
    std::copy_n(level.row(height - 1) - Level::kRoom, level.stride(), level.row(height - 1 + y) - Level::kRoom);
  }
  return level;
}

std::vector<Level> make_pyramid(PixelsView grey, std::uint32_t side) {
  std::vector<Level> levels;
  Pixels pixels = finest(grey, side);
  const Size largest = pixels.size();
  const auto longer = static_cast<float>(std::max(largest.width, largest.height));
  double factor = 1;
  while (true) {
    levels.push_back(make_level(pixels.view(), static_cast<float>(1 / factor) / longer));
    factor /= kLevelRatio;
    const Size next = scaled(largest, factor);
    if (std::min(next.width, next.height) < kLevelSideMin) return levels;
    pixels = resize_area(pixels.view(), next);
  }
}

// ---- corners

struct Corner {
  int x = 0, y = 0;
  float response = 0;
};

// Sums of five neighbours of the products of gradients, of one row.
struct MomentRows {
  explicit MomentRows(std::size_t width) : xx(width), xy(width), yy(width) {}
  std::vector<float> xx, xy, yy;
};

MAGPIE_WIDE void gradients(const float* above, const float* row, const float* below, std::size_t count, float* xx, float* xy, float* yy) {
  for (std::size_t i = 0; i < count; ++i) {
    const float dx = row[i + 2] - row[i], dy = below[i + 1] - above[i + 1];
    xx[i] = dx * dx;
    xy[i] = dx * dy;
    yy[i] = dy * dy;
  }
}
MAGPIE_WIDE void sum_of_five(const float* from, std::size_t count, float* to) {
  for (std::size_t i = 0; i < count; ++i) to[i] = from[i] + from[i + 1] + from[i + 2] + from[i + 3] + from[i + 4];
}
MAGPIE_WIDE void add_five(const float* const* rows, std::size_t count, float* to) {
  for (std::size_t i = 0; i < count; ++i) to[i] = rows[0][i] + rows[1][i] + rows[2][i] + rows[3][i] + rows[4][i];
}
MAGPIE_WIDE void least_eigenvalue(const float* xx, const float* xy, const float* yy, std::size_t count, float* to) {
  for (std::size_t i = 0; i < count; ++i) {
    const float half = (xx[i] + yy[i]) * 0.5F, apart = (xx[i] - yy[i]) * 0.5F;
    to[i] = (half - std::sqrt(apart * apart + xy[i] * xy[i])) * (1.0F / 100);  // 25 values of differences over two pixels
  }
}

// Responses of the whole level, as wide as it is; 0 at the rim.
std::vector<float> responses(const Level& level) {
  const std::size_t width = level.size.width;
  const int height = static_cast<int>(level.size.height);
  std::vector<float> out(width * level.size.height, 0.0F);
  MomentRows products(width + 4), total(width);
  std::vector<MomentRows> ring(5, MomentRows(width));
  for (int y = -2; y < height + 2; ++y) {
    gradients(level.row(y - 1) - 3, level.row(y) - 3, level.row(y + 1) - 3, width + 4, products.xx.data(), products.xy.data(),
              products.yy.data());
    MomentRows& sums = ring[static_cast<std::size_t>(y + 5) % 5];
    sum_of_five(products.xx.data(), width, sums.xx.data());
    sum_of_five(products.xy.data(), width, sums.xy.data());
    sum_of_five(products.yy.data(), width, sums.yy.data());
    if (y < 2) continue;
    const float *xx[5], *xy[5], *yy[5];
    for (std::size_t i = 0; i < 5; ++i) xx[i] = ring[i].xx.data(), xy[i] = ring[i].xy.data(), yy[i] = ring[i].yy.data();
    add_five(xx, width, total.xx.data());
    add_five(xy, width, total.xy.data());
    add_five(yy, width, total.yy.data());
    least_eigenvalue(total.xx.data(), total.xy.data(), total.yy.data(), width, out.data() + static_cast<std::size_t>(y - 2) * width);
  }
  return out;
}

// The largest of its 5 x 5 neighbours; the first one of equals.
bool is_peak(const std::vector<float>& response, std::size_t width, int x, int y) {
  const auto at = [&](int column, int row) { return response[static_cast<std::size_t>(row) * width + static_cast<std::size_t>(column)]; };
  const float here = at(x, y);
  for (int dy = -2; dy <= 2; ++dy) {
    for (int dx = -2; dx <= 2; ++dx) {
      const bool earlier = dy < 0 || (dy == 0 && dx < 0);
      if (earlier ? at(x + dx, y + dy) >= here : at(x + dx, y + dy) > here) return false;
    }
  }
  return true;
}

std::vector<Corner> find_corners(const Level& level) {
  const std::vector<float> response = responses(level);
  const std::size_t width = level.size.width;
  std::vector<Corner> corners;
  for (int y = kEdge; y < static_cast<int>(level.size.height) - kEdge; ++y) {
    for (int x = kEdge; x < static_cast<int>(width) - kEdge; ++x) {
      const float here = response[static_cast<std::size_t>(y) * width + static_cast<std::size_t>(x)];
      if (here >= kResponseMin && is_peak(response, width, x, y)) corners.push_back({x, y, here});
    }
  }
  std::stable_sort(corners.begin(), corners.end(), [](const Corner& a, const Corner& b) { return a.response > b.response; });
  return corners;
}

// The best `count`, of each cell at most three times its share; what is left goes to the best of the others.
std::vector<Corner> spread(const std::vector<Corner>& corners, Size size, std::size_t count) {
  if (corners.size() <= count) return corners;
  const std::size_t cell_max = std::max<std::size_t>(1, 3 * count / (kCells * kCells));
  std::array<std::size_t, kCells * kCells> taken{};
  std::vector<Corner> chosen, others;
  for (const Corner& corner : corners) {
    const std::size_t column = static_cast<std::size_t>(corner.x) * kCells / size.width;
    const std::size_t row = static_cast<std::size_t>(corner.y) * kCells / size.height;
    std::size_t& in_cell = taken[row * kCells + column];
    (in_cell < cell_max && chosen.size() < count ? (++in_cell, chosen) : others).push_back(corner);
  }
  for (std::size_t i = 0; chosen.size() < count && i < others.size(); ++i) chosen.push_back(others[i]);
  return chosen;
}

// ---- descriptors

struct Offset {
  int x = 0, y = 0;
};
struct Test {
  Offset first, second;
};
using Tests = std::array<Test, 256>;

Offset turned(double x, double y, int turn) {
  const double angle = 2 * std::numbers::pi * turn / kTurns;
  return {static_cast<int>(std::lround(x * std::cos(angle) - y * std::sin(angle))),
          static_cast<int>(std::lround(x * std::sin(angle) + y * std::cos(angle)))};
}

// 128 pairs of points drawn from a bell curve, and the same mirrored; for each direction. std::normal_distribution is each library's own,
// so bells are made of the generator's numbers, which the standard fixes.
std::array<Tests, kTurns> make_tests() {
  std::mt19937 generator(20261122);
  const auto bell = [&generator] {
    double sum = 0;
    for (int i = 0; i < 12; ++i) sum += static_cast<double>(generator()) / 4294967296.0;
    return (sum - 6) * kPatchRadius * 0.42;
  };
  const auto point = [&bell] {
    while (true) {
      const double x = bell(), y = bell();
      if (x * x + y * y < (kPatchRadius - 0.5) * (kPatchRadius - 0.5)) return std::pair(x, y);
    }
  };
  std::array<Tests, kTurns> tests;
  for (std::size_t i = 0; i < 128; ++i) {
    const auto [ax, ay] = point();
    const auto [bx, by] = point();
    for (int turn = 0; turn < kTurns; ++turn) {
      Tests& at = tests[static_cast<std::size_t>(turn)];
      at[i] = {turned(ax, ay, turn), turned(bx, by, turn)};
      at[i + 128] = {turned(ax, -ay, turn), turned(bx, -by, turn)};
    }
  }
  return tests;
}

// Towards where it is brighter: the centre of mass of the grey levels in a disc.
float direction(const Level& level, const Corner& corner) {
  constexpr int kRadius = 11;
  float right = 0, down = 0;
  for (int y = -kRadius; y <= kRadius; ++y) {
    const float* row = level.row(corner.y + y) + corner.x;
    const int reach = static_cast<int>(std::sqrt(static_cast<double>(kRadius * kRadius - y * y)));
    float sum = 0;
    for (int x = -reach; x <= reach; ++x) {
      right += static_cast<float>(x) * row[x];
      sum += row[x];
    }
    down += static_cast<float>(y) * sum;
  }
  return std::atan2(down, right);
}

Descriptor describe(const Level& level, const Corner& corner, float angle) {
  static const std::array<Tests, kTurns> tests = make_tests();
  const auto turn = static_cast<std::size_t>(std::lround(angle / (2 * std::numbers::pi) * kTurns) + kTurns) % kTurns;
  const float* centre = level.row(corner.y) + corner.x;
  const auto stride = static_cast<std::ptrdiff_t>(level.stride());
  const auto value = [&](Offset offset) { return centre[offset.y * stride + offset.x]; };
  Descriptor made;
  for (std::size_t i = 0; i < 256; ++i) {
    const Test& test = tests[turn][i];
    made.words[i / 64] |= static_cast<std::uint64_t>(value(test.first) < value(test.second)) << (i % 64);
  }
  return made;
}

}  // namespace

std::vector<Keypoint> find_keypoints(PixelsView grey, const KeypointOptions& options) {
  MAGPIE_CHECK(grey.channels == 1 && grey.size.pixels() > 0, "keypoints are of grey pixels");
  const std::vector<Level> levels = make_pyramid(grey, options.side);
  double shares = 0;
  for (const Level& level : levels) shares += 1 / level.pixel;
  std::vector<Keypoint> keypoints;
  std::size_t left_over = 0;
  for (const Level& level : levels) {
    const std::size_t wanted = static_cast<std::size_t>(options.count / (level.pixel * shares)) + left_over;
    const std::vector<Corner> corners = spread(find_corners(level), level.size, wanted);
    left_over = wanted - corners.size();
    for (const Corner& corner : corners) {
      const float angle = direction(level, corner);
      const float x = (static_cast<float>(corner.x) + 0.5F) * level.pixel, y = (static_cast<float>(corner.y) + 0.5F) * level.pixel;
      keypoints.push_back({x, y, level.pixel, angle, describe(level, corner, angle)});
    }
  }
  return keypoints;
}

}  // namespace magpie::image
