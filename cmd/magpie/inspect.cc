#include "inspect.h"

#include <simdjson.h>

#include <cstdio>
#include <cstdlib>

#include "base/hash.h"

namespace magpie::cmd {
namespace {

constexpr std::size_t kLineBytesMax = std::size_t{256} << 20;

/// Lines of stdin, by the C library: a page is a line of half a megabyte, and std::cin takes it byte by byte.
class InputLines {
 public:
  InputLines() = default;
  ~InputLines() { std::free(line_); }  // getline(3) allocates
  InputLines(const InputLines&) = delete;
  InputLines& operator=(const InputLines&) = delete;

  /// Without the line feed; it lives until the next call.
  std::optional<std::string_view> next() {
    const ssize_t size = ::getline(&line_, &capacity_, stdin);
    if (size < 0) return std::nullopt;
    std::string_view line(line_, static_cast<std::size_t>(size));
    if (line.ends_with('\n')) line.remove_suffix(1);
    return line;
  }

 private:
  char* line_ = nullptr;
  std::size_t capacity_ = 0;
};

std::string id_of(const simdjson::dom::element& root) {
  simdjson::dom::element id;
  return root["id"].get(id) == simdjson::SUCCESS ? simdjson::minify(id) : "null";
}

}  // namespace

class Question::Parsed {
 public:
  simdjson::dom::element root;
};

Result<std::optional<std::string>> Question::text(std::string_view key) const {
  simdjson::dom::element value;
  if (parsed_.root[key].get(value) == simdjson::SUCCESS && !value.is_null()) {
    std::string_view text;
    if (value.get(text) != simdjson::SUCCESS) return fail(Code::kBadInput, "'{}' must be a string", key);
    return std::optional<std::string>(text);
  }
  std::string_view encoded;
  if (parsed_.root[std::string(key) + "_b64"].get(encoded) == simdjson::SUCCESS) {
    auto bytes = base64_decode(encoded);
    if (!bytes) return fail(bytes.error(), fmt::format("'{}_b64'", key));
    return std::optional<std::string>(std::move(*bytes));
  }
  return std::optional<std::string>();
}

Result<std::string> Question::required(std::string_view key) const {
  MAGPIE_TRY(std::optional<std::string> value, text(key));
  if (!value) return fail(Code::kBadInput, "'{}' is missing", key);
  return std::move(*value);
}

std::optional<double> Question::number(std::string_view key) const {
  double value = 0;
  if (parsed_.root[key].get(value) != simdjson::SUCCESS) return std::nullopt;
  return value;
}

bool Question::is_text(std::string_view key) const { return parsed_.root[key].is_string(); }

std::string Question::raw(std::string_view key) const {
  simdjson::dom::element value;
  return parsed_.root[key].get(value) == simdjson::SUCCESS ? simdjson::minify(value) : "";
}

void print_line(std::string_view json) {
  std::fwrite(json.data(), 1, json.size(), stdout);
  std::fputc('\n', stdout);
  std::fflush(stdout);
}

int answer_questions(const std::function<Result<void>(const Question&, JsonWriter&)>& answer) {
  simdjson::dom::parser parser;
  InputLines lines;
  while (const auto line = lines.next()) {
    std::string id = "null";
    const auto answered = [&]() -> Result<std::string> {
      Question::Parsed parsed;
      if (line->size() > kLineBytesMax) return fail(Code::kTooLarge, "the line has over {} bytes", kLineBytesMax);
      if (const auto error = parser.parse(line->data(), line->size()).get(parsed.root))
        return fail(Code::kBadInput, "not JSON: {}", simdjson::error_message(error));
      if (!parsed.root.is_object()) return fail(Code::kBadInput, "the line is not a JSON object");
      id = id_of(parsed.root);
      JsonWriter json;
      json.begin_object().key("id").raw(id);
      MAGPIE_TRY_DO(answer(Question(parsed), json));
      json.end_object();
      return json.take();
    }();
    if (answered) {
      print_line(*answered);
    } else {
      JsonWriter json;
      json.begin_object().key("id").raw(id).field("error", answered.error().message).end_object();
      print_line(json.text());
    }
  }
  return 0;
}

std::optional<std::string> take_flag(InspectArgs& args, std::string_view name) {
  for (std::size_t i = 0; i + 1 < args.size(); ++i) {
    if (args[i] != name) continue;
    std::string value = args[i + 1];
    args.erase(args.begin() + static_cast<std::ptrdiff_t>(i), args.begin() + static_cast<std::ptrdiff_t>(i) + 2);
    return value;
  }
  return std::nullopt;
}

}  // namespace magpie::cmd
