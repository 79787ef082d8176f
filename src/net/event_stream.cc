#include "net/event_stream.h"

#include <algorithm>

namespace magpie {

std::string event_text(std::string_view event, std::string_view data) {
  std::string text = "event: ";
  text.append(event).append("\n");
  while (true) {
    const std::size_t end = std::min(data.find_first_of("\r\n"), data.size());
    text.append("data: ").append(data.substr(0, end)).append("\n");
    if (end == data.size()) break;
    data.remove_prefix(end + (data.substr(end).starts_with("\r\n") ? 2 : 1));
  }
  return text.append("\n");
}

bool EventStream::push(std::string_view text) {
  bool taken = false;
  const auto wake = state_.with([&](State& state) {
    if (state.closed) return std::function<void()>();
    taken = state.waiting.size() + text.size() <= bytes_max_;
    if (taken) state.waiting += text;
    else state.closed = true;
    return state.wake;
  });
  if (wake) wake();
  return taken;
}

void EventStream::close() {
  const auto wake = state_.with([](State& state) {
    state.closed = true;
    return state.wake;
  });
  if (wake) wake();
}

bool EventStream::closed() const {
  return state_.with([](const State& state) { return state.closed; });
}

std::optional<std::string> EventStream::take() {
  return state_.with([](State& state) -> std::optional<std::string> {
    if (state.closed) return std::nullopt;
    return std::exchange(state.waiting, {});
  });
}

void EventStream::set_wake(std::function<void()> wake) {
  state_.with([&](State& state) { state.wake = std::move(wake); });
}

}  // namespace magpie
