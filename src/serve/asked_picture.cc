#include "serve/asked_picture.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/utf8.h"
#include "core/records.h"
#include "serve/api_text.h"

namespace magpie {
namespace {

constexpr std::uint32_t kWeightMax = 100'000;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// "0.25" -> 2'500, of "0", "1" and what lies between with one to four digits behind the point; "0" may be left out before it.
std::optional<std::uint16_t> parse_share(std::string_view text) {
  constexpr std::size_t kDigitsMax = 4;
  const std::size_t point = std::min(text.find('.'), text.size());
  const std::string_view whole = text.substr(0, point), part = text.substr(std::min(point + 1, text.size()));
  const bool is_whole = point == text.size();
  if (whole != "0" && whole != "1" && !(whole.empty() && !is_whole)) return std::nullopt;
  if (is_whole != part.empty() || part.size() > kDigitsMax || !std::ranges::all_of(part, is_digit)) return std::nullopt;
  unsigned share = whole == "1" ? 1 : 0;
  for (std::size_t i = 0; i < kDigitsMax; ++i) share = share * 10 + (i < part.size() ? static_cast<unsigned>(part[i] - '0') : 0);
  return share <= PicturePart::kWhole ? std::optional(static_cast<std::uint16_t>(share)) : std::nullopt;
}

std::string share_text(std::uint16_t share) {
  std::string text = fmt::format("{}.{:04}", share / PicturePart::kWhole, share % PicturePart::kWhole);
  while (text.back() == '0') text.pop_back();
  if (text.back() == '.') text.pop_back();
  return text;
}

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

std::optional<PicturePart> parse_picture_part(std::string_view text) {
  PicturePart part;
  for (std::uint16_t* edge : {&part.left, &part.top, &part.width, &part.height}) {
    const bool is_last = edge == &part.height;
    const std::size_t comma = text.find(',');
    if (is_last != (comma == std::string_view::npos)) return std::nullopt;
    const auto share = parse_share(text.substr(0, comma));
    if (!share) return std::nullopt;
    *edge = *share;
    if (!is_last) text.remove_prefix(comma + 1);
  }
  return part.is_within() ? std::optional(part) : std::nullopt;
}

std::string box_problem(std::string_view text) {
  return fmt::format(
      "box is '{}'; it must be LEFT,TOP,WIDTH,HEIGHT, shares of the picture's sides from 0 to 1 and within it, such as 0.25,0,0.5,0.75",
      to_valid_utf8(utf8_prefix(text, 100)));
}

std::string to_text(const PicturePart& part) {
  return fmt::format("{},{},{},{}", share_text(part.left), share_text(part.top), share_text(part.width), share_text(part.height));
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
  if (const std::size_t sign = text.find('@'); sign != std::string_view::npos) {
    picture.part = parse_picture_part(text.substr(sign + 1));
    if (!picture.part) return std::nullopt;
    text = text.substr(0, sign);
  }
  if (const std::size_t point = text.find('.'); point != std::string_view::npos) {
    const auto region = parse_region(text.substr(point + 1));
    if (!region || picture.part) return std::nullopt;
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
  if (picture.part) text += "@" + to_text(*picture.part);
  if (picture.weight_thousandths != weight_preset) text += "*" + weight_text(picture.weight_thousandths);
  return text;
}

}  // namespace magpie
