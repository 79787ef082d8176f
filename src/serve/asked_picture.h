#pragma once
// A picture in a search, as text:  PICTURE[.REGION][@PART][*WEIGHT]
//   12           picture 12 of the collection
//   12.3         what was detected in it under number 3
//   12@.2,0,.5,1 a part of it: left, top, width and height as shares of the picture's, at most four digits behind the point
//   12*0.5       half as heavy as one of weight 1
//   TOKEN*0.5    an uploaded picture, by the picture_token it was answered with; it has no regions and parts
// The same text stands in addresses, in JSON (where a number may stand for a plain id) and on the command line.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/picture_part.h"

namespace magpie {

struct AskedPicture {
  std::uint64_t id = 0;                  // 0: an uploaded picture
  std::string token;                     // of an uploaded picture
  std::uint16_t region = 0;              // 1..kRegionsMax; 0 the whole
  std::optional<PicturePart> part{};     // of a picture of the collection, without a region
  std::uint32_t weight_thousandths = 0;  // 1..100'000
  bool operator==(const AskedPicture&) const = default;

  float weight() const { return static_cast<float>(weight_thousandths) / 1'000; }
};

/// Weights that are not said, and not written: a picture that hits are to be unlike pushes less than one draws.
inline constexpr std::uint32_t kLikeWeight = 1'000, kUnlikeWeight = 500;

/// Nothing for any other text.
std::optional<AskedPicture> parse_asked_picture(std::string_view text, std::uint32_t weight_preset);
/// The shortest text that parses to it.
std::string to_text(const AskedPicture& picture, std::uint32_t weight_preset);
/// "0.2,0,0.5,1"; nothing for any other text, and for what is not within a picture.
std::optional<PicturePart> parse_picture_part(std::string_view text);
std::string to_text(const PicturePart& part);
/// Says what is wrong with the text of a part.
std::string box_problem(std::string_view text);
/// 16 to 64 letters, digits, '-' and '_', not digits alone.
bool is_picture_token(std::string_view text);

}  // namespace magpie
