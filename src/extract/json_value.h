#pragma once
// JSON as found in pages, which is often not quite JSON (RFC 8259). parse_json_texts reads valid JSON exactly and forgives what shops
// write: comments (<!-- -->, /* */, //), CDATA marks, trailing and missing commas, raw line feeds and other control characters in strings,
// single quotes, unquoted keys, unescaped quotes inside a string, wrong escapes, a text that is cut off, several texts one after another.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace magpie {

struct JsonValue {
  enum class Kind : std::uint8_t { kNull, kBoolean, kNumber, kString, kArray, kObject };
  Kind kind = Kind::kNull;
  std::string text;  // of a string; a number as written; "true" or "false"
  std::vector<JsonValue> items;
  std::vector<std::pair<std::string, JsonValue>> members;  // in order; a repeated key stands again

  // Out of line: a member of pairs with this very type needs it complete (clang insists).
  JsonValue();
  JsonValue(const JsonValue&);
  JsonValue(JsonValue&&) noexcept;
  JsonValue& operator=(const JsonValue&);
  JsonValue& operator=(JsonValue&&) noexcept;
  ~JsonValue();

  bool is_object() const { return kind == Kind::kObject; }
  bool is_array() const { return kind == Kind::kArray; }
  bool is_string() const { return kind == Kind::kString; }
  /// The first member of that name, or nullptr.
  const JsonValue* find(std::string_view key) const;
  static JsonValue string(std::string text);
};

inline constexpr std::size_t kJsonDepthMax = 128;

/// Every object or array in `text`, one after another; text that is none of these in between is skipped. Deeper than kJsonDepthMax, or past
/// `values_max` values, the rest is dropped. Never fails; linear.
std::vector<JsonValue> parse_json_texts(std::string_view text, std::size_t values_max = 500'000);

/// The object or array that `text` begins with, as parse_json_texts reads it; null where it begins with neither. What follows is not looked
/// at, so a text may be searched for many small objects.
JsonValue parse_json_start(std::string_view text, std::size_t values_max = 5'000);

/// Compact JSON that always parses, with members in order and numbers as written.
std::string to_json(const JsonValue& value);
void append_json(std::string& out, const JsonValue& value);

}  // namespace magpie
