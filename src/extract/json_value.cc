#include "extract/json_value.h"

#include "base/json_writer.h"
#include "base/utf8.h"

namespace magpie {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_' || c == '$' || c == '@' || c == '-' || c == '.';
}

// The number grammar of RFC 8259; anything else is kept as a string.
bool is_json_number(std::string_view text) {
  std::size_t at = 0;
  const auto digits = [&] {
    const std::size_t begin = at;
    while (at < text.size() && is_digit(text[at])) ++at;
    return at > begin;
  };
  if (at < text.size() && text[at] == '-') ++at;
  if (at < text.size() && text[at] == '0') {
    ++at;
  } else if (!digits()) {
    return false;
  }
  if (at < text.size() && text[at] == '.') {
    ++at;
    if (!digits()) return false;
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
    if (!digits()) return false;
  }
  return at == text.size();
}

class Reader {
 public:
  Reader(std::string_view text, std::size_t values_max) : text_(text), values_left_(values_max) {}

  JsonValue read_one() {
    skip_blank();
    return peek() == '{' || peek() == '[' ? value(0) : JsonValue();
  }

  std::vector<JsonValue> read_all() {
    std::vector<JsonValue> found;
    while (true) {
      skip_blank();
      if (at_ >= text_.size() || values_left_ == 0) return found;
      if (text_[at_] == '{' || text_[at_] == '[') {
        found.push_back(value(0));
      } else if (text_[at_] == '"') {
        value(0);  // a string of its own: stepped over whole, whatever brackets it holds
      } else {
        ++at_;
      }
    }
  }

 private:
  char peek(std::size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }
  bool starts(std::string_view what) const { return text_.substr(at_, what.size()) == what; }

  void skip_past(std::string_view end, std::size_t from) {
    const std::size_t found = text_.find(end, from);
    at_ = found == std::string_view::npos ? text_.size() : found + end.size();
  }

  // White space, control characters and everything that pages use as comments.
  void skip_blank() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (static_cast<unsigned char>(c) <= 0x20 || c == '\x7F') {
        ++at_;
      } else if (starts("\xEF\xBB\xBF")) {
        at_ += 3;
      } else if (starts("\xC2\xA0")) {
        at_ += 2;
      } else if (starts("/*")) {
        skip_past("*/", at_ + 2);
      } else if (starts("//")) {
        skip_line_comment();
      } else if (starts("<!--")) {
        skip_past("-->", at_ + 4);
      } else if (starts("<![CDATA[")) {
        at_ += 9;
      } else if (starts("]]>") || starts("-->")) {
        at_ += 3;
      } else {
        return;
      }
    }
  }

  // "//<![CDATA[" hides marks from old browsers; JSON may follow on the same line.
  void skip_line_comment() {
    at_ += 2;
    while (peek() == ' ') ++at_;
    if (starts("<![CDATA[") || starts("]]>")) return;
    skip_past("\n", at_);
  }

  JsonValue value(std::size_t depth) {
    skip_blank();
    if (at_ >= text_.size() || values_left_ == 0) {
      at_ = text_.size();
      return {};
    }
    --values_left_;
    switch (peek()) {
      case '{': return depth < kJsonDepthMax ? object(depth) : too_deep();
      case '[': return depth < kJsonDepthMax ? array(depth) : too_deep();
      case '"':
      case '\'': return JsonValue::string(quoted());
      default: return bare();
    }
  }

  // What nests deeper than any real page is given up with the rest of the text.
  JsonValue too_deep() {
    at_ = text_.size();
    return {};
  }

  JsonValue object(std::size_t depth) {
    JsonValue out;
    out.kind = JsonValue::Kind::kObject;
    ++at_;
    while (true) {
      skip_blank();
      const char c = peek();
      if (at_ >= text_.size()) return out;
      if (c == '}') {
        ++at_;
        return out;
      }
      if (c == ',' || c == ';') {
        ++at_;
        continue;
      }
      if (c == ']') return out;  // the brace was forgotten; the array outside ends here
      std::string key = c == '"' || c == '\'' ? quoted() : name();
      skip_blank();
      if (peek() == ':') {
        ++at_;
        JsonValue member = value(depth + 1);
        out.members.emplace_back(std::move(key), std::move(member));
      } else if (key.empty()) {
        ++at_;
      }
    }
  }

  JsonValue array(std::size_t depth) {
    JsonValue out;
    out.kind = JsonValue::Kind::kArray;
    ++at_;
    while (true) {
      skip_blank();
      const char c = peek();
      if (at_ >= text_.size()) return out;
      if (c == ']') {
        ++at_;
        return out;
      }
      if (c == ',' || c == ';' || c == ':') {
        ++at_;
        continue;
      }
      if (c == '}') {
        if (depth > 0) return out;
        ++at_;
        continue;
      }
      out.items.push_back(value(depth + 1));
    }
  }

  std::string name() {
    const std::size_t begin = at_;
    while (is_name(peek())) ++at_;
    return std::string(text_.substr(begin, at_ - begin));
  }

  JsonValue bare() {
    const std::size_t begin = at_;
    while (is_name(peek()) || peek() == '+') ++at_;
    if (at_ == begin) {
      ++at_;
      return {};
    }
    JsonValue out;
    out.text = text_.substr(begin, at_ - begin);
    if (is_json_number(out.text)) {
      out.kind = JsonValue::Kind::kNumber;
    } else if (out.text == "true" || out.text == "false") {
      out.kind = JsonValue::Kind::kBoolean;
    } else if (out.text == "null" || out.text == "undefined" || out.text == "NaN" || out.text == "Infinity" || out.text == "-Infinity") {
      out.text.clear();
    } else {
      out.kind = JsonValue::Kind::kString;
    }
    return out;
  }

  // In JSON a closing quote is always followed by one of these; any other quote was meant as text.
  bool closes(char quote) {
    if (peek() != quote) return false;
    std::size_t ahead = 1;
    while (ahead < 64 && static_cast<unsigned char>(peek(ahead)) <= 0x20 && at_ + ahead < text_.size()) ++ahead;
    const char next = peek(ahead);
    return at_ + ahead >= text_.size() || next == ',' || next == '}' || next == ']' || next == ':' || next == '/' || next == quote ||
           static_cast<unsigned char>(next) <= 0x20;
  }

  std::string quoted() {
    const char quote = peek();
    ++at_;
    std::string out;
    while (at_ < text_.size()) {
      const std::size_t plain = text_.find_first_of(quote == '"' ? "\"\\" : "'\\", at_);
      out += text_.substr(at_, plain - at_);
      at_ = plain == std::string_view::npos ? text_.size() : plain;
      if (at_ >= text_.size()) break;
      if (peek() == '\\') {
        escape(out);
      } else if (closes(quote)) {
        ++at_;
        break;
      } else {
        out += quote;
        ++at_;
      }
    }
    return out;
  }

  int hex4(std::size_t at) const {
    if (at + 4 > text_.size()) return -1;
    int code = 0;
    for (std::size_t i = at; i < at + 4; ++i) {
      const char c = text_[i];
      const int digit = is_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
      if (digit < 0) return -1;
      code = code * 16 + digit;
    }
    return code;
  }

  void escape(std::string& out) {
    const char c = peek(1);
    at_ += 2;
    switch (c) {
      case 'n': out += '\n'; return;
      case 't': out += '\t'; return;
      case 'r': out += '\r'; return;
      case 'b': out += '\b'; return;
      case 'f': out += '\f'; return;
      case 'u': return unicode_escape(out);
      case '\0': return;
      default: out += c; return;  // a wrong escape stands for its character
    }
  }

  void unicode_escape(std::string& out) {
    const int code = hex4(at_);
    if (code < 0) {
      out += "\\u";
      return;
    }
    at_ += 4;
    auto code_point = static_cast<char32_t>(code);
    const bool high = code_point >= 0xD800 && code_point < 0xDC00;
    if (high && starts("\\u")) {
      const int low = hex4(at_ + 2);
      if (low >= 0xDC00 && low < 0xE000) {
        code_point = 0x10000 + ((code_point - 0xD800) << 10) + (static_cast<char32_t>(low) - 0xDC00);
        at_ += 6;
      }
    }
    append_utf8(out, code_point);
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t values_left_;
};

}  // namespace

