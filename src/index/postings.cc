#include "index/postings.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <utility>

#include "base/check.h"

namespace magpie::index {
namespace {

constexpr std::size_t kFieldValuesMax = 16;
constexpr std::uint8_t kWithPositions = 0x80;
constexpr std::size_t kHeadBytes = 8;  // of a block, in front of all blocks

void append_varint(std::string& out, std::uint64_t value) {
  while (value >= 0x80) {
    out += static_cast<char>(value | 0x80);
    value >>= 7;
  }
  out += static_cast<char>(value);
}

/// Takes it off; nothing where it has no end.
std::uint64_t take_varint(const std::uint8_t*& at, const std::uint8_t* end) {
  std::uint64_t value = 0;
  for (unsigned shift = 0; at != end && shift < 63; shift += 7) {
    const std::uint8_t byte = *at++;
    value |= std::uint64_t{byte & 0x7FU} << shift;
    if (byte < 0x80) return value;
  }
  at = end;
  return 0;
}

void append_u32(std::string& out, std::uint32_t value) { out.append(reinterpret_cast<const char*>(&value), sizeof value); }

std::size_t packed_bytes(std::size_t count, unsigned bits) { return (count * bits + 7) / 8; }

template <class Value>
void pack(std::span<const Value> values, unsigned bits, std::string& out) {
  std::uint64_t pending = 0;
  unsigned filled = 0;
  for (const Value value : values) {
    pending |= std::uint64_t{value} << filled;
    for (filled += bits; filled >= 8; filled -= 8) {
      out += static_cast<char>(pending);
      pending >>= 8;
    }
  }
  if (filled > 0) out += static_cast<char>(pending);
}

/// The value at bit `bit`, of at most 32 bits.
std::uint32_t packed_value(const std::uint8_t* bytes, std::size_t bit, std::uint64_t mask) {
  std::uint64_t word = 0;
  std::memcpy(&word, bytes + bit / 8, sizeof word);
  return static_cast<std::uint32_t>((word >> (bit % 8)) & mask);
}

/// Sums up differences - 1 from `before` on; gives the last sum. The width is fixed so that the compiler knows every shift.
template <unsigned kBits>
std::uint64_t unpack_ordinals(const std::uint8_t* bytes, std::size_t count, std::uint64_t before, std::uint32_t* ordinals) {
  constexpr std::uint64_t kMask = (std::uint64_t{1} << kBits) - 1;
  constexpr std::size_t kGroup = 8;  // values that begin and end at a byte
  std::size_t i = 0;
  for (; i + kGroup <= count; i += kGroup, bytes += kBits) {
    for (std::size_t k = 0; k < kGroup; ++k) {
      before += std::uint64_t{packed_value(bytes, k * kBits, kMask)} + 1;
      ordinals[i + k] = static_cast<std::uint32_t>(before);
    }
  }
  for (std::size_t k = 0; i < count; ++i, ++k) {
    before += std::uint64_t{packed_value(bytes, k * kBits, kMask)} + 1;
    ordinals[i] = static_cast<std::uint32_t>(before);
  }
  return before;
}

using Unpacker = std::uint64_t (*)(const std::uint8_t*, std::size_t, std::uint64_t, std::uint32_t*);
constexpr unsigned kBitsMax = 32;
constexpr auto kUnpackers = []<unsigned... kBits>(std::integer_sequence<unsigned, kBits...>) {
  return std::array<Unpacker, sizeof...(kBits)>{unpack_ordinals<kBits>...};
}
(std::make_integer_sequence<unsigned, kBitsMax + 1>());

/// The field bytes of `count` postings, by their numbers among those known.
template <unsigned kBits>
void unpack_fields(const std::uint8_t* bytes, std::size_t count, const std::uint8_t* known, std::uint8_t* fields) {
  constexpr std::uint64_t kMask = (std::uint64_t{1} << kBits) - 1;
  constexpr std::size_t kGroup = 8;
  std::size_t i = 0;
  for (; i + kGroup <= count; i += kGroup, bytes += kBits) {
    for (std::size_t k = 0; k < kGroup; ++k) fields[i + k] = known[packed_value(bytes, k * kBits, kMask)];
  }
  for (std::size_t k = 0; i < count; ++i, ++k) fields[i] = known[packed_value(bytes, k * kBits, kMask)];
}
constexpr auto kFieldUnpackers = std::array{unpack_fields<0>, unpack_fields<1>, unpack_fields<2>, unpack_fields<3>, unpack_fields<4>};

void encode_block(std::span<const Posting> block, std::uint32_t before, std::string& out) {
  std::array<std::uint32_t, kPostingsInBlock> differences;
  std::array<std::uint8_t, kPostingsInBlock> fields, numbers;
  std::string values;  // different field bytes, as they come
  std::uint32_t all = 0;
  bool with_positions = false;
  for (std::size_t i = 0; i < block.size(); ++i) {
    differences[i] = block[i].ordinal - before - 1;
    before = block[i].ordinal;
    all |= differences[i];
    fields[i] = block[i].fields;
    std::size_t number = values.find(static_cast<char>(fields[i]));
    if (number == std::string::npos) {
      number = values.size();
      values += static_cast<char>(fields[i]);
    }
    numbers[i] = static_cast<std::uint8_t>(number);
    with_positions |= !block[i].positions.empty();
  }
  const auto bits = static_cast<unsigned>(std::bit_width(all));
  const bool numbered = values.size() <= kFieldValuesMax;
  out += static_cast<char>(bits);
  out += static_cast<char>((numbered ? values.size() : 0) | (with_positions ? kWithPositions : 0U));
  if (numbered) out += values;
  pack(std::span<const std::uint32_t>(differences.data(), block.size()), bits, out);
  if (numbered)
    pack(std::span<const std::uint8_t>(numbers.data(), block.size()), static_cast<unsigned>(std::bit_width(values.size() - 1)), out);
  else out.append(reinterpret_cast<const char*>(fields.data()), block.size());
  if (!with_positions) return;
  for (const Posting& posting : block) {
    if (posting.positions.empty()) out += '\0';
    else out += posting.positions;
  }
}

}  // namespace

void encode_positions(std::span<const std::uint32_t> positions, std::string& out) {
  std::uint32_t before = 0;
  for (std::size_t i = 0; i < positions.size(); ++i) {
    append_varint(out, 2 * (std::uint64_t{positions[i] - before} + 1) + (i + 1 == positions.size() ? 1 : 0));
    before = positions[i];
  }
}

std::vector<std::uint32_t> decode_positions(std::string_view encoded) {
  std::vector<std::uint32_t> positions;
  const auto* at = reinterpret_cast<const std::uint8_t*>(encoded.data());
  const auto* const end = at + encoded.size();
  std::uint64_t position = 0;
  while (at != end) {
    const std::uint64_t value = take_varint(at, end);
    if (value < 2) break;
    position += value / 2 - 1;
    if (position > std::numeric_limits<std::uint32_t>::max()) break;
    positions.push_back(static_cast<std::uint32_t>(position));
    if (value % 2 == 1) break;
  }
  return positions;
}

void encode_postings(std::span<const Posting> postings, std::string& out) {
  const std::size_t begin = out.size();
  const std::size_t blocks = (postings.size() + kPostingsInBlock - 1) / kPostingsInBlock;
  if (blocks > 1) out.append(blocks * kHeadBytes, '\0');
  std::uint32_t before = std::numeric_limits<std::uint32_t>::max();  // so that the first difference is its ordinal
  for (std::size_t block = 0; block < blocks; ++block) {
    const auto part = postings.subspan(block * kPostingsInBlock, std::min(kPostingsInBlock, postings.size() - block * kPostingsInBlock));
    if (blocks > 1) {
      std::string head;
      append_u32(head, part.back().ordinal);
      MAGPIE_CHECK(out.size() - begin <= std::numeric_limits<std::uint32_t>::max(), "more than 4 GiB of postings of one term");
      append_u32(head, static_cast<std::uint32_t>(out.size() - begin));
      out.replace(begin + block * kHeadBytes, kHeadBytes, head);
    }
    encode_block(part, before, out);
    before = part.back().ordinal;
  }
}

PostingCursor::PostingCursor(std::string_view bytes, std::uint32_t count, std::uint32_t documents, PostingLayout layout)
    : bytes_(reinterpret_cast<const std::uint8_t*>(bytes.data())),
      bytes_size_(bytes.size()),
      count_(count),
      documents_(documents),
      layout_(layout),
      blocks_((count + kPostingsInBlock - 1) / kPostingsInBlock) {
  if (layout_ == PostingLayout::kBlocks && blocks_ > 1 && blocks_ * kHeadBytes > bytes_size_) blocks_ = 0;
  load_next();
}

std::uint32_t PostingCursor::head(std::size_t block, std::size_t which) const {
  std::uint32_t value = 0;
  std::memcpy(&value, bytes_ + block * kHeadBytes + which * sizeof value, sizeof value);
  return value;
}

void PostingCursor::load_next() {
  at_ = size_ = 0;
  if (layout_ == PostingLayout::kVarints) {
    load_varints();
  } else if (block_ < blocks_) {
    if (!load_block(block_)) {
      size_ = 0;
      block_ = blocks_;
    }
  }
}

bool PostingCursor::load_block(std::size_t block) {
  block_ = block + 1;
  const std::size_t begin = blocks_ > 1 ? head(block, 1) : 0;
  const std::size_t end = block + 1 < blocks_ ? head(block + 1, 1) : bytes_size_;
  if (end > bytes_size_ || begin + 2 > end) return false;
  const auto count = static_cast<std::uint32_t>(std::min(kPostingsInBlock, count_ - block * kPostingsInBlock));
  const unsigned bits = bytes_[begin];
  const std::size_t values = bytes_[begin + 1] & ~std::size_t{kWithPositions};
  if (bits > kBitsMax || values > kFieldValuesMax) return false;
  const unsigned number_bits = values == 0 ? 8 : static_cast<unsigned>(std::bit_width(values - 1));
  const std::uint8_t* const value_of = bytes_ + begin + 2;
  const std::uint8_t* const packed = value_of + values;
  const std::uint8_t* const numbers = packed + packed_bytes(count, bits);
  const std::uint8_t* const after = numbers + packed_bytes(count, number_bits);
  if (after > bytes_ + end) return false;

  const std::uint64_t before = block == 0 ? std::numeric_limits<std::uint64_t>::max() : last_of(block - 1);
  const std::uint64_t last = kUnpackers[bits](packed, count, before, ordinals_.data());
  // What was jumped over was never unpacked, so that heads that contradict their blocks could lead back.
  if (last >= documents_ || (blocks_ > 1 && last != last_of(block)) || ordinals_[0] < least_) return false;
  least_ = static_cast<std::uint32_t>(last + 1);
  if (values == 0) {
    std::memcpy(fields_.data(), numbers, count);
  } else if (values == 1) {
    std::memset(fields_.data(), *value_of, count);
  } else {
    std::array<std::uint8_t, kFieldValuesMax> known{};
    std::memcpy(known.data(), value_of, values);
    kFieldUnpackers[number_bits](numbers, count, known.data(), fields_.data());
  }
  positions_of_ = 0;
  positions_at_ = after;
  positions_end_ = (bytes_[begin + 1] & kWithPositions) != 0 ? bytes_ + end : after;
  at_ = 0;
  size_ = count;
  return true;
}

bool PostingCursor::load_varints() {
  while (size_ < kPostingsInBlock && read_ < bytes_size_) {
    const std::uint8_t* at = bytes_ + read_;
    const std::uint64_t difference = take_varint(at, bytes_ + bytes_size_);
    if (at == bytes_ + bytes_size_) break;
    const std::uint64_t ordinal = difference + (size_ > 0 ? ordinals_[size_ - 1] : block_);
    if (ordinal >= documents_) break;
    ordinals_[size_] = static_cast<std::uint32_t>(ordinal);
    fields_[size_] = *at++;
    ++size_;
    read_ = static_cast<std::size_t>(at - bytes_);
  }
  if (size_ > 0) block_ = ordinals_[size_ - 1];  // what the next block's first difference is to
  return size_ > 0;
}

std::string_view PostingCursor::positions() {
  for (;; ++positions_of_) {
    if (positions_at_ == positions_end_) return {};
    const std::uint8_t* at = positions_at_;
    std::uint64_t value = take_varint(at, positions_end_);
    const bool known = value != 0;
    while (known && value % 2 == 0 && at != positions_end_) value = take_varint(at, positions_end_);
    if (positions_of_ == at_ && !known) return {};
    if (positions_of_ == at_) return {reinterpret_cast<const char*>(positions_at_), static_cast<std::size_t>(at - positions_at_)};
    positions_at_ = at;
  }
}

void PostingCursor::seek(std::uint32_t ordinal) {
  while (!at_end() && ordinals_[size_ - 1] < ordinal) {
    if (layout_ == PostingLayout::kBlocks && block_ < blocks_ && blocks_ > 1 && last_of(block_) < ordinal) {
      // Mostly the wanted block is near: steps of growing size, then between the last two.
      std::size_t step = 1, low = block_;
      while (low + step < blocks_ && last_of(low + step) < ordinal) {
        low += step;
        step *= 2;
      }
      std::size_t high = std::min(low + step, blocks_);  // blocks up to low end before it, block high does not, or is none
      while (low + 1 < high) {
        const std::size_t middle = low + (high - low) / 2;
        if (last_of(middle) < ordinal) low = middle;
        else high = middle;
      }
      block_ = high;
    }
    load_next();
  }
  at_ = place_of(ordinal);
}

// By halves, without a branch that depends on what is there.
std::uint32_t PostingCursor::place_of(std::uint32_t ordinal) const {
  std::uint32_t place = at_;
  for (std::uint32_t left = size_ - at_; left > 0;) {
    const std::uint32_t half = (left + 1) / 2;
    place += ordinals_[place + half - 1] < ordinal ? half : 0;
    left -= half;
  }
  return place;
}

}  // namespace magpie::index
