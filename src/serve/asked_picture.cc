#include "serve/asked_picture.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "core/records.h"
#include "serve/api_text.h"

namespace magpie {
namespace {

constexpr std::uint32_t kWeightMax = 100'000;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// "0.5" -> 500; at most three digits before the point, and one to three behind it.
std::optional<std::uint32_t> parse_weight(std::string_view text) {
  const std::size_t point = std::min(text.find('.'), text.size());
  const std::string_view whole = text.substr(0, point);
  const std::string_view part = point == text.size() ? "0" : text.substr(point + 1);
  const auto fits = [](std::string_view digits) { return !digits.empty() && digits.size() <= 3 && std::ranges::all_of(digits, is_digit); };
  if (!fits(whole) || !fits(part)) return std::nullopt;
  std::uint32_t thousandths = 0;
  for (const char digit : whole) thousandths = thousandths * 10 + static_cast<std::uint32_t>(digit - '0');
  for (std::size_t i = 0; i < 3; ++i) thousandths = thousandths * 10 + (i < part.size() ? static_cast<std::uint32_t>(part[i] - '0') : 0);
  if (thousandths == 0 || thousandths > kWeightMax) return std::nullopt;
  return thousandths;
}

std::string weight_text(std::uint32_t thousandths) {
  std::string text = fmt::format("{}.{:03}", thousandths / 1'000, thousandths % 1'000);
  while (text.back() == '0') text.pop_back();
  if (text.back() == '.') text.pop_back();
  return text;
}

std::optional<std::uint16_t> parse_region(std::string_view text) {
  static_assert(kRegionsMax <= 9, "a region's number is one digit");
  const bool is_one = text.size() == 1 && text[0] >= '1' && text[0] <= static_cast<char>('0' + kRegionsMax);
  return is_one ? std::optional(static_cast<std::uint16_t>(text[0] - '0')) : std::nullopt;
}

}  // namespace

bool is_picture_token(std::string_view text) {
  constexpr std::size_t kBytesMin = 16, kBytesMax = 64;
  const auto is_sound = [](char c) { return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_'; };
  return text.size() >= kBytesMin && text.size() <= kBytesMax && std::ranges::all_of(text, is_sound) &&
         !std::ranges::all_of(text, is_digit);
}

std::optional<AskedPicture> parse_asked_picture(std::string_view text, std::uint32_t weight_preset) {
  AskedPicture picture{.weight_thousandths = weight_preset};
  if (const std::size_t star = text.find('*'); star != std::string_view::npos) {
    const auto weight = parse_weight(text.substr(star + 1));
    if (!weight) return std::nullopt;
    picture.weight_thousandths = *weight;
    text = text.substr(0, star);
  }
  if (is_picture_token(text)) {
    picture.token = text;
    return picture;
  }
  if (const std::size_t point = text.find('.'); point != std::string_view::npos) {
    const auto region = parse_region(text.substr(point + 1));
    if (!region) return std::nullopt;
    picture.region = *region;
    text = text.substr(0, point);
  }
  const auto id = parse_api_id(text);
  if (!id) return std::nullopt;
  picture.id = *id;
  return picture;
}

std::string to_text(const AskedPicture& picture, std::uint32_t weight_preset) {
  std::string text = picture.id == 0 ? picture.token : fmt::format("{}", picture.id);
  if (picture.region != 0) text += fmt::format(".{}", picture.region);
  if (picture.weight_thousandths != weight_preset) text += "*" + weight_text(picture.weight_thousandths);
  return text;
}

}  // namespace magpie
