#include "browser/devtools.h"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "base/json_writer.h"

namespace magpie::browser {

std::uint64_t DevTools::send(std::string_view method, std::string_view parameters, std::string_view session) {
  if (sent_ > 0 && sent_ == out_.size()) out_.clear(), sent_ = 0;
  JsonWriter json;
  json.begin_object().field("id", ++last_id_).field("method", method);
  if (!session.empty()) json.field("sessionId", session);
  json.key("params").raw(parameters).end_object();
  out_ += json.text();
  out_ += '\0';
  return last_id_;
}

Result<void> DevTools::flush() {
  while (sent_ < out_.size()) {
    const ssize_t written = ::send(socket_, out_.data() + sent_, out_.size() - sent_, MSG_NOSIGNAL);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return {};
    if (written < 0) return fail(Code::kUnavailable, "the browser has gone: {}", std::strerror(errno));
    sent_ += static_cast<std::size_t>(written);
  }
  out_.clear();
  sent_ = 0;
  return {};
}

Result<void> DevTools::read(const std::function<void(const DevToolsMessage&)>& use) {
  constexpr std::size_t kAtOnce = 256 << 10;
  while (true) {
    const std::size_t before = in_.size();
    in_.resize(before + kAtOnce);
    const ssize_t got = ::recv(socket_, in_.data() + before, kAtOnce, 0);
    const int reason = errno;
    in_.resize(before + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (got < 0 && reason == EINTR) continue;
    if (got < 0 && (reason == EAGAIN || reason == EWOULDBLOCK)) return {};
    if (got <= 0) return fail(Code::kUnavailable, "the browser has gone");
    std::size_t begin = 0, end = 0;
    while ((end = in_.find('\0', std::max(begin, scanned_))) != std::string::npos) {
      MAGPIE_TRY_DO(parse(std::string_view(in_).substr(begin, end - begin), use));
      begin = end + 1;
    }
    in_.erase(0, begin);
    scanned_ = in_.size();
    if (in_.size() > kMessageBytesMax) return fail(Code::kTooLarge, "the browser sends a message of over {} bytes", kMessageBytesMax);
  }
}

Result<void> DevTools::parse(std::string_view text, const std::function<void(const DevToolsMessage&)>& use) {
  simdjson::dom::element root;
  if (const auto error = parser_.parse(text.data(), text.size()).get(root))
    return fail(Code::kCorrupt, "the browser sends what is no JSON: {}", simdjson::error_message(error));
  DevToolsMessage message;
  message.id = id_at(root, "id");
  message.method = text_at(root, "method");
  message.session = text_at(root, "sessionId");
  message.error = text_at(root, "error", "message");
  const bool has_values = root[message.id > 0 ? "result" : "params"].get(message.values) == simdjson::SUCCESS;
  if (!has_values && message.error.empty()) return {};  // nothing that anybody waits for
  use(message);
  return {};
}

}  // namespace magpie::browser
