#include "image/overlap.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <tuple>

#include "base/check.h"
#include "image/resize.h"

namespace magpie::image {

std::optional<AffineMap> inverse(const AffineMap& map) {
  const double determinant = map.determinant();
  if (!(std::abs(determinant) > 1e-6)) return std::nullopt;
  AffineMap back;
  back.xx = map.yy / determinant, back.xy = -map.xy / determinant;
  back.yx = -map.yx / determinant, back.yy = map.xx / determinant;
  back.x0 = -(back.xx * map.x0 + back.xy * map.y0);
  back.y0 = -(back.yx * map.x0 + back.yy * map.y0);
  return back;
}

AffineMap chained(const AffineMap& a, const AffineMap& b) {
  return {b.xx * a.xx + b.xy * a.yx, b.xx * a.xy + b.xy * a.yy, b.x(a.x0, a.y0),
          b.yx * a.xx + b.yy * a.yx, b.yx * a.xy + b.yy * a.yy, b.y(a.x0, a.y0)};
}

namespace {

constexpr std::uint32_t kLevelSideMin = 24;
constexpr double kPixelsMin = 64;           // of the frame, that lie on the other
constexpr double kCorrelationMin = 0.7;     // of a block that agrees; those of unrelated blocks spread around 0
constexpr double kMarkShareMax = 0.2;       // of the overlap, that words or a logo may cover
constexpr double kSeenBesideMarkMin = 0.3;  // of all that is to be seen must lie beside it
constexpr double kChromaMin = 14;           // under it a block has no hue to speak of
constexpr double kTintMax = 0.2;            // of luma: the strongest white balance that still is one
constexpr double kTintLumaMin = 40;         // darker blocks show none
constexpr double kTintBlocksMin = 0.15;     // of all blocks: fewer are no measure
constexpr double kHueCosineMin = 0.8;       // 37 degrees between hues: more than white balance and cameras turn them

Size level_size(Size of, int level) {
  const double factor = std::pow(0.5, level / 2.0);
  const auto side = [factor](std::uint32_t s) { return std::max(1U, static_cast<std::uint32_t>(std::lround(s * factor))); };
  return {side(of.width), side(of.height)};
}

std::uint32_t longer(Size size) { return std::max(size.width, size.height); }

}  // namespace

OverlapPicture::OverlapPicture(PixelsView rgb) : rgb_(shrink_to_fit(rgb, kSide)) {
  MAGPIE_CHECK(rgb.channels == 3, "an overlap is of RGB pixels");
  levels_.push_back(to_grey(rgb_.view()));
  for (int level = 1;; ++level) {
    const Size next = level_size(rgb_.size(), level);
    if (longer(next) < kLevelSideMin) return;
    levels_.push_back(resize_area(levels_.back().view(), next));
  }
}

namespace {

// Solves the symmetric system in place by Cholesky's method; false if it is not definite.
template <std::size_t N>
bool solve(std::array<std::array<double, N>, N>& a, std::array<double, N>& b) {
  for (std::size_t i = 0; i < N; ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      double sum = a[i][j];
      for (std::size_t k = 0; k < j; ++k) sum -= a[i][k] * a[j][k];
      if (i == j) {
        if (!(sum > 1e-9)) return false;
        a[i][i] = std::sqrt(sum);
      } else {
        a[i][j] = sum / a[j][j];
      }
    }
  }
  for (std::size_t i = 0; i < N; ++i) {
    for (std::size_t k = 0; k < i; ++k) b[i] -= a[i][k] * b[k];
    b[i] /= a[i][i];
  }
  for (std::size_t i = N; i-- > 0;) {
    for (std::size_t k = i + 1; k < N; ++k) b[i] -= a[k][i] * b[k];
    b[i] /= a[i][i];
  }
  return true;
}

struct Sample {
  float value = 0, dx = 0, dy = 0;
};

// Between four pixels; pixel (0, 0) is at (0.5, 0.5). False outside.
bool sample(PixelsView grey, float x, float y, Sample& out) {
  x -= 0.5F, y -= 0.5F;
  if (!(x >= 0 && y >= 0 && x < static_cast<float>(grey.size.width - 1) && y < static_cast<float>(grey.size.height - 1))) return false;
  const auto left = static_cast<std::uint32_t>(x), top = static_cast<std::uint32_t>(y);
  const float u = x - static_cast<float>(left), v = y - static_cast<float>(top);
  const std::uint8_t* upper = grey.row(top) + left;
  const std::uint8_t* lower = grey.row(top + 1) + left;
  const float a = upper[0], b = upper[1], c = lower[0], d = lower[1];
  const float up = a + (b - a) * u, low = c + (d - c) * u;
  out.value = up + (low - up) * v;
  out.dx = (b - a) * (1 - v) + (d - c) * v;
  out.dy = low - up;
  return true;
}

struct Moments {
  double n = 0, f = 0, g = 0, ff = 0, gg = 0, fg = 0;
  void add(double x, double y) {
    n += 1;
    f += x, g += y;
    ff += x * x, gg += y * y, fg += x * y;
  }
  void add(const Moments& m) {
    n += m.n;
    f += m.f, g += m.g;
    ff += m.ff, gg += m.gg, fg += m.fg;
  }
  double variance_f() const { return std::max(0.0, ff / n - f * f / n / n); }
  double variance_g() const { return std::max(0.0, gg / n - g * g / n / n); }
  double correlation() const { return n > 0 ? covariance() / std::sqrt(variance_f() * variance_g() + 1e-3) : 0; }
  double covariance() const { return fg / n - f * g / n / n; }
};

// gain * other + offset is nearest to frame.
struct Tone {
  double gain = 1, offset = 0;
};

// Where a row of the frame meets the other picture: values of both, and the other's slopes.
struct RowOfSamples {
  explicit RowOfSamples(std::size_t width) : at(width), frame(width), value(width), dx(width), dy(width) {}
  std::vector<float> at, frame, value, dx, dy;
  std::size_t count = 0;

