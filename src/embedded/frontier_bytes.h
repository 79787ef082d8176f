#pragma once
// Fixed-width little-endian numbers, as the frontier's files have them beside base/wire.h's varints.
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace magpie {

static_assert(std::endian::native == std::endian::little, "the frontier's files are written as numbers lie in memory");

template <class Integer>
void append_fixed(std::string& out, Integer value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

/// As base/wire.h's WireWriter::u64().
inline void append_wire_u64(std::string& out, std::uint64_t value) {
  while (value >= 0x80) {
    out += static_cast<char>(value | 0x80);
    value >>= 7;
  }
  out += static_cast<char>(value);
}

/// `bytes` must reach that far.
template <class Integer>
Integer read_fixed(std::string_view bytes, std::size_t at = 0) {
  Integer value;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

}  // namespace magpie
