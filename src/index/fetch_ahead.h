#pragma once
// Rows that lie here and there in memory: each is asked for some rows before it is used, so that the processor waits for several at once.
#include <array>
#include <cstddef>

namespace magpie::index {

/// Asks for `bytes` from there on; does not wait.
inline void fetch(const void* from, std::size_t bytes) {
  constexpr std::size_t kLine = 64;
  for (std::size_t at = 0; at < bytes; at += kLine) __builtin_prefetch(static_cast<const char*>(from) + at);
}

/// A queue that gives each item back kAhead items later, in order. `use(item)` gets those that come out.
template <class Item>
class FetchAhead {
 public:
  template <class Use>
  void put(Item item, Use&& use) {
    Item& place = items_[count_++ % kAhead];
    if (count_ > kAhead) use(place);
    place = item;
  }
  /// Those that are still in it.
  template <class Use>
  void finish(Use&& use) {
    for (std::size_t at = count_ > kAhead ? count_ - kAhead : 0; at < count_; ++at) use(items_[at % kAhead]);
    count_ = 0;
  }

 private:
  static constexpr std::size_t kAhead = 8;
  std::array<Item, kAhead> items_{};
  std::size_t count_ = 0;
};

}  // namespace magpie::index