  void take(const std::uint8_t* frame_row, PixelsView other, const AffineMap& map, std::uint32_t row, double frame_pixels,
            double other_pixels) {
    const double fy = (row + 0.5) / frame_pixels;
    const auto step_x = static_cast<float>(map.xx / frame_pixels * other_pixels),
               step_y = static_cast<float>(map.yx / frame_pixels * other_pixels);
    const auto x0 = static_cast<float>(map.x(0.5 / frame_pixels, fy) * other_pixels),
               y0 = static_cast<float>(map.y(0.5 / frame_pixels, fy) * other_pixels);
    const auto pixel = static_cast<float>(1 / frame_pixels);
    count = 0;
    for (std::uint32_t x = 0; x < at.size(); ++x) {
      Sample s;
      const auto fx = static_cast<float>(x);
      if (!sample(other, x0 + fx * step_x, y0 + fx * step_y, s)) continue;
      at[count] = (fx + 0.5F) * pixel;
      frame[count] = frame_row[x];
      value[count] = s.value;
      dx[count] = s.dx;
      dy[count] = s.dy;
      ++count;
    }
  }
};

// Normal equations of one step. Unknowns: the map's six numbers in the other picture's pixels, the gain in 64ths, the offset.
struct Equations {
  std::array<std::array<double, 8>, 8> a{};
  std::array<double, 8> b{};
  double residuals = 0, count = 0;
  Moments moments;

  // weight = 1 / (1 + residual^2 * narrow)
  void add(const RowOfSamples& row, float fy, float narrow, const Tone& tone) {
    const auto gain = static_cast<float>(tone.gain), offset = static_cast<float>(tone.offset);
    std::array<float, 8> right{};
    std::array<float, 36> products{};
    for (std::size_t i = 0; i < row.count; ++i) {
      const float v = row.value[i], f = row.frame[i];
      const float residual = f - (gain * v + offset);
      const float weight = 1 / (1 + residual * residual * narrow);
      const float gx = gain * row.dx[i], gy = gain * row.dy[i], fx = row.at[i];
      const float j[8] = {gx * fx, gx * fy, gx, gy * fx, gy * fy, gy, v * (1.0F / 64), 1};
      std::size_t k = 0;
      for (std::size_t r = 0; r < 8; ++r) {
        const float jr = weight * j[r];
        right[r] += jr * residual;
        for (std::size_t c = 0; c <= r; ++c) products[k++] += jr * j[c];
      }
      residuals += weight * std::abs(residual);
      moments.add(f, v);
    }
    count += static_cast<double>(row.count);
    std::size_t k = 0;
    for (std::size_t r = 0; r < 8; ++r) {
      b[r] += right[r];
      for (std::size_t c = 0; c <= r; ++c) a[r][c] += products[k++];
    }
  }
};

}  // namespace

