#pragma once
// The values that were asked for last, by name: what is dear to make and is asked for again.
#include <cstddef>
#include <functional>
#include <list>
#include <map>
#include <string>
#include <utility>

namespace magpie {

/// Not thread-safe; Guarded<Recent<…>> is. Cost: a look-up by name.
template <class Value, class Key = std::string>
class Recent {
 public:
  explicit Recent(std::size_t size_max) : size_max_(size_max) {}

  /// Null when there is none; else it becomes the latest, and stays where it is until the next put().
  Value* get(const auto& name) {
    const auto found = places_.find(name);
    if (found == places_.end()) return nullptr;
    values_.splice(values_.begin(), values_, found->second);
    return &found->second->second;
  }
  /// Adds or replaces it; of too many the one goes that was longest not asked for.
  Value* put(Key name, Value value) {
    if (const auto known = places_.find(name); known != places_.end()) {
      values_.erase(known->second);
      places_.erase(known);
    }
    values_.emplace_front(name, std::move(value));
    places_.emplace(std::move(name), values_.begin());
    if (values_.size() > size_max_) {
      places_.erase(values_.back().first);
      values_.pop_back();
    }
    return &values_.front().second;
  }

 private:
  using Values = std::list<std::pair<Key, Value>>;  // the latest first
  std::size_t size_max_;
  Values values_;
  std::map<Key, typename Values::iterator, std::less<>> places_;
};

}  // namespace magpie
