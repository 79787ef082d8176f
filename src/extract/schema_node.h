#pragma once
// Looking around in schema.org items, from whichever markup: JSON-LD, microdata and RDFa share one shape (extract/json_value.h).
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "extract/json_value.h"

namespace magpie {

/// "https://schema.org/Product", "schema:Product" and "Product": all "product".
std::string schema_local_name(std::string_view text);

/// Whether the item has one of the types, by their local names in lower case.
bool is_schema_type(const JsonValue& node, std::initializer_list<std::string_view> names);

/// The value, or the first of a list; nullptr for none.
const JsonValue* only_value(const JsonValue* value);

/// The text of a member, the name of an item; empty for none.
std::string schema_text(const JsonValue& node, std::string_view key);

/// Calls `use` for every object in `items`, in order, those inside others too.
template <class Use>
void each_schema_object(const std::vector<JsonValue>& items, Use&& use) {
  std::vector<const JsonValue*> stack;
  for (auto item = items.rbegin(); item != items.rend(); ++item) stack.push_back(&*item);
  while (!stack.empty()) {
    const JsonValue* value = stack.back();
    stack.pop_back();
    if (value->is_object()) use(*value);
    for (auto member = value->members.rbegin(); member != value->members.rend(); ++member) stack.push_back(&member->second);
    for (auto item = value->items.rbegin(); item != value->items.rend(); ++item) stack.push_back(&*item);
  }
}

}  // namespace magpie