// The frame is the picture that shows the overlap with fewer pixels; the other one is sampled at the frame's pixels.
class Overlay {
 public:
  Overlay(const OverlapPicture& frame, const OverlapPicture& other, const AffineMap& map) : frame_(frame), other_(other), map_(map) {}

  bool refine() {
    if (!plausible()) return false;
    for (const auto& [level, rounds, correlation_min] : {std::tuple{4, 6, 0.3}, std::tuple{2, 5, 0.5}, std::tuple{1, 2, 0.5}}) {
      if (level >= static_cast<int>(frame_.levels_.size())) continue;
      for (int round = 0; round < rounds; ++round) {
        const double moved = step(static_cast<std::size_t>(level));
        if (moved < 0 || !plausible()) return false;
        if (moved < 0.1) break;
      }
      if (correlation_ < correlation_min) return false;
    }
    return true;
  }

  Overlap judge() const;
  const AffineMap& map() const { return map_; }

 private:
  bool plausible() const {
    const double determinant = std::abs(map_.determinant());
    const double a = std::hypot(map_.xx, map_.yx), b = std::hypot(map_.xy, map_.yy);
    return std::isfinite(determinant) && determinant > 0.03 && determinant < 30 && std::max(a, b) < 2.2 * std::min(a, b) &&
           determinant > 0.6 * a * b;
  }

  // Which of the other's levels has pixels of the size that the frame's level has.
  PixelsView level_of_other(std::size_t frame_level) const {
    const double frame_pixel = 1.0 / longer(frame_.levels_[frame_level].size());                                // in frame units
    const double other_pixels = frame_pixel * std::sqrt(std::abs(map_.determinant())) * longer(other_.size());  // of its finest level
    const auto level = static_cast<std::ptrdiff_t>(std::lround(2 * std::log2(std::max(other_pixels, 0.5))));
    return other_
        .levels_[static_cast<std::size_t>(std::clamp<std::ptrdiff_t>(level, 0, static_cast<std::ptrdiff_t>(other_.levels_.size()) - 1))]
        .view();
  }

  double step(std::size_t level);

  const OverlapPicture& frame_;
  const OverlapPicture& other_;
  AffineMap map_;  // frame to other
  Tone tone_;
  double spread_ = 40;  // of residuals
  bool toned_ = false;
  double correlation_ = 0;  // under the map before the last step
};

// One Gauss-Newton step; how far the corners move, in pixels of the level; -1 when it cannot.
double Overlay::step(std::size_t level) {
  const PixelsView frame = frame_.levels_[level].view();
  const PixelsView other = level_of_other(level);
  const double frame_pixels = longer(frame.size), other_pixels = longer(other.size);
  Equations equations;
  RowOfSamples row(frame.size.width);
  for (std::uint32_t y = 0; y < frame.size.height; ++y) {
    row.take(frame.row(y), other, map_, y, frame_pixels, other_pixels);
    equations.add(row, static_cast<float>((y + 0.5) / frame_pixels), toned_ ? static_cast<float>(1 / (spread_ * spread_)) : 0.0F, tone_);
  }
  const double count = equations.count;
  if (count < 60) return -1;
  auto& a = equations.a;
  auto& b = equations.b;
  for (std::size_t r = 0; r < 8; ++r) a[r][r] *= 1.0005;
  for (std::size_t r = 0; r < 6; ++r) a[r][r] += count * 20 / (other_pixels * other_pixels);  // flat pictures stay where they are
  if (!solve(a, b)) return -1;
  for (std::size_t r = 0; r < 6; ++r) b[r] /= other_pixels;
  map_.xx += b[0], map_.xy += b[1], map_.x0 += b[2];
  map_.yx += b[3], map_.yy += b[4], map_.y0 += b[5];
  tone_.gain += b[6] / 64, tone_.offset += b[7];
  spread_ = std::max(4.0, 2 * equations.residuals / count);
  toned_ = true;
  correlation_ = equations.moments.correlation();
  return (std::abs(b[0]) + std::abs(b[1]) + std::abs(b[2]) + std::abs(b[3]) + std::abs(b[4]) + std::abs(b[5])) * other_pixels;
}

