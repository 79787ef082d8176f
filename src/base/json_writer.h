#pragma once
// Writes JSON (RFC 8259) into one growing string, over std::to_chars: the API's speed is decided here, not in the HTTP server.
// Commas are placed by the writer. Text must be UTF-8; bytes that are not are replaced by U+FFFD, so the output always parses.
//   JsonWriter json;
//   json.begin_object().key("name").string("Magpie").key("sizes").begin_array().number(256).number(640).end_array().end_object();
//   std::string text = json.take();
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace magpie {

class JsonWriter {
 public:
  JsonWriter& begin_object();
  JsonWriter& end_object();
  JsonWriter& begin_array();
  JsonWriter& end_array();
  JsonWriter& key(std::string_view name);
  JsonWriter& string(std::string_view text);
  JsonWriter& boolean(bool value);
  JsonWriter& null();
  /// Not-a-number and infinities, which JSON cannot hold, become null.
  JsonWriter& number(double value);
  template <class Integer>
  requires std::is_integral_v<Integer> JsonWriter& number(Integer value) {
    if constexpr (std::is_signed_v<Integer>) return signed_number(value);
    else return unsigned_number(value);
  }
  /// `json` must be one valid JSON value; it is copied as it stands.
  JsonWriter& raw(std::string_view json);

  /// key() and value in one go; an empty optional-like text is the caller's to leave out.
  JsonWriter& field(std::string_view name, std::string_view text) { return key(name).string(text); }
  JsonWriter& field(std::string_view name, const char* text) { return key(name).string(text); }
  JsonWriter& field(std::string_view name, const std::string& text) { return key(name).string(text); }
  template <class T>
  requires std::is_arithmetic_v<T> JsonWriter& field(std::string_view name, T value) {
    key(name);
    if constexpr (std::is_same_v<T, bool>) return boolean(value);
    else return number(value);
  }

  const std::string& text() const { return out_; }
  /// Hands over the text; the writer is empty afterwards and can be used again.
  std::string take();

 private:
  JsonWriter& signed_number(std::int64_t value);
  JsonWriter& unsigned_number(std::uint64_t value);
  void separate();

  std::string out_;
  bool comma_ = false;
};

/// `text` as a JSON string with its quotes.
std::string json_quoted(std::string_view text);
/// Appends the same to `out`.
void append_json_quoted(std::string& out, std::string_view text);

}  // namespace magpie
