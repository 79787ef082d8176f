#include "app/text_vectors.h"

#include <cstring>

#include "base/hash.h"
#include "base/wire.h"
#include "core/vector_index.h"

namespace magpie {
namespace {

constexpr std::string_view kMagic = "MGPTXTS1";
constexpr std::uint64_t kSeed = 0x7465'7874;
constexpr std::size_t kHead = kMagic.size() + sizeof(std::uint32_t);

}  // namespace

TextVectors TextVectors::load(const fs::path& file, const std::string& space) {
  TextVectors empty;
  empty.space_ = space;
  const auto bytes = read_file(file);
  if (!bytes || bytes->size() < kHead || !bytes->starts_with(kMagic)) return empty;
  const std::string_view rest = std::string_view(*bytes).substr(kHead);
  std::uint32_t sum = 0;
  std::memcpy(&sum, bytes->data() + kMagic.size(), sizeof sum);
  if (crc32c(rest) != sum) return empty;
  WireReader in(rest);
  if (in.bytes() != space) return empty;
  TextVectors vectors = empty;
  for (std::size_t left = in.count(); left > 0 && in.ok(); --left) {
    const std::uint64_t hash = in.u64();
    Kept& kept = vectors.vectors_[hash];
    kept.codes.scale = static_cast<float>(in.f64());
    kept.codes.bytes = in.string();
    kept.dims = kept.codes.bytes.size();
    if (kept.dims == 0 || kept.dims > kVectorDimsMax) return empty;
  }
  return in.finish() ? vectors : empty;
}

Result<void> TextVectors::save(const fs::path& file) const {
  WireWriter out;
  out.bytes(space_);
  out.u64(vectors_.size());
  for (const auto& [hash, kept] : vectors_) {
    out.u64(hash);
    out.f64(kept.codes.scale);
    out.bytes(std::string_view(kept.codes.bytes).substr(0, kept.dims));
  }
  const std::uint32_t sum = crc32c(out.text());
  std::string bytes(kMagic);
  bytes.append(reinterpret_cast<const char*>(&sum), sizeof sum);
  return write_file_atomic(file, bytes + out.text());
}

std::optional<Embedding> TextVectors::find(std::string_view text) const {
  const auto found = vectors_.find(signature64(text, kSeed));
  if (found == vectors_.end()) return std::nullopt;
  found->second.used = true;
  Embedding vector = learn::decode_vector(found->second.codes);
  vector.resize(found->second.dims);
  return vector;
}

void TextVectors::set(std::string_view text, const Embedding& vector) {
  vectors_[signature64(text, kSeed)] = {.codes = learn::encode_vector(vector), .dims = vector.size(), .used = true};
}

void TextVectors::drop_unused() {
  std::erase_if(vectors_, [](const auto& entry) { return !entry.second.used; });
}

}  // namespace magpie