namespace {

struct Chroma {
  double u = 0, v = 0;
  double size() const { return std::hypot(u, v); }
};

// Sums of the pixels of one block where both pictures are.
struct Block {
  Moments grey;
  std::array<double, 3> frame{}, other{};  // sums of RGB

  bool is_whole(std::uint32_t side) const { return grey.n >= 0.5 * side * side; }
  Chroma chroma(const std::array<double, 3>& sums) const {
    const double red = sums[0] / grey.n, green = sums[1] / grey.n, blue = sums[2] / grey.n;
    const double luma = 0.299 * red + 0.587 * green + 0.114 * blue;
    return {0.713 * (red - luma), 0.564 * (blue - luma)};
  }
};

struct BlockGrid {
  std::uint32_t side = 0;  // px
  std::uint32_t columns = 0, rows = 0;
  std::vector<Block> blocks;  // row by row
};

BlockGrid compare_blocks(PixelsView frame, PixelsView other, PixelsView frame_rgb, PixelsView other_rgb, const AffineMap& map) {
  BlockGrid grid{.side = longer(frame.size) < 64 ? 4U : 8U};
  grid.columns = (frame.size.width + grid.side - 1) / grid.side;
  grid.rows = (frame.size.height + grid.side - 1) / grid.side;
  grid.blocks.resize(std::size_t{grid.columns} * grid.rows);
  const double frame_pixels = longer(frame.size), other_pixels = longer(other.size), rgb_pixels = longer(other_rgb.size);
  for (std::uint32_t y = 0; y < frame.size.height; ++y) {
    for (std::uint32_t x = 0; x < frame.size.width; ++x) {
      const double fx = (x + 0.5) / frame_pixels, fy = (y + 0.5) / frame_pixels;
      const double gx = map.x(fx, fy), gy = map.y(fx, fy);
      Sample s;
      if (!sample(other, static_cast<float>(gx * other_pixels), static_cast<float>(gy * other_pixels), s)) continue;
      Block& block = grid.blocks[std::size_t{y / grid.side} * grid.columns + x / grid.side];
      block.grey.add(frame.row(y)[x], s.value);
      const auto column = std::min(static_cast<std::uint32_t>(gx * rgb_pixels), other_rgb.size.width - 1);
      const auto row = std::min(static_cast<std::uint32_t>(gy * rgb_pixels), other_rgb.size.height - 1);
      for (std::size_t c = 0; c < 3; ++c) {
        block.frame[c] += frame_rgb.row(y)[3 * x + c];
        block.other[c] += other_rgb.row(row)[3 * column + c];
      }
    }
  }
  return grid;
}

// Sums over rectangles of the grid.
class GridSums {
 public:
  GridSums(std::uint32_t columns, std::uint32_t rows) : stride_(columns + 1), sums_(std::size_t{stride_} * (rows + 1)) {}
  // Row by row, each value once.
  void put(std::uint32_t column, std::uint32_t row, double value) {
    sums_[at(column + 1, row + 1)] = value + sums_[at(column, row + 1)] + sums_[at(column + 1, row)] - sums_[at(column, row)];
  }
  double all() const { return sums_.back(); }
  double within(std::uint32_t left, std::uint32_t top, std::uint32_t right, std::uint32_t bottom) const {
    return sums_[at(right, bottom)] - sums_[at(left, bottom)] - sums_[at(right, top)] + sums_[at(left, top)];
  }

