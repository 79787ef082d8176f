#pragma once
// One reader's server-sent events (WHATWG HTML, "Server-sent events"). The producer pushes from any thread and never waits; the
// HTTP server takes what has gathered and writes it. A reader that falls too far behind is closed, not waited for.
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/guarded.h"

namespace magpie {

/// The text of one event; line breaks in `data` become further data lines.
std::string event_text(std::string_view event, std::string_view data);

/// Thread-safe.
class EventStream {
 public:
  /// @param bytes_max  text that may wait to be written before the stream is closed.
  explicit EventStream(std::size_t bytes_max = 1 << 20) : bytes_max_(bytes_max) {}

  /// Queues text made by event_text(). False once the stream is closed.
  bool push(std::string_view text);
  void close();
  bool closed() const;

  /// For the server: all that waits (may be empty); nothing once closed.
  std::optional<std::string> take();
  /// For the server: called after a push() or close(), outside the lock, from their threads. Set before the first take(); pass
  /// nothing to end it.
  void set_wake(std::function<void()> wake);

 private:
  struct State {
    std::string waiting;
    bool closed = false;
    std::function<void()> wake;
  };
  const std::size_t bytes_max_;
  Guarded<State> state_;
};

}  // namespace magpie
