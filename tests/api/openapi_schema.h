#pragma once
// Checks JSON against a schema of docs/openapi.yaml: the part of JSON Schema 2020-12 that the file uses.
#include <simdjson.h>
#include <yaml-cpp/yaml.h>

#include <regex>
#include <string>

#include "base/result.h"

namespace magpie {

class OpenApi {
 public:
  explicit OpenApi(const std::string& path) : root_(YAML::LoadFile(path)) {}

  /// What is wrong with `json` as a value of #/components/schemas/NAME, or "".
  std::string judge(const std::string& name, const std::string& json) const {
    simdjson::dom::parser parser;
    simdjson::dom::element value;
    if (const auto error = parser.parse(json).get(value)) return std::string("not JSON: ") + simdjson::error_message(error);
    return judge(root_["components"]["schemas"][name], value, "$");
  }
  bool has_operation(const std::string& path, const std::string& method) const { return bool(root_["paths"][path][method]); }
  /// The role that the key of an operation needs: "search", "manage", or "" for none.
  std::string role_of(const std::string& path, const std::string& method) const {
    const YAML::Node own = root_["paths"][path][method]["security"];
    for (const auto& way : own ? own : root_["security"]) {
      if (way["key"]) return way["key"][0].as<std::string>();
    }
    return "";
  }
  std::vector<std::string> paths() const {
    std::vector<std::string> all;
    for (const auto& path : root_["paths"]) all.push_back(path.first.as<std::string>());
    return all;
  }

 private:
  using Element = simdjson::dom::element;

  YAML::Node resolve(const YAML::Node& schema) const {
    if (!schema["$ref"]) return schema;
    const auto reference = schema["$ref"].as<std::string>();
    return root_["components"]["schemas"][reference.substr(reference.rfind('/') + 1)];
  }

  static bool is_type(const std::string& type, const Element& value) {
    if (type == "null") return value.is_null();
    if (type == "object") return value.is_object();
    if (type == "array") return value.is_array();
    if (type == "string") return value.is_string();
    if (type == "boolean") return value.is_bool();
    if (type == "integer") return value.is_int64() || value.is_uint64();
    return value.is_number();
  }

  std::string judge(const YAML::Node& given, const Element& value, const std::string& at) const {
    const YAML::Node schema = resolve(given);
    if (!schema) return at + ": no such schema";
    if (schema["oneOf"]) return judge_one_of(schema, value, at);
    if (schema["type"] && !has_type(schema["type"], value)) return at + ": wrong type: " + simdjson::minify(value);
    if (value.is_null()) return "";
    if (schema["enum"] && !is_listed(schema["enum"], value)) return at + ": not in the list: " + simdjson::minify(value);
    if (value.is_string()) return judge_text(schema, value, at);
    if (value.is_number()) return judge_number(schema, value, at);
    if (value.is_array()) return judge_array(schema, value, at);
    if (value.is_object()) return judge_object(schema, value, at);
    return "";
  }

  static bool has_type(const YAML::Node& types, const Element& value) {
    if (types.IsScalar()) return is_type(types.as<std::string>(), value);
    for (const auto& type : types) {
      if (is_type(type.as<std::string>(), value)) return true;
    }
    return false;
  }

  static bool is_listed(const YAML::Node& list, const Element& value) {
    for (const auto& one : list) {
      if (value.is_string() && one.as<std::string>() == std::string_view(value)) return true;
    }
    return false;
  }

  std::string judge_one_of(const YAML::Node& schema, const Element& value, const std::string& at) const {
    std::string why;
    for (const auto& one : schema["oneOf"]) {
      const std::string wrong = judge(one, value, at);
      if (wrong.empty()) return "";
      why += wrong + "; ";
    }
    return why;
  }

  static std::string judge_text(const YAML::Node& schema, const Element& value, const std::string& at) {
    const std::string text(std::string_view{value});
    if (schema["pattern"] && !std::regex_search(text, std::regex(schema["pattern"].as<std::string>()))) return at + ": pattern: " + text;
    if (schema["format"] && schema["format"].as<std::string>() == "date-time" &&
        !std::regex_match(text, std::regex(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)"))) {
      return at + ": no time: " + text;
    }
    return "";
  }

  static std::string judge_number(const YAML::Node& schema, const Element& value, const std::string& at) {
    const double number = double(value);
    if (schema["minimum"] && number < schema["minimum"].as<double>()) return at + ": too small";
    if (schema["maximum"] && number > schema["maximum"].as<double>()) return at + ": too large";
    return "";
  }

  std::string judge_array(const YAML::Node& schema, const Element& value, const std::string& at) const {
    std::size_t index = 0;
    for (const Element one : simdjson::dom::array(value)) {
      const std::string wrong = judge(schema["items"], one, at + "[" + std::to_string(index++) + "]");
      if (!wrong.empty()) return wrong;
    }
    return schema["maxItems"] && index > schema["maxItems"].as<std::size_t>() ? at + ": too many" : "";
  }

  /// Keys that the schema does not know are wrong here, even where it would allow them: the API sends what it describes.
  std::string judge_object(const YAML::Node& schema, const Element& value, const std::string& at) const {
    for (const auto& name : schema["required"]) {
      Element ignored;
      if (value[name.as<std::string>()].get(ignored) != simdjson::SUCCESS) return at + ": lacks " + name.as<std::string>();
    }
    for (const auto& field : simdjson::dom::object(value)) {
      const std::string key(field.key);
      const bool is_named = schema["properties"] && schema["properties"][key];
      const bool may_be_any = schema["additionalProperties"] && schema["additionalProperties"].IsMap();
      const YAML::Node known = is_named ? schema["properties"][key] : may_be_any ? schema["additionalProperties"] : YAML::Node();
      if (!is_named && !may_be_any) return at + ": undescribed key " + std::string(field.key);
      const std::string wrong = judge(known, field.value, at + "." + std::string(field.key));
      if (!wrong.empty()) return wrong;
    }
    return "";
  }

  YAML::Node root_;
};

}  // namespace magpie
