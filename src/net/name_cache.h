#pragma once
// What is known of names until when, in a bounded number of entries. The one used the longest ago makes room.
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/deadline.h"
#include "base/result.h"
#include "net/address_guard.h"

namespace magpie {

/// Not thread-safe. find() and put() are O(1).
class NameCache {
 public:
  using Addresses = Result<std::vector<IpAddress>>;
  using TimePoint = Deadline::Clock::time_point;
  explicit NameCache(std::size_t names_max) : names_max_(names_max) {}

  /// Null when nothing is known, or not any more. Valid until the next put().
  const Addresses* find(std::string_view name, TimePoint now) {
    const auto found = places_.find(name);
    if (found == places_.end()) return nullptr;
    if (now >= found->second->until) {
      const auto entry = found->second;
      places_.erase(found);
      entries_.erase(entry);
      return nullptr;
    }
    entries_.splice(entries_.begin(), entries_, found->second);
    return &found->second->addresses;
  }

  void put(std::string name, Addresses addresses, TimePoint until) {
    if (const auto found = places_.find(name); found != places_.end()) {
      const auto entry = found->second;
      places_.erase(found);
      entries_.erase(entry);
    }
    while (!entries_.empty() && entries_.size() >= names_max_) {
      places_.erase(entries_.back().name);
      entries_.pop_back();
    }
    entries_.push_front({std::move(name), std::move(addresses), until});
    places_.emplace(entries_.front().name, entries_.begin());
  }

  std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    std::string name;
    Addresses addresses;
    TimePoint until;
  };
  std::size_t names_max_;
  std::list<Entry> entries_;                                                 // the one used last in front
  std::unordered_map<std::string_view, std::list<Entry>::iterator> places_;  // keys are the entries' own names
};

}  // namespace magpie