 private:
  std::size_t at(std::uint32_t column, std::uint32_t row) const { return std::size_t{row} * stride_ + column; }
  std::uint32_t stride_;
  std::vector<double> sums_;
};

struct Verdicts {
  std::uint32_t columns = 0, rows = 0;
  GridSums whole, seen, agreeing;  // blocks in the overlap; what they show; what agrees of it
  std::uint32_t count = 0;
  double correlating = 0;  // what is seen, by correlation
};

// A block shows something when its contrast is above what encoders leave behind, and not next to nothing beside the whole picture's.
Verdicts judge_blocks(const BlockGrid& grid, const Moments& all) {
  const double spread = std::sqrt(all.variance_f() + 1), gain = spread / std::sqrt(all.variance_g() + 1);
  const double contrast_min = std::max(3.0, 0.12 * spread);
  const GridSums none(grid.columns, grid.rows);
  Verdicts verdicts{.columns = grid.columns, .rows = grid.rows, .whole = none, .seen = none, .agreeing = none};
  for (std::uint32_t row = 0; row < grid.rows; ++row) {
    for (std::uint32_t column = 0; column < grid.columns; ++column) {
      const Block& block = grid.blocks[std::size_t{row} * grid.columns + column];
      double seen = 0;
      bool agrees = false;
      const bool whole = block.is_whole(grid.side);
      if (whole) {
        const double contrast = std::max(std::sqrt(block.grey.variance_f()), gain * std::sqrt(block.grey.variance_g()));
        if (contrast >= contrast_min) seen = std::min(contrast, 0.6 * spread);
        const double correlation = block.grey.correlation();
        agrees = correlation > kCorrelationMin;
        verdicts.correlating += seen * std::max(correlation, 0.0);
      }
      verdicts.whole.put(column, row, whole ? 1 : 0);
      verdicts.seen.put(column, row, seen);
      verdicts.agreeing.put(column, row, agrees ? seen : 0);
      verdicts.count += seen > 0 ? 1 : 0;
    }
  }
  return verdicts;
}

float share(double part, double whole) { return whole > 0 ? static_cast<float>(part / whole) : 0.0F; }

// Part of the grid; right and bottom are one behind.
struct Rectangle {
  std::uint32_t left = 0, top = 0, right = 0, bottom = 0;
  bool has(std::uint32_t column, std::uint32_t row) const { return column >= left && column < right && row >= top && row < bottom; }
};

struct Mark {
  Rectangle where;
  float agreement = 0;  // beside it
};

// The rectangle without which the rest agrees best. All are tried: sums make one a handful of additions.
Mark find_mark(const Verdicts& v) {
  const double area_max = kMarkShareMax * v.whole.all();
  Mark mark{.where = {}, .agreement = share(v.agreeing.all(), v.seen.all())};
  for (std::uint32_t top = 0; top < v.rows; ++top) {
    for (std::uint32_t bottom = top + 1; bottom <= v.rows; ++bottom) {
      for (std::uint32_t left = 0; left < v.columns; ++left) {
        for (std::uint32_t right = left + 1; right <= v.columns; ++right) {
          if (v.whole.within(left, top, right, bottom) > area_max) break;
          const double seen = v.seen.all() - v.seen.within(left, top, right, bottom);
          if (seen < kSeenBesideMarkMin * v.seen.all()) break;
          const float agreement = share(v.agreeing.all() - v.agreeing.within(left, top, right, bottom), seen);
          if (agreement > mark.agreement) mark = {{left, top, right, bottom}, agreement};
        }
      }
    }
  }
  return mark;
}

struct BlockColours {
  Chroma frame, other;
  double luma = 0;  // of the frame's block
};

// What white balance added to the other picture, as a share of luma: the median over blocks that have no colour in the frame.
Chroma tint_of(const std::vector<BlockColours>& blocks) {
  std::vector<double> u, v;
  for (const BlockColours& block : blocks) {
    if (block.frame.size() >= kChromaMin || block.luma < kTintLumaMin) continue;
    u.push_back((block.other.u - block.frame.u) / block.luma);
    v.push_back((block.other.v - block.frame.v) / block.luma);
  }
  if (static_cast<double>(u.size()) < kTintBlocksMin * static_cast<double>(blocks.size())) return {};
  const auto middle = static_cast<std::ptrdiff_t>(u.size() / 2);
  std::nth_element(u.begin(), u.begin() + middle, u.end());
  std::nth_element(v.begin(), v.begin() + middle, v.end());
  const Chroma tint{u[u.size() / 2], v[v.size() / 2]};
  return tint.size() <= kTintMax ? tint : Chroma{};
}

double of_other_hue(const std::vector<BlockColours>& blocks, const Chroma& tint) {
  return static_cast<double>(std::count_if(blocks.begin(), blocks.end(), [&](const BlockColours& block) {
    const Chroma &f = block.frame, g{block.other.u - tint.u * block.luma, block.other.v - tint.v * block.luma};
    return std::min({f.size(), g.size(), block.other.size()}) >= kChromaMin && f.u * g.u + f.v * g.v < kHueCosineMin * f.size() * g.size();
  }));
}

float share_of_other_hue(const BlockGrid& grid, const Rectangle& left_out) {
  std::vector<BlockColours> blocks;
  for (std::uint32_t i = 0; i < grid.blocks.size(); ++i) {
    const Block& block = grid.blocks[i];
    if (!block.is_whole(grid.side) || left_out.has(i % grid.columns, i / grid.columns)) continue;
    blocks.push_back({block.chroma(block.frame), block.chroma(block.other), block.grey.f / block.grey.n});
  }
  // The tint is a guess, so it may only excuse.
  const double other = std::min(of_other_hue(blocks, {}), of_other_hue(blocks, tint_of(blocks)));
  return share(other, static_cast<double>(blocks.size()));
}

}  // namespace

