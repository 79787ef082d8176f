#pragma once
// Where something stands in a JSON answer: names joined by dots, from the outside in.
//   results[].url      of every element of the list `results` the member `url`
//   images[0].artist   of the first one
//   data.*.file        of every member of `data` the member `file`, whatever the members are called
//   .                  the value itself
// A name may have any character but '.', '[' and ']'. What is not there is passed over.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace magpie::collect {

/// A value; reading is thread-safe.
class JsonPath {
 public:
  struct Step {
    enum class Kind : std::uint8_t { kMember, kEveryMember, kElement, kEveryElement };
    Kind kind = Kind::kMember;
    std::string name;       // of kMember
    std::size_t index = 0;  // of kElement
    bool operator==(const Step&) const = default;
  };
  static constexpr std::size_t kStepsMax = 32;

  /// The value itself.
  JsonPath() = default;
  /// kBadInput, saying what is wrong: an empty name, a bracket that does not close, more than kStepsMax steps.
  static Result<JsonPath> parse(std::string_view text);

  const std::vector<Step>& steps() const { return steps_; }
  /// As it was written.
  const std::string& text() const { return text_; }

 private:
  std::string text_ = ".";
  std::vector<Step> steps_;
};

}  // namespace magpie::collect
