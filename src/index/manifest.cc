#include "index/manifest.h"

#include <cstring>

#include "base/hash.h"
#include "base/wire.h"

namespace magpie::index {
namespace {

constexpr std::string_view kMagic = "MAGPIDX1";
constexpr std::size_t kHeadBytes = 12;
constexpr const char* kFileName = "manifest";

void write_ordinals(WireWriter& out, const std::vector<std::uint32_t>& ordinals) {
  out.u64(ordinals.size());
  std::uint32_t previous = 0;
  for (const std::uint32_t ordinal : ordinals) {
    out.u64(ordinal - previous);
    previous = ordinal;
  }
}

/// False when an ordinal is not below `rows` or they do not ascend.
bool read_ordinals(WireReader& in, std::uint32_t rows, std::vector<std::uint32_t>& ordinals) {
  const std::size_t count = in.count();
  if (count > rows) return false;
  std::uint64_t ordinal = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint64_t step = in.u64();
    if (step > rows || (i > 0 && step == 0)) return false;
    ordinal += step;
    if (ordinal >= rows) return false;
    ordinals.push_back(static_cast<std::uint32_t>(ordinal));
  }
  return true;
}

Failure damaged() { return fail(Code::kCorrupt, "the index manifest is damaged; magpie rebuild makes the index anew"); }

}  // namespace

std::string encode(const Manifest& manifest) {
  WireWriter out;
  out.u64(manifest.version);
  out.u64(manifest.next_segment);
  out.u64(manifest.dims);
  out.bytes(manifest.vector_space);
  out.u64(manifest.segments.size());
  for (const ManifestSegment& segment : manifest.segments) {
    out.u64(segment.number);
    out.u64(segment.documents);
    out.u64(segment.vectors);
    write_ordinals(out, segment.dead_documents);
    write_ordinals(out, segment.dead_vectors);
  }
  const std::uint32_t crc = crc32c(out.text());
  std::string bytes(kMagic);
  bytes.append(reinterpret_cast<const char*>(&crc), sizeof crc);
  return bytes + out.text();
}

Result<Manifest> decode_manifest(std::string_view bytes) {
  if (bytes.size() < kHeadBytes || !bytes.starts_with(kMagic)) return damaged();
  std::uint32_t crc = 0;
  std::memcpy(&crc, bytes.data() + kMagic.size(), sizeof crc);
  bytes.remove_prefix(kHeadBytes);
  if (crc32c(bytes) != crc) return damaged();

  WireReader in(bytes);
  Manifest manifest;
  manifest.version = in.u64();
  manifest.next_segment = in.u64();
  manifest.dims = static_cast<std::uint32_t>(in.u64());
  manifest.vector_space = in.string();
  const std::size_t count = in.count();
  for (std::size_t i = 0; i < count && in.ok(); ++i) {
    ManifestSegment segment;
    segment.number = in.u64();
    segment.documents = static_cast<std::uint32_t>(in.u64());
    segment.vectors = static_cast<std::uint32_t>(in.u64());
    const bool fine =
        read_ordinals(in, segment.documents, segment.dead_documents) && read_ordinals(in, segment.vectors, segment.dead_vectors);
    if (!fine) return damaged();
    manifest.segments.push_back(std::move(segment));
  }
  if (!in.finish()) return damaged();
  return manifest;
}

Result<Manifest> read_manifest(const fs::path& folder) {
  Result<std::string> bytes = read_file(folder / kFileName);
  if (!bytes && bytes.error().code == Code::kNotFound) return Manifest{};
  if (!bytes) return Failure(bytes.error());
  return decode_manifest(*bytes);
}

Result<void> write_manifest(const fs::path& folder, const Manifest& manifest) {
  return write_file_atomic(folder / kFileName, encode(manifest));
}

std::string segment_file_name(std::uint64_t number) { return fmt::format("segment-{:08}.seg", number); }

}  // namespace magpie::index
