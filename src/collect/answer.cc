#include "collect/answer.h"

#include <simdjson.h>

#include <algorithm>

namespace magpie::collect {
namespace {

using Element = simdjson::dom::element;
using Step = JsonPath::Step;

/// Calls `use` for each value at the path, until it returns false; false then.
template <class Use>
bool each_at(const Element& value, std::span<const Step> steps, const Use& use) {
  if (steps.empty()) return use(value);
  const Step& step = steps.front();
  const auto rest = steps.subspan(1);
  Element inner;
  simdjson::dom::object object;
  simdjson::dom::array array;
  switch (step.kind) {
    case Step::Kind::kMember: return value.at_key(step.name).get(inner) != simdjson::SUCCESS || each_at(inner, rest, use);
    case Step::Kind::kElement:
      if (value.get(array) != simdjson::SUCCESS || array.at(step.index).get(inner) != simdjson::SUCCESS) return true;
      return each_at(inner, rest, use);
    case Step::Kind::kEveryMember:
      if (value.get(object) != simdjson::SUCCESS) return true;
      return std::all_of(object.begin(), object.end(), [&](const auto& member) { return each_at(member.value, rest, use); });
    case Step::Kind::kEveryElement:
      if (value.get(array) != simdjson::SUCCESS) return true;
      return std::all_of(array.begin(), array.end(), [&](const Element& element) { return each_at(element, rest, use); });
  }
  return true;
}

/// Whether the path leads somewhere, were it to an empty list.
bool leads_somewhere(const Element& root, std::span<const Step> steps) {
  std::size_t fixed = 0;
  while (fixed < steps.size() && (steps[fixed].kind == Step::Kind::kMember || steps[fixed].kind == Step::Kind::kElement)) ++fixed;
  bool found = false;
  each_at(root, steps.first(fixed), [&](const Element& value) {
    found = fixed == steps.size() || (steps[fixed].kind == Step::Kind::kEveryElement ? value.is_array() : value.is_object());
    return false;
  });
  return found;
}

/// A text as it is, a number as written; nothing for all else.
std::string text_of(const Element& value) {
  std::string_view text;
  if (value.get(text) == simdjson::SUCCESS) return one_line(text);
  return value.is_number() ? std::string(simdjson::minify(value)) : std::string();
}

std::string first_text(const Element& item, const std::optional<JsonPath>& path) {
  std::string found;
  if (path) {
    each_at(item, path->steps(), [&](const Element& value) {
      found = text_of(value);
      return found.empty();
    });
  }
  return found;
}

/// Whether it may be meant as an address: sources write "none", "N/A" or "unknown" where they have none, which would be good relative ones.
bool looks_like_address(std::string_view text) {
  if (text.find_first_of(" \t\r\n") != std::string_view::npos) return false;
  return text.find("://") != std::string_view::npos || text.starts_with('/') || text.find('.') != std::string_view::npos;
}

/// http and https addresses only; "" for all else.
std::string address_of(const std::string& text, const Url& base) {
  if (!looks_like_address(text)) return {};
  const auto url = Url::parse(text, base);
  return url && url->is_http() && url->href().size() <= kItemTextBytesMax ? url->href() : std::string();
}

class AnswerReader {
 public:
  AnswerReader(const Url& asked, const Description& description, const Category& category)
      : asked_(asked), description_(description), category_(category) {}

  Result<Items> read(const Element& root) {
    if (!leads_somewhere(root, description_.items.steps()))
      return fail(Code::kBadInput, "{} answered without anything at '{}'", without_query(asked_), description_.items.text());
    bool full = false;
    each_at(root, description_.items.steps(), [&](const Element& item) {
      full = items_.items.size() + items_.malformed >= description_.limits.items_max;
      if (!full) take(item);
      return !full;
    });
    if (full)
      return fail(Code::kTooLarge, "{} gave more than {} items; limits.items_max", without_query(asked_), description_.limits.items_max);
    items_.next = first_text(root, description_.next);
    return std::move(items_);
  }

 private:
  void take(const Element& element) {
    const Fields& fields = description_.fields;
    Item item;
    item.labels = labels_of(element);
    item.artist = first_text(element, fields.artist);
    item.artist_url = address_of(first_text(element, fields.artist_url), asked_);
    item.page = address_of(first_text(element, fields.page), asked_);
    item.licence = first_text(element, fields.licence);
    if (item.licence.empty()) item.licence = description_.licence;
    bool any = false;
    each_at(element, fields.picture->steps(), [&](const Element& value) {
      std::string_view text;
      if (value.get(text) == simdjson::SUCCESS) item.picture = address_of(std::string(text), asked_);
      if (value.get(text) != simdjson::SUCCESS || item.picture.empty()) return true;
      any = true;
      items_.items.push_back(item);
      return items_.items.size() < description_.limits.items_max;
    });
    if (!any) ++items_.malformed;
  }

  std::vector<std::string> labels_of(const Element& element) const {
    std::vector<std::string> labels;
    if (description_.fields.label) {
      each_at(element, description_.fields.label->steps(), [&](const Element& value) {
        std::string label = text_of(value);
        if (!label.empty() && std::ranges::find(labels, label) == labels.end()) labels.push_back(std::move(label));
        return labels.size() < kItemLabelsMax;
      });
    }
    if (labels.empty() && !category_.label.empty()) labels.push_back(category_.label);
    return labels;
  }

  const Url& asked_;
  const Description& description_;
  const Category& category_;
  Items items_;
};

}  // namespace

Result<Items> read_answer(std::string_view body, const Url& asked, const Description& description, const Category& category) {
  if (body.size() > description.limits.answer_bytes_max)
    return fail(Code::kTooLarge, "{} answered with over {} bytes; limits.answer_bytes_max", without_query(asked),
                description.limits.answer_bytes_max);
  simdjson::dom::parser parser;
  if (parser.allocate(std::max<std::size_t>(body.size(), 64), kAnswerDepthMax) != simdjson::SUCCESS)
    return fail(Code::kTooLarge, "no memory for an answer of {} bytes", body.size());
  Element root;
  const simdjson::error_code error = parser.parse(simdjson::padded_string(body)).get(root);
  if (error == simdjson::DEPTH_ERROR || error == simdjson::CAPACITY)
    return fail(Code::kTooLarge, "{} answered with JSON nested deeper than {}", without_query(asked), kAnswerDepthMax);
  if (error != simdjson::SUCCESS)
    return fail(Code::kBadInput, "{} answered with what is no JSON: {}", without_query(asked), simdjson::error_message(error));
  return AnswerReader(asked, description, category).read(root);
}

}  // namespace magpie::collect
