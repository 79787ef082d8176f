#include "collect/json_path.h"

#include <charconv>

namespace magpie::collect {
namespace {

using Step = JsonPath::Step;

Result<Step> parse_bracket(std::string_view inside, std::string_view whole) {
  if (inside.empty() || inside == "*") return Step{.kind = Step::Kind::kEveryElement};
  Step step{.kind = Step::Kind::kElement};
  const auto [end, error] = std::from_chars(inside.data(), inside.data() + inside.size(), step.index);
  if (error != std::errc() || end != inside.data() + inside.size())
    return fail(Code::kBadInput, "'{}': between brackets stands a number, '*' or nothing, not '{}'", whole, inside);
  return step;
}

}  // namespace

Result<JsonPath> JsonPath::parse(std::string_view text) {
  JsonPath path;
  path.text_ = text;
  if (text.empty()) return fail(Code::kBadInput, "a path is empty; '.' is the value itself");
  if (text == ".") return path;
  bool name_due = text.front() != '[';
  while (name_due || !text.empty()) {
    if (path.steps_.size() >= kStepsMax) return fail(Code::kBadInput, "'{}' has more than {} steps", path.text_, kStepsMax);
    if (name_due) {
      const std::string_view name = text.substr(0, std::min(text.find_first_of(".[]"), text.size()));
      if (name.empty()) return fail(Code::kBadInput, "'{}' lacks a name between its dots", path.text_);
      path.steps_.push_back(name == "*" ? Step{.kind = Step::Kind::kEveryMember} : Step{.name = std::string(name)});
      text.remove_prefix(name.size());
      name_due = false;
    } else if (text.front() == '.') {
      text.remove_prefix(1);
      name_due = true;
    } else {
      const std::size_t close = text.front() == '[' ? text.find(']') : std::string_view::npos;
      if (close == std::string_view::npos) return fail(Code::kBadInput, "'{}' has a bracket without its other half", path.text_);
      MAGPIE_TRY(Step step, parse_bracket(text.substr(1, close - 1), path.text_));
      path.steps_.push_back(std::move(step));
      text.remove_prefix(close + 1);
      if (!text.empty() && text.front() != '.' && text.front() != '[')
        return fail(Code::kBadInput, "'{}' lacks a dot behind a bracket", path.text_);
    }
  }
  return path;
}

}  // namespace magpie::collect
