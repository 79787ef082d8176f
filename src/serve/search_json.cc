#include "serve/search_json.h"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/utf8.h"

namespace magpie {
namespace {

using Element = simdjson::dom::element;

std::optional<std::string> scalar_text(const Element& element) {
  if (std::string_view text; element.get(text) == simdjson::SUCCESS) return std::string(text);
  if (bool value = false; element.get(value) == simdjson::SUCCESS) return value ? "true" : "false";
  if (std::uint64_t number = 0; element.get(number) == simdjson::SUCCESS) return fmt::format("{}", number);
  if (std::int64_t number = 0; element.get(number) == simdjson::SUCCESS) return fmt::format("{}", number);
  return std::nullopt;
}

tl::unexpected<Problem> wrong_value(std::string_view name) {
  return problem(400, "request_malformed", "{} must be a text, a whole number, true, false, or a list of those; amounts are texts",
                 to_valid_utf8(utf8_prefix(name, 100)));
}

Outcome<bool> add_value(std::string_view name, const Element& element, SearchParameters& parameters) {
  const auto text = scalar_text(element);
  if (!text) return wrong_value(name);
  if (parameters.size() == kSearchJsonValuesMax)
    return problem(400, "request_malformed", "a search may have {} values", kSearchJsonValuesMax);
  parameters.emplace_back(name, *text);
  return true;
}

/// A picture is written as a number where it is no more than an id.
bool is_plain_number(std::string_view text) {
  return !text.empty() && text.size() <= 16 && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

enum class Form { kText, kTexts, kPictures, kNumber, kBoolean };

Form form_of(std::string_view name) {
  constexpr std::array<std::string_view, 9> kTexts = {"shop", "category", "brand", "colour", "class", "size", "language", "label", "licence"};
  constexpr std::array<std::string_view, 4> kNumbers = {"pixels_min", "pixels_max", "per_shop", "per_brand"};
  if (name == "like" || name == "unlike") return Form::kPictures;
  if (std::ranges::find(kTexts, name) != kTexts.end()) return Form::kTexts;
  if (std::ranges::find(kNumbers, name) != kNumbers.end()) return Form::kNumber;
  return name == "same_class" || name == "beyond" ? Form::kBoolean : Form::kText;
}

void write_value(JsonWriter& json, Form form, const std::string& value) {
  const bool bare = form == Form::kNumber || form == Form::kBoolean || (form == Form::kPictures && is_plain_number(value));
  bare ? json.raw(value) : json.string(value);
}

}  // namespace

Outcome<SearchParameters> search_parameters_of_json(std::string_view json) {
  if (json.size() > kSearchJsonBytesMax)
    return problem(413, "request_too_large", "a search has at most {} bytes of JSON, not {}", kSearchJsonBytesMax, json.size());
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  if (parser.parse(json.data(), json.size()).get(object) != simdjson::SUCCESS)
    return problem(400, "request_malformed", "the body must be one JSON object, such as {{\"q\": \"red chair\"}}");
  SearchParameters parameters;
  for (const auto& field : object) {
    simdjson::dom::array values;
    if (field.value.get(values) != simdjson::SUCCESS) {
      SERVE_TRY([[maybe_unused]] const bool added, add_value(field.key, field.value, parameters));
      continue;
    }
    for (const Element value : values) { SERVE_TRY([[maybe_unused]] const bool added, add_value(field.key, value, parameters)); }
  }
  return parameters;
}

void write_search_json(JsonWriter& json, const SearchParameters& parameters, std::string_view sort) {
  json.begin_object();
  for (std::size_t i = 0; i < parameters.size();) {
    const std::string& name = parameters[i].first;
    const Form form = form_of(name);
    const bool is_list = form == Form::kTexts || form == Form::kPictures;
    json.key(name);
    if (is_list) json.begin_array();
    for (; i < parameters.size() && parameters[i].first == name; ++i) write_value(json, form, parameters[i].second);
    if (is_list) json.end_array();
  }
  if (std::ranges::find(parameters, "sort", &SearchParameters::value_type::first) == parameters.end()) json.field("sort", sort);
  json.end_object();
}

}  // namespace magpie
