#pragma once
// An API's answer, read by its description. Foreign bytes: limits on size, depth and items hold before anything is kept.
#include <string_view>

#include "base/result.h"
#include "collect/description.h"
#include "collect/item.h"
#include "net/url.h"

namespace magpie::collect {

inline constexpr std::size_t kAnswerDepthMax = 64;

/// @param asked  the address that gave the answer; pictures' addresses are taken relative to it.
/// @param category  whose label items have that name none themselves.
/// kBadInput: no JSON, or nothing stands at `items`; kTooLarge: over limits.answer_bytes_max, kAnswerDepthMax, or limits.items_max.
/// Cost: one parse, simdjson's.
Result<Items> read_answer(std::string_view body, const Url& asked, const Description& description, const Category& category);

}  // namespace magpie::collect
