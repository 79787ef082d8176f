#pragma once
// Guarded<T>: data that several threads share, reachable only while its lock is held.
//   Guarded<Totals> totals;
//   totals.with([&](Totals& t) { ++t.pages; });
// Keep the function short and call nothing unknown from inside it.
#include <mutex>
#include <utility>

namespace magpie {

template <class T>
class Guarded {
 public:
  Guarded() = default;
  explicit Guarded(T value) : value_(std::move(value)) {}
  Guarded(const Guarded&) = delete;
  Guarded& operator=(const Guarded&) = delete;

  /// Runs `use(T&)` under the lock and returns what it returns. Thread-safe. Never call with() of the same object inside.
  template <class Use>
  decltype(auto) with(Use&& use) {
    const std::lock_guard lock(mutex_);
    return std::forward<Use>(use)(value_);
  }
  template <class Use>
  decltype(auto) with(Use&& use) const {
    const std::lock_guard lock(mutex_);
    return std::forward<Use>(use)(value_);
  }

 private:
  mutable std::mutex mutex_;
  T value_{};
};

}  // namespace magpie
