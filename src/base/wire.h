#pragma once
// A compact binary form for records that travel between our own processes or lie in our own logs: LEB128 varints, length-prefixed
// bytes, little-endian floats. Readers check every length against what is left, so damaged or hostile bytes give kCorrupt.
//   WireWriter out;  out.u64(7); out.bytes("abc");
//   WireReader in(out.text());  std::uint64_t n = in.u64();  std::string_view s = in.bytes();  MAGPIE_TRY_DO(in.finish());
// A reader that has failed returns zeros and empty views; check once at the end with finish() (or ok()).
#include <bit>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace magpie {

class WireWriter {
 public:
  void u64(std::uint64_t value) {
    while (value >= 0x80) {
      out_ += static_cast<char>(value | 0x80);
      value >>= 7;
    }
    out_ += static_cast<char>(value);
  }
  void i64(std::int64_t value) { u64((static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63)); }
  void boolean(bool value) { u64(value ? 1 : 0); }
  void f64(double value) { fixed(std::bit_cast<std::uint64_t>(value)); }
  void bytes(std::string_view value) {
    u64(value.size());
    out_ += value;
  }
  void floats(std::span<const float> values) {
    u64(values.size());
    out_.append(reinterpret_cast<const char*>(values.data()), values.size_bytes());
  }
  void strings(const std::vector<std::string>& values) {
    u64(values.size());
    for (const std::string& value : values) bytes(value);
  }

  const std::string& text() const { return out_; }
  std::string take() { return std::move(out_); }

 private:
  void fixed(std::uint64_t value) { out_.append(reinterpret_cast<const char*>(&value), sizeof value); }
  std::string out_;
};

class WireReader {
 public:
  /// `text` must outlive the reader and every view it gave.
  explicit WireReader(std::string_view text) : rest_(text) {}

  std::uint64_t u64() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (rest_.empty()) return spoil();
      const auto byte = static_cast<unsigned char>(rest_.front());
      rest_.remove_prefix(1);
      value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) return value;
    }
    return spoil();
  }
  std::int64_t i64() {
    const std::uint64_t raw = u64();
    return static_cast<std::int64_t>(raw >> 1) ^ -static_cast<std::int64_t>(raw & 1);
  }
  bool boolean() { return u64() != 0; }
  double f64() {
    std::uint64_t value = 0;
    if (rest_.size() < sizeof value) return static_cast<double>(spoil());
    std::memcpy(&value, rest_.data(), sizeof value);
    rest_.remove_prefix(sizeof value);
    return std::bit_cast<double>(value);
  }
  std::string_view bytes() {
    const std::uint64_t size = u64();
    if (size > rest_.size()) {
      spoil();
      return {};
    }
    const std::string_view value = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return value;
  }
  std::string string() { return std::string(bytes()); }
  std::vector<float> floats() {
    const std::uint64_t count = u64();
    if (count > rest_.size() / sizeof(float)) {
      spoil();
      return {};
    }
    std::vector<float> values(count);
    if (count > 0) std::memcpy(values.data(), rest_.data(), count * sizeof(float));
    rest_.remove_prefix(count * sizeof(float));
    return values;
  }
  /// A count of things of at least one byte each: never more than the bytes left, so it is safe to reserve.
  std::size_t count() {
    const std::uint64_t value = u64();
    return value > rest_.size() ? static_cast<std::size_t>(spoil()) : static_cast<std::size_t>(value);
  }
  std::vector<std::string> strings() {
    std::vector<std::string> values(count());
    for (std::string& value : values) value = string();
    return values;
  }

  bool ok() const { return ok_; }
  bool at_end() const { return rest_.empty(); }
  std::string_view rest() const { return rest_; }
  /// kCorrupt if anything was cut short, or bytes are left over.
  Result<void> finish() const {
    if (!ok_) return fail(Code::kCorrupt, "record is cut short");
    if (!rest_.empty()) return fail(Code::kCorrupt, "record has {} bytes too many", rest_.size());
    return {};
  }

 private:
  std::uint64_t spoil() {
    ok_ = false;
    rest_ = {};
    return 0;
  }
  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace magpie
