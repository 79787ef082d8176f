#include "extract/schema_node.h"

#include <algorithm>

#include "base/ascii.h"

namespace magpie {

std::string schema_local_name(std::string_view text) {
  const std::size_t at = text.find_last_of("/#:");
  return ascii_lowered(at == std::string_view::npos ? text : text.substr(at + 1));
}

bool is_schema_type(const JsonValue& node, std::initializer_list<std::string_view> names) {
  const JsonValue* type = node.find("@type");
  if (type == nullptr) type = node.find("type");
  if (type == nullptr) return false;
  const auto matches = [&](const JsonValue& value) {
    return value.is_string() && std::find(names.begin(), names.end(), schema_local_name(value.text)) != names.end();
  };
  return type->is_array() ? std::any_of(type->items.begin(), type->items.end(), matches) : matches(*type);
}

const JsonValue* only_value(const JsonValue* value) {
  while (value != nullptr && value->is_array()) value = value->items.empty() ? nullptr : &value->items.front();
  return value;
}

std::string schema_text(const JsonValue& node, std::string_view key) {
  const JsonValue* value = only_value(node.find(key));
  if (value == nullptr) return {};
  return value->is_object() ? schema_text(*value, "name") : value->text;
}

}  // namespace magpie
