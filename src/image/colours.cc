#include "image/colours.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <numeric>

#include "base/check.h"
#include "image/resize.h"

namespace magpie::image {
namespace {

constexpr std::uint32_t kWorkSide = 128;
constexpr double kBackgroundLightness = 85;
constexpr double kBackgroundChroma = 8;
constexpr double kBackgroundBorderShare = 0.5;  // of the border pixels, before anything is taken for background
constexpr double kForegroundShareMin = 0.02;
constexpr std::uint8_t kOpaque = 200;  // alpha from which a pixel's colour counts
constexpr std::size_t kDominantMax = 5;
constexpr double kSameColour = 12;  // CIE76 distance under which two clusters are told as one colour
constexpr float kShareMin = 0.01f;

struct Lab {
  double l = 0, a = 0, b = 0;
};

double distance2(const Lab& x, const Lab& y) {
  const double l = x.l - y.l, a = x.a - y.a, b = x.b - y.b;
  return l * l + a * a + b * b;
}

// The number of the first of those nearest; `of` gives the Lab of each.
template <class Ones, class Of>
std::size_t nearest_of(const Ones& ones, const Lab& lab, Of of) {
  std::size_t best = 0;
  double least = distance2(lab, of(ones[0]));
  for (std::size_t i = 1; i < ones.size(); ++i) {
    const double distance = distance2(lab, of(ones[i]));
    if (distance < least) best = i, least = distance;
  }
  return best;
}

double linear(std::uint8_t channel) {
  static const std::array<double, 256> table = [] {
    std::array<double, 256> made{};
    for (std::size_t i = 0; i < made.size(); ++i) {
      const double share = static_cast<double>(i) / 255;
      made[i] = share <= 0.04045 ? share / 12.92 : std::pow((share + 0.055) / 1.055, 2.4);
    }
    return made;
  }();
  return table[channel];
}
double curve(double t) { return t > 216.0 / 24389 ? std::cbrt(t) : (24389.0 / 27 * t + 16) / 116; }

// sRGB (IEC 61966-2-1) over XYZ (D65) to CIELAB.
Lab lab_of(Rgb colour) {
  const double r = linear(colour.red), g = linear(colour.green), b = linear(colour.blue);
  const double x = curve((0.4124564 * r + 0.3575761 * g + 0.1804375 * b) / 0.95047);
  const double y = curve(0.2126729 * r + 0.7151522 * g + 0.0721750 * b);
  const double z = curve((0.0193339 * r + 0.1191920 * g + 0.9503041 * b) / 1.08883);
  return {116 * y - 16, 500 * (x - y), 200 * (y - z)};
}

struct Example {
  Rgb rgb;
  ColourName name;
};

// Chosen by eye over the sRGB cube so that each word covers what people call by it, dark and pale shades included.
constexpr Example kExamples[] = {
    {{0, 0, 0}, ColourName::kBlack},        {{22, 22, 24}, ColourName::kBlack},    {{35, 30, 28}, ColourName::kBlack},
    {{255, 255, 255}, ColourName::kWhite},  {{240, 240, 240}, ColourName::kWhite}, {{250, 245, 232}, ColourName::kWhite},
    {{238, 242, 248}, ColourName::kWhite},  {{58, 58, 60}, ColourName::kGrey},     {{85, 85, 85}, ColourName::kGrey},
    {{110, 112, 116}, ColourName::kGrey},   {{128, 128, 128}, ColourName::kGrey},  {{165, 165, 165}, ColourName::kGrey},
    {{195, 195, 195}, ColourName::kGrey},   {{215, 215, 215}, ColourName::kGrey},  {{112, 122, 134}, ColourName::kGrey},
    {{255, 0, 0}, ColourName::kRed},        {{200, 20, 30}, ColourName::kRed},     {{139, 0, 0}, ColourName::kRed},
    {{220, 20, 60}, ColourName::kRed},      {{110, 15, 30}, ColourName::kRed},     {{205, 75, 75}, ColourName::kRed},
    {{75, 12, 18}, ColourName::kRed},       {{255, 140, 0}, ColourName::kOrange},  {{255, 165, 0}, ColourName::kOrange},
    {{230, 115, 30}, ColourName::kOrange},  {{255, 110, 60}, ColourName::kOrange}, {{255, 160, 100}, ColourName::kOrange},
    {{255, 255, 0}, ColourName::kYellow},   {{255, 215, 0}, ColourName::kYellow},  {{240, 225, 90}, ColourName::kYellow},
    {{255, 250, 160}, ColourName::kYellow}, {{215, 185, 45}, ColourName::kYellow}, {{0, 128, 0}, ColourName::kGreen},
    {{0, 255, 0}, ColourName::kGreen},      {{0, 80, 30}, ColourName::kGreen},     {{107, 142, 35}, ColourName::kGreen},
    {{115, 115, 25}, ColourName::kGreen},   {{144, 238, 144}, ColourName::kGreen}, {{46, 139, 87}, ColourName::kGreen},
    {{20, 45, 28}, ColourName::kGreen},     {{160, 200, 80}, ColourName::kGreen},  {{80, 92, 50}, ColourName::kGreen},
    {{125, 155, 120}, ColourName::kGreen},  {{0, 140, 115}, ColourName::kGreen},   {{0, 0, 255}, ColourName::kBlue},
    {{0, 0, 128}, ColourName::kBlue},       {{65, 105, 225}, ColourName::kBlue},   {{30, 144, 255}, ColourName::kBlue},
    {{135, 206, 235}, ColourName::kBlue},   {{70, 130, 180}, ColourName::kBlue},   {{22, 28, 62}, ColourName::kBlue},
    {{40, 62, 100}, ColourName::kBlue},     {{175, 210, 235}, ColourName::kBlue},  {{0, 200, 215}, ColourName::kBlue},
    {{0, 125, 140}, ColourName::kBlue},     {{95, 125, 165}, ColourName::kBlue},   {{128, 0, 128}, ColourName::kPurple},
    {{75, 0, 130}, ColourName::kPurple},    {{138, 43, 226}, ColourName::kPurple}, {{147, 112, 219}, ColourName::kPurple},
    {{186, 85, 211}, ColourName::kPurple},  {{70, 35, 75}, ColourName::kPurple},   {{200, 165, 215}, ColourName::kPurple},
    {{120, 85, 130}, ColourName::kPurple},  {{255, 192, 203}, ColourName::kPink},  {{255, 105, 180}, ColourName::kPink},
    {{255, 20, 147}, ColourName::kPink},    {{219, 112, 147}, ColourName::kPink},  {{255, 0, 255}, ColourName::kPink},
    {{238, 205, 205}, ColourName::kPink},   {{235, 150, 150}, ColourName::kPink},  {{139, 69, 19}, ColourName::kBrown},
    {{160, 82, 45}, ColourName::kBrown},    {{101, 67, 33}, ColourName::kBrown},   {{92, 64, 51}, ColourName::kBrown},
    {{205, 170, 125}, ColourName::kBrown},  {{180, 140, 105}, ColourName::kBrown}, {{145, 115, 85}, ColourName::kBrown},
    {{58, 38, 26}, ColourName::kBrown},     {{215, 195, 165}, ColourName::kBrown}, {{130, 100, 80}, ColourName::kBrown},
};

ColourName nearest_example(const Lab& lab) {
  static const std::vector<Lab> kLabs = [] {
    std::vector<Lab> labs;
    for (const Example& example : kExamples) labs.push_back(lab_of(example.rgb));
    return labs;
  }();
  return kExamples[nearest_of(kLabs, lab, [](const Lab& of) { return of; })].name;
}

// Colours on a grid of 32 steps a channel: what a pixel's Lab and name are is looked up, not computed.
constexpr std::size_t kBins = 32 * 32 * 32;

std::size_t bin_of(Rgb colour) { return std::size_t{colour.red} >> 3 << 10 | std::size_t{colour.green} >> 3 << 5 | colour.blue >> 3; }

// A bin's middle, stretched so that the outermost bins are pure black and white.
Rgb colour_of_bin(std::size_t bin) {
  const auto channel = [](std::size_t step) { return static_cast<std::uint8_t>((step * 255 + 15) / 31); };
  return {channel(bin >> 10), channel(bin >> 5 & 31), channel(bin & 31)};
}

struct Grid {
  std::array<Lab, kBins> labs;
  std::array<ColourName, kBins> names;
};

const Grid& grid() {
  static const std::unique_ptr<const Grid> made = [] {
    auto grid = std::make_unique<Grid>();
    for (std::size_t bin = 0; bin < kBins; ++bin) {
      grid->labs[bin] = lab_of(colour_of_bin(bin));
      grid->names[bin] = nearest_example(grid->labs[bin]);
    }
    return grid;
  }();
  return *made;
}

Rgb pixel_at(const Pixels& rgb, std::size_t i) {
  const std::uint8_t* p = rgb.data() + i * 3;
  return {p[0], p[1], p[2]};
}

enum Ground : std::uint8_t { kFront = 0, kPlain = 1, kBack = 2 };  // plain: could be background if joined to the border

std::vector<std::uint8_t> plain_pixels(const Pixels& rgb, const Pixels& with_alpha) {
  std::vector<std::uint8_t> ground(rgb.size().pixels(), kFront);
  for (std::size_t i = 0; i < ground.size(); ++i) {
    if (with_alpha.channels() == 4 && with_alpha.data()[i * 4 + 3] < kOpaque) {
      ground[i] = kBack;
      continue;
    }
    const Lab& lab = grid().labs[bin_of(pixel_at(rgb, i))];
    if (lab.l > kBackgroundLightness && std::hypot(lab.a, lab.b) < kBackgroundChroma) ground[i] = kPlain;
  }
  return ground;
}

std::vector<std::size_t> border_of(Size size) {
  std::vector<std::size_t> border;
  for (std::uint32_t y = 0; y < size.height; ++y) {
    const bool whole_row = y == 0 || y + 1 == size.height;
    for (std::uint32_t x = 0; x < size.width; x += whole_row ? 1 : std::max(1u, size.width - 1)) {
      border.push_back(std::size_t{y} * size.width + x);
    }
  }
  return border;
}

// Plain pixels that a path of plain or transparent ones joins to the border become background.
void spread_background(std::vector<std::uint8_t>& ground, Size size) {
  std::vector<std::size_t> open = border_of(size);
  const auto usable = [&](std::size_t i) { return ground[i] != kFront; };
  std::erase_if(open, [&](std::size_t i) { return !usable(i); });
  std::vector<bool> seen(ground.size(), false);
  for (const std::size_t i : open) seen[i] = true;
  const auto visit = [&](std::size_t i) {
    if (!seen[i] && usable(i)) {
      seen[i] = true;
      open.push_back(i);
    }
  };
  while (!open.empty()) {
    const std::size_t i = open.back();
    open.pop_back();
    ground[i] = kBack;
    const std::size_t x = i % size.width;
    if (x > 0) visit(i - 1);
    if (x + 1 < size.width) visit(i + 1);
    if (i >= size.width) visit(i - size.width);
    if (i + size.width < ground.size()) visit(i + size.width);
  }
}

std::vector<std::uint8_t> find_background(const Pixels& rgb, const Pixels& with_alpha) {
  std::vector<std::uint8_t> ground = plain_pixels(rgb, with_alpha);
  const std::vector<std::size_t> border = border_of(rgb.size());
  const auto plain = std::count_if(border.begin(), border.end(), [&](std::size_t i) { return ground[i] != kFront; });
  if (static_cast<double>(plain) >= kBackgroundBorderShare * static_cast<double>(border.size())) spread_background(ground, rgb.size());
  const auto back = std::count(ground.begin(), ground.end(), kBack);
  const bool nothing_left =
      static_cast<double>(ground.size() - static_cast<std::size_t>(back)) < kForegroundShareMin * static_cast<double>(ground.size());
  if (nothing_left) std::fill(ground.begin(), ground.end(), kFront);
  return ground;
}

// A colour on the grid with the number of pixels that have it.
struct Weighted {
  Lab lab;
  double weight = 0;
};

std::vector<Weighted> occupied_bins(const std::vector<std::uint32_t>& histogram) {
  std::vector<Weighted> bins;
  for (std::size_t bin = 0; bin < kBins; ++bin) {
    if (histogram[bin] > 0) bins.push_back({grid().labs[bin], static_cast<double>(histogram[bin])});
  }
  return bins;
}

std::size_t nearest(const std::vector<Weighted>& clusters, const Lab& lab) {
  return nearest_of(clusters, lab, [](const Weighted& cluster) { return cluster.lab; });
}

// Start colours: the most frequent, then each time the one that is frequent and far from those chosen.
std::vector<Weighted> start_clusters(const std::vector<Weighted>& bins) {
  std::vector<Weighted> clusters = {*std::max_element(bins.begin(), bins.end(), [](auto& a, auto& b) { return a.weight < b.weight; })};
  while (clusters.size() < kDominantMax) {
    const Weighted* best = nullptr;
    double best_score = 0;
    for (const Weighted& bin : bins) {
      const double score = bin.weight * distance2(bin.lab, clusters[nearest(clusters, bin.lab)].lab);
      if (score > best_score) best = &bin, best_score = score;
    }
    if (best == nullptr) break;
    clusters.push_back(*best);
  }
  return clusters;
}

std::vector<Weighted> move_to_means(const std::vector<Weighted>& bins, const std::vector<Weighted>& clusters) {
  std::vector<Weighted> sums(clusters.size());
  for (const Weighted& bin : bins) {
    Weighted& sum = sums[nearest(clusters, bin.lab)];
    sum.lab = {sum.lab.l + bin.weight * bin.lab.l, sum.lab.a + bin.weight * bin.lab.a, sum.lab.b + bin.weight * bin.lab.b};
    sum.weight += bin.weight;
  }
  std::erase_if(sums, [](const Weighted& sum) { return sum.weight == 0; });
  for (Weighted& sum : sums) sum.lab = {sum.lab.l / sum.weight, sum.lab.a / sum.weight, sum.lab.b / sum.weight};
  return sums;
}

// Two clusters closer than a person would name apart become one; repeated until none are.
void join_near(std::vector<Weighted>& clusters) {
  for (std::size_t i = 0; i < clusters.size(); ++i) {
    for (std::size_t k = i + 1; k < clusters.size(); ++k) {
      if (distance2(clusters[i].lab, clusters[k].lab) > kSameColour * kSameColour) continue;
      const double weight = clusters[i].weight + clusters[k].weight;
      const double part = clusters[k].weight / weight;
      Lab& lab = clusters[i].lab;
      lab = {std::lerp(lab.l, clusters[k].lab.l, part), std::lerp(lab.a, clusters[k].lab.a, part),
             std::lerp(lab.b, clusters[k].lab.b, part)};
      clusters[i].weight = weight;
      clusters.erase(clusters.begin() + static_cast<std::ptrdiff_t>(k));
      i = static_cast<std::size_t>(-1);  // from the start; there are at most five
      break;
    }
  }
}

double gamma(double linear_channel) {
  const double c = std::clamp(linear_channel, 0.0, 1.0);
  return c <= 0.0031308 ? 12.92 * c : 1.055 * std::pow(c, 1 / 2.4) - 0.055;
}

Rgb rgb_of(const Lab& lab) {
  const double fy = (lab.l + 16) / 116, fx = fy + lab.a / 500, fz = fy - lab.b / 200;
  const auto back = [](double f) { return f * f * f > 216.0 / 24389 ? f * f * f : (116 * f - 16) * 27 / 24389; };
  const double x = back(fx) * 0.95047, y = back(fy), z = back(fz) * 1.08883;
  const auto byte = [](double value) { return static_cast<std::uint8_t>(std::lround(gamma(value) * 255)); };
  return {byte(3.2404542 * x - 1.5371385 * y - 0.4985314 * z), byte(-0.9692660 * x + 1.8760108 * y + 0.0415560 * z),
          byte(0.0556434 * x - 0.2040259 * y + 1.0572252 * z)};
}

std::vector<DominantColour> dominant(const std::vector<std::uint32_t>& histogram, double pixels) {
  constexpr int kRounds = 8;
  const std::vector<Weighted> bins = occupied_bins(histogram);
  std::vector<Weighted> clusters = start_clusters(bins);
  for (int round = 0; round < kRounds; ++round) clusters = move_to_means(bins, clusters);
  join_near(clusters);
  std::stable_sort(clusters.begin(), clusters.end(), [](const Weighted& a, const Weighted& b) { return a.weight > b.weight; });
  std::vector<DominantColour> found;
  for (const Weighted& cluster : clusters) {
    const auto share = static_cast<float>(cluster.weight / pixels);
    if (share >= kShareMin || found.empty()) found.push_back({rgb_of(cluster.lab), share, nearest_example(cluster.lab)});
  }
  return found;
}

float mean_luma(const Pixels& rgb) {
  const Pixels grey = to_grey(rgb.view());
  const std::uint64_t sum = std::accumulate(grey.data(), grey.data() + grey.bytes(), std::uint64_t{0});
  return static_cast<float>(static_cast<double>(sum) / static_cast<double>(grey.bytes()));
}

}  // namespace

std::string_view to_string(ColourName name) {
  constexpr std::array<std::string_view, kColourNames> kNames = {"black", "white", "grey",   "red",  "orange", "yellow",
                                                                 "green", "blue",  "purple", "pink", "brown"};
  return kNames[static_cast<std::size_t>(name)];
}

ColourName name_of(Rgb colour) { return nearest_example(lab_of(colour)); }

ColourGrid colour_grid(PixelsView pixels) {
  MAGPIE_CHECK(pixels.size.pixels() > 0, "colours of an empty picture");
  // Made small before flattening: alpha weighs the colours there, so both orders give the same means.
  const Pixels cells = flatten_on_white(resize_area(pixels, {4, 4}));
  ColourGrid grid;
  for (std::size_t i = 0; i < grid.size(); ++i) grid[i] = pixel_at(cells, i);
  return grid;
}

double colour_distance(Rgb a, Rgb b) { return std::sqrt(distance2(lab_of(a), lab_of(b))); }

double colour_distance(const ColourGrid& a, const ColourGrid& b) {
  double largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) largest = std::max(largest, colour_distance(a[i], b[i]));
  return largest;
}

Colours colours_of(PixelsView pixels) {
  MAGPIE_CHECK(pixels.size.pixels() > 0 && pixels.channels >= 3, "colours of {} channels", pixels.channels);
  const Pixels small = shrink_to_fit(pixels, kWorkSide);
  const Pixels rgb = flatten_on_white(small.view());
  const std::vector<std::uint8_t> ground = find_background(rgb, small);

  Colours colours;
  std::vector<std::uint32_t> histogram(kBins, 0);
  double counted = 0;
  for (std::size_t i = 0; i < ground.size(); ++i) {
    if (ground[i] == kBack) continue;
    const std::size_t bin = bin_of(pixel_at(rgb, i));
    ++histogram[bin];
    ++colours.names[static_cast<std::size_t>(grid().names[bin])];
    ++counted;
  }
  for (float& share : colours.names) share /= static_cast<float>(counted);
  colours.dominant = dominant(histogram, counted);
  colours.brightness = mean_luma(rgb);
  colours.background = static_cast<float>(1 - counted / static_cast<double>(ground.size()));
  return colours;
}

}  // namespace magpie::image
