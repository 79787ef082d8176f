#pragma once
// The Chrome DevTools protocol (https://chromedevtools.github.io/devtools-protocol/, tot) over a pipe: commands out, answers and events in,
// each a JSON text behind which stands a zero byte.
#include <simdjson.h>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace magpie::browser {

/// An answer (id > 0) or an event (method not empty). Views live until the call that brought it returns.
struct DevToolsMessage {
  std::uint64_t id = 0;
  std::string_view method;
  std::string_view session;       // "" of the browser itself
  simdjson::dom::element values;  // of an answer its result, of an event its parameters; not to be read when `error` is set
  std::string_view error;         // of an answer: why the command failed
};

/// A value inside, by path: text_at(message.values, "request", "url"). "" and 0 for what is not there or of another kind.
template <class... Keys>
std::string_view text_at(simdjson::dom::element element, Keys... keys) {
  for (const std::string_view key : {std::string_view(keys)...}) {
    if (element[key].get(element) != simdjson::SUCCESS) return "";
  }
  std::string_view text;
  return element.get(text) == simdjson::SUCCESS ? text : std::string_view();
}
template <class... Keys>
double number_at(simdjson::dom::element element, Keys... keys) {
  for (const std::string_view key : {std::string_view(keys)...}) {
    if (element[key].get(element) != simdjson::SUCCESS) return 0;
  }
  double number = 0;
  return element.get(number) == simdjson::SUCCESS ? number : 0;
}
/// The same for numbers of things; 0 for what is negative, broken or too large, too.
template <class... Keys>
std::uint64_t id_at(simdjson::dom::element element, Keys... keys) {
  for (const std::string_view key : {std::string_view(keys)...}) {
    if (element[key].get(element) != simdjson::SUCCESS) return 0;
  }
  std::uint64_t id = 0;
  return element.get(id) == simdjson::SUCCESS ? id : 0;
}

/// One thread. The descriptor is non-blocking and must outlive the object.
class DevTools {
 public:
  /// A message beyond this is taken for the browser's failure.
  static constexpr std::size_t kMessageBytesMax = std::size_t{160} << 20;

  explicit DevTools(int socket) : socket_(socket) {}

  /// Queues a command and gives its number, from 1. `parameters` is a JSON object. Call flush() when the descriptor is writable.
  std::uint64_t send(std::string_view method, std::string_view parameters, std::string_view session = "");
  bool has_unsent() const { return sent_ < out_.size(); }
  /// Writes what the browser takes now. kUnavailable once it has gone.
  Result<void> flush();
  /// Reads what has come and calls `use` for each message. kUnavailable once it has gone, kCorrupt for what is no message.
  Result<void> read(const std::function<void(const DevToolsMessage&)>& use);

 private:
  Result<void> parse(std::string_view text, const std::function<void(const DevToolsMessage&)>& use);

  int socket_;
  std::uint64_t last_id_ = 0;
  std::string out_, in_;
  std::size_t sent_ = 0;     // of out_
  std::size_t scanned_ = 0;  // of in_: holds no zero byte before
  simdjson::dom::parser parser_;
};

}  // namespace magpie::browser
