#pragma once
// Hashes for look-ups and checks. None but Sha256 resists an attacker; signature64 is seeded per collection so that
// nobody can prepare colliding URLs.
#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace magpie {

using Sha256 = std::array<std::uint8_t, 32>;

/// XXH3, 64 bits, seeded. Stable across runs and machines. About 10 GB/s on long input.
std::uint64_t signature64(std::string_view bytes, std::uint64_t seed);
/// CRC-32C (Castagnoli, RFC 3720 B.4). `crc` continues an earlier sum over the bytes before.
std::uint32_t crc32c(std::string_view bytes, std::uint32_t crc = 0);
Sha256 sha256(std::string_view bytes);
/// SHA-1 as WARC-Payload-Digest wants it: 32 upper-case base32 characters (RFC 4648). Not for security.
std::string sha1_base32(std::string_view bytes);

/// Lower-case hex.
std::string to_hex(std::span<const std::uint8_t> bytes);
/// 16 lower-case hex digits, highest first.
std::string to_hex(std::uint64_t value);
/// kBadInput unless `hex` is 64 hex digits.
Result<Sha256> sha256_from_hex(std::string_view hex);

std::string base64_encode(std::string_view bytes);
/// Standard alphabet; white space and missing padding are forgiven. kBadInput otherwise.
Result<std::string> base64_decode(std::string_view text);

/// Unpredictable bits from the system, for seeds and tokens. A thread draws some ahead: a child by fork() without exec() has the same.
std::uint64_t random_u64();

}  // namespace magpie
