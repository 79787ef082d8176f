#pragma once
// How the API writes times, amounts and ids (docs/openapi.yaml), and how it reads them.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/json_writer.h"
#include "core/copies.h"
#include "core/records.h"

namespace magpie {

inline constexpr std::uint64_t kApiIdMax = (std::uint64_t{1} << 53) - 1;  // what every JSON reader holds exactly

/// RFC 3339 in UTC, to the second: "2026-11-21T23:14:05Z".
std::string api_time(Timestamp time);
/// RFC 3339 with any offset; fractions of a second are dropped. Nothing for anything else.
std::optional<Timestamp> parse_api_time(std::string_view text);

/// Whether it is ^[0-9]{1,15}(\.[0-9]{1,4})?$.
bool is_api_amount(std::string_view text);
bool has_currency_form(std::string_view text);
/// One of the eleven basic colour terms.
bool is_colour_name(std::string_view text);
/// All of them: "black, white, …".
std::string colour_names_text();
/// 1..kApiIdMax in digits.
std::optional<std::uint64_t> parse_api_id(std::string_view text);
/// "#7a5230".
std::string api_colour(std::uint32_t rgb);
/// "34.9" for 34'900'000.
std::string api_amount(std::int64_t micros);

/// `{"amount","currency"}`, or null for an offer whose price is unknown or cannot be written as an Amount.
void write_price(JsonWriter& json, const Offer& offer);
/// The text, or null when it is empty.
void write_text_or_null(JsonWriter& json, std::string_view key, std::string_view text);
void write_time_or_null(JsonWriter& json, std::string_view key, const std::optional<Timestamp>& time);

/// Why pictures are copies of one another, as an array (CopyLink of the API).
void write_copy_links(JsonWriter& json, const std::vector<CopyLink>& links);

}  // namespace magpie