Overlap Overlay::judge() const {
  const PixelsView frame = frame_.levels_[0].view();
  const PixelsView other = level_of_other(0);
  const double frame_pixels = longer(frame.size), other_pixels = longer(other.size);
  const BlockGrid grid = compare_blocks(frame, other, frame_.rgb_.view(), other_.rgb_.view(), map_);
  Moments all;
  for (const Block& block : grid.blocks) all.add(block.grey);
  Overlap out;
  if (all.n < kPixelsMin) return out;
  out.share_of_first = static_cast<float>(all.n / static_cast<double>(frame.size.pixels()));
  const double area = all.n / (frame_pixels * frame_pixels) * std::abs(map_.determinant());  // in the other's squared longer sides
  out.share_of_second =
      static_cast<float>(std::min(1.0, area / (static_cast<double>(other.size.pixels()) / (other_pixels * other_pixels))));
  const Verdicts verdicts = judge_blocks(grid, all);
  out.blocks = verdicts.count;
  out.agreement = share(verdicts.agreeing.all(), verdicts.seen.all());
  out.correlation = share(verdicts.correlating, verdicts.seen.all());
  const Mark mark = find_mark(verdicts);
  out.agreement_beside_mark = mark.agreement;
  out.other_hue = share_of_other_hue(grid, mark.where);
  return out;
}

std::optional<Overlap> overlay(const OverlapPicture& first, const OverlapPicture& second, const AffineMap& guess) {
  const auto back = inverse(guess);
  if (!back || first.size().pixels() == 0 || second.size().pixels() == 0) return std::nullopt;
  // Pixels of the second for one of the first: over 1 means that the first is the coarser one.
  const double pixels = std::sqrt(std::abs(guess.determinant())) * longer(second.size()) / longer(first.size());
  if (pixels >= 1) {
    Overlay over(first, second, guess);
    if (!over.refine()) return std::nullopt;
    Overlap overlap = over.judge();
    overlap.map = over.map();
    return overlap;
  }
  Overlay over(second, first, *back);
  if (!over.refine()) return std::nullopt;
  Overlap overlap = over.judge();
  std::swap(overlap.share_of_first, overlap.share_of_second);
  if (const auto map = inverse(over.map())) overlap.map = *map;
  return overlap;
}

}  // namespace magpie::image
