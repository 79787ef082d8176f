#pragma once
// Bounded reads from foreign bytes. A read that would leave the view gives 0; parsers ask has() where that matters.
#include <cstdint>
#include <string_view>

namespace magpie::image {

inline bool has(std::string_view bytes, std::uint64_t at, std::uint64_t count) { return at <= bytes.size() && count <= bytes.size() - at; }
/// The part from `at`, at most `count` bytes; shorter or empty where the bytes end.
inline std::string_view part(std::string_view bytes, std::uint64_t at, std::uint64_t count = std::string_view::npos) {
  return at >= bytes.size() ? std::string_view() : bytes.substr(at, count);
}
inline std::uint8_t u8(std::string_view bytes, std::uint64_t at) { return has(bytes, at, 1) ? static_cast<std::uint8_t>(bytes[at]) : 0; }
inline std::uint16_t le16(std::string_view bytes, std::uint64_t at) {
  return has(bytes, at, 2) ? static_cast<std::uint16_t>(u8(bytes, at) | u8(bytes, at + 1) << 8) : 0;
}
inline std::uint16_t be16(std::string_view bytes, std::uint64_t at) {
  return has(bytes, at, 2) ? static_cast<std::uint16_t>(u8(bytes, at) << 8 | u8(bytes, at + 1)) : 0;
}
inline std::uint32_t le24(std::string_view bytes, std::uint64_t at) {
  return has(bytes, at, 3) ? le16(bytes, at) | std::uint32_t{u8(bytes, at + 2)} << 16 : 0;
}
inline std::uint32_t le32(std::string_view bytes, std::uint64_t at) {
  return has(bytes, at, 4) ? le16(bytes, at) | std::uint32_t{le16(bytes, at + 2)} << 16 : 0;
}
inline std::uint32_t be32(std::string_view bytes, std::uint64_t at) {
  return has(bytes, at, 4) ? std::uint32_t{be16(bytes, at)} << 16 | be16(bytes, at + 2) : 0;
}
inline std::uint64_t be64(std::string_view bytes, std::uint64_t at) {
  return has(bytes, at, 8) ? std::uint64_t{be32(bytes, at)} << 32 | be32(bytes, at + 4) : 0;
}
inline std::uint64_t le64(std::string_view bytes, std::uint64_t at) {
  return has(bytes, at, 8) ? le32(bytes, at) | std::uint64_t{le32(bytes, at + 4)} << 32 : 0;
}

}  // namespace magpie::image
