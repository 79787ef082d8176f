#pragma once
// A set of 64-bit signatures with one byte of state each, for tens of millions of entries: open addressing, 9 bytes a slot, filled to
// between 57 and 85 %, so 10.6 to 16 bytes an entry. A signature's home is its share of the table, so growing copies in order and
// touches memory front to back. Not thread-safe.
#include <cstddef>
#include <cstdint>
#include <vector>

namespace magpie {

class SignatureTable {
 public:
  SignatureTable() { allocate(1'024); }

  /// The state of an entry, or null. Valid until the next insert() or erase(). `signature` must not be 0.
  std::uint8_t* find(std::uint64_t signature) {
    const std::size_t at = locate(signature);
    return signatures_[at] == signature ? &states_[at] : nullptr;
  }
  const std::uint8_t* find(std::uint64_t signature) const { return const_cast<SignatureTable*>(this)->find(signature); }

  /// False when it is there already, and its state is left as it was.
  bool insert(std::uint64_t signature, std::uint8_t state) {
    if (size_ >= size_max_) grow();
    const std::size_t at = locate(signature);
    if (signatures_[at] == signature) return false;
    signatures_[at] = signature;
    states_[at] = state;
    ++size_;
    return true;
  }

  /// Takes an entry out again; for an insert() whose write failed.
  void erase(std::uint64_t signature) {
    std::size_t hole = locate(signature);
    if (signatures_[hole] != signature) return;
    // Entries behind the hole move into it unless that would put them before their home (Knuth 6.4, algorithm R).
    for (std::size_t at = next(hole); signatures_[at] != 0; at = next(at)) {
      const std::size_t from_home = distance(home(signatures_[at]), at);
      if (from_home < distance(hole, at)) continue;
      signatures_[hole] = signatures_[at];
      states_[hole] = states_[at];
      hole = at;
    }
    signatures_[hole] = 0;
    --size_;
  }

  std::size_t size() const { return size_; }
  std::size_t bytes() const { return signatures_.size() * (sizeof(std::uint64_t) + sizeof(std::uint8_t)); }

 private:
  __extension__ using Wide = unsigned __int128;

  void allocate(std::size_t slots) {
    signatures_.assign(slots, 0);
    states_.assign(slots, 0);
    size_max_ = slots * 85 / 100;
  }
  std::size_t home(std::uint64_t signature) const {
    return static_cast<std::size_t>((static_cast<Wide>(signature) * signatures_.size()) >> 64);
  }
  std::size_t next(std::size_t at) const { return at + 1 == signatures_.size() ? 0 : at + 1; }
  std::size_t distance(std::size_t from, std::size_t to) const { return to >= from ? to - from : to + signatures_.size() - from; }
  // The slot that holds it, or the empty one where it would go.
  std::size_t locate(std::uint64_t signature) const {
    std::size_t at = home(signature);
    while (signatures_[at] != 0 && signatures_[at] != signature) at = next(at);
    return at;
  }
  void grow() {
    const std::vector<std::uint64_t> signatures = std::move(signatures_);
    const std::vector<std::uint8_t> states = std::move(states_);
    allocate(signatures.size() + signatures.size() / 2);
    for (std::size_t i = 0; i < signatures.size(); ++i) {
      if (signatures[i] == 0) continue;
      const std::size_t at = locate(signatures[i]);
      signatures_[at] = signatures[i];
      states_[at] = states[i];
    }
  }

  std::vector<std::uint64_t> signatures_;  // 0: empty
  std::vector<std::uint8_t> states_;
  std::size_t size_ = 0;
  std::size_t size_max_ = 0;
};

}  // namespace magpie
