#pragma once
// `magpie inspect …`: what Magpie's parts make of one input, without network or collection. Most take JSON Lines on stdin and
// give exactly one answer a line, flushed, in order; the question's id is echoed. The forms are fixed (docs/inspect.md).
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_writer.h"
#include "base/result.h"

namespace magpie::cmd {

/// Words behind `magpie inspect <what>`, e.g. {"--agent", "magpie"}.
using InspectArgs = std::vector<std::string>;

/// The value behind `--name`, if there; `args` keeps what is left.
std::optional<std::string> take_flag(InspectArgs& args, std::string_view name);

/// One line of stdin, parsed. Keys are looked up at the top level only.
class Question {
 public:
  class Parsed;
  explicit Question(const Parsed& parsed) : parsed_(parsed) {}
  /// The text of `key`, or the decoded bytes of `key_b64`. Nothing when absent or null; kBadInput when it is no text or bad base64.
  Result<std::optional<std::string>> text(std::string_view key) const;
  /// text(), with kBadInput when it is absent.
  Result<std::string> required(std::string_view key) const;
  /// Whether `key` itself is there as text.
  bool is_text(std::string_view key) const;
  std::optional<double> number(std::string_view key) const;
  /// `key` as raw JSON, e.g. for arrays; empty when absent.
  std::string raw(std::string_view key) const;

 private:
  const Parsed& parsed_;
};

/// Reads questions until the end of input. `answer` adds its keys to the object under way (the id stands there already); what it
/// wrote is dropped if it fails, and the error stands in its place. Returns the exit code, 0.
int answer_questions(const std::function<Result<void>(const Question&, JsonWriter&)>& answer);

/// Writes one line to stdout and flushes it.
void print_line(std::string_view json);

int inspect_url(InspectArgs args);
int inspect_domain(InspectArgs args);
int inspect_robots(InspectArgs args);
int inspect_sitemap(InspectArgs args);
int inspect_page(InspectArgs args);
int inspect_tree(InspectArgs args);
int inspect_price(InspectArgs args);
int inspect_image(InspectArgs args);
int inspect_duplicates(InspectArgs args);
int inspect_warc(InspectArgs args);
int inspect_warc_write(InspectArgs args);
int inspect_store(InspectArgs args);

}  // namespace magpie::cmd