JsonValue::JsonValue() = default;
JsonValue::JsonValue(const JsonValue&) = default;
JsonValue::JsonValue(JsonValue&&) noexcept = default;
JsonValue& JsonValue::operator=(const JsonValue&) = default;
JsonValue& JsonValue::operator=(JsonValue&&) noexcept = default;
JsonValue::~JsonValue() = default;

const JsonValue* JsonValue::find(std::string_view key) const {
  for (const auto& [name, value] : members) {
    if (name == key) return &value;
  }
  return nullptr;
}

JsonValue JsonValue::string(std::string text) {
  JsonValue out;
  out.kind = Kind::kString;
  out.text = std::move(text);
  return out;
}

JsonValue parse_json_start(std::string_view text, std::size_t values_max) { return Reader(text, values_max).read_one(); }

std::vector<JsonValue> parse_json_texts(std::string_view text, std::size_t values_max) { return Reader(text, values_max).read_all(); }

void append_json(std::string& out, const JsonValue& value) {
  switch (value.kind) {
    case JsonValue::Kind::kNull: out += "null"; return;
    case JsonValue::Kind::kBoolean:
    case JsonValue::Kind::kNumber: out += value.text; return;
    case JsonValue::Kind::kString: append_json_quoted(out, value.text); return;
    case JsonValue::Kind::kArray: {
      out += '[';
      for (const JsonValue& item : value.items) {
        if (&item != &value.items.front()) out += ',';
        append_json(out, item);
      }
      out += ']';
      return;
    }
    case JsonValue::Kind::kObject: {
      out += '{';
      for (const auto& member : value.members) {
        if (&member != &value.members.front()) out += ',';
        append_json_quoted(out, member.first);
        out += ':';
        append_json(out, member.second);
      }
      out += '}';
      return;
    }
  }
}

std::string to_json(const JsonValue& value) {
  std::string out;
  append_json(out, value);
  return out;
}

}  // namespace magpie
