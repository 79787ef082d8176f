#include "learn/bridge.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "base/check.h"
#include "base/hash.h"
#include "base/wire.h"
#include "core/vector_index.h"
#include "vec/dot.h"
#include "vec/quantise.h"

namespace magpie::learn {
namespace {

constexpr std::string_view kMagic = "MGPBRDG1";
constexpr std::size_t kFileBytesMax = 1 << 30;
constexpr std::size_t kTextsMax = 200'000;
// Tried on stamps, once, outside of Magpie over the same vectors: 5 to 20 neighbours and a sharpness of 5 to 40 differ by no more than
// three points.
constexpr std::size_t kNeighbours = 20;
constexpr float kSharpness = 20;

void add_scaled(std::vector<float>& sum, std::span<const float> vector, float factor) {
  for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += factor * vector[i];
}

// Codes of padded length, as the dot products want them.
std::string padded_codes(std::string bytes) {
  bytes.resize(vec::padded(bytes.size()), static_cast<char>(128));
  return bytes;
}

void write_codes(WireWriter& out, const Codes& codes, std::size_t dims) {
  out.f64(codes.scale);
  out.bytes(std::string_view(codes.bytes).substr(0, dims));
}

Result<Codes> read_codes(WireReader& in, std::size_t dims) {
  Codes codes;
  codes.scale = static_cast<float>(in.f64());
  const std::string_view bytes = in.bytes();
  if (!in.ok() || bytes.size() != dims || !std::isfinite(codes.scale)) return fail(Code::kCorrupt, "a text's vector is cut short");
  codes.bytes = padded_codes(std::string(bytes));
  return codes;
}

bool all_finite(std::span<const float> values) {
  return std::ranges::all_of(values, [](float value) { return std::isfinite(value); });
}

void write_facts(WireWriter& out, const BridgeFacts& facts) {
  out.bytes(facts.text_space);
  out.bytes(facts.picture_space);
  for (const std::uint64_t count : {facts.pairs, facts.held_back, facts.pool, facts.pictures}) out.u64(count);
  out.i64(facts.trained_at_seconds);
  for (const double value : {facts.recall, double{facts.alike_min}, double{facts.closeness_min}}) out.f64(value);
}

BridgeFacts read_facts(WireReader& in) {
  BridgeFacts facts;
  facts.text_space = in.string();
  facts.picture_space = in.string();
  for (std::uint64_t* count : {&facts.pairs, &facts.held_back, &facts.pool, &facts.pictures}) *count = in.u64();
  facts.trained_at_seconds = in.i64();
  facts.recall = in.f64();
  facts.alike_min = static_cast<float>(in.f64());
  facts.closeness_min = static_cast<float>(in.f64());
  return facts;
}

}  // namespace

Codes encode_vector(std::span<const float> vector) {
  Codes codes;
  codes.bytes.resize(vec::padded(vector.size()));
  codes.scale = vec::quantise(vector, std::span(reinterpret_cast<std::uint8_t*>(codes.bytes.data()), codes.bytes.size())).scale;
  return codes;
}

Embedding decode_vector(const Codes& codes) {
  Embedding vector(codes.bytes.size());
  for (std::size_t i = 0; i < vector.size(); ++i)
    vector[i] = codes.scale * static_cast<float>(static_cast<int>(static_cast<std::uint8_t>(codes.bytes[i])) - 128);
  return vector;
}

Bridge::Bridge(Parts parts) : parts_(std::move(parts)) {
  MAGPIE_CHECK(parts_.line.size() == parts_.text_mean.size() * parts_.picture_mean.size(), "the line leads from texts to pictures");
  MAGPIE_CHECK(parts_.texts.size() == parts_.pictures.size(), "a text has a picture");
}

std::vector<float> Bridge::by_line(const std::vector<float>& centred) const {
  const std::size_t dims = parts_.picture_mean.size();
  std::vector<float> place(dims, 0.0F);
  for (std::size_t i = 0; i < centred.size(); ++i) add_scaled(place, std::span(parts_.line).subspan(i * dims, dims), centred[i]);
  return place;
}

std::vector<float> Bridge::by_neighbours(const std::vector<float>& centred, float& alike) const {
  const vec::QuantisedQuery query(centred);
  const auto dot = vec::dot_functions().codes;
  std::vector<float> likeness(parts_.texts.size());
  for (std::size_t i = 0; i < likeness.size(); ++i) {
    const auto* codes = reinterpret_cast<const std::uint8_t*>(parts_.texts[i].bytes.data());
    likeness[i] = query.similarity(dot(codes, query.values.data(), query.values.size()), {.scale = parts_.texts[i].scale});
  }
  std::vector<std::uint32_t> order(likeness.size());
  std::iota(order.begin(), order.end(), 0U);
  const std::size_t count = std::min(kNeighbours, order.size());
  std::ranges::partial_sort(order, order.begin() + static_cast<std::ptrdiff_t>(count),
                            [&](std::uint32_t a, std::uint32_t b) { return std::pair(-likeness[a], a) < std::pair(-likeness[b], b); });
  std::vector<float> place(parts_.picture_mean.size(), 0.0F);
  alike = count > 0 ? likeness[order[0]] : 0;
  for (std::size_t i = 0; i < count; ++i) {
    const float weight = std::exp(kSharpness * (likeness[order[i]] - alike));
    add_scaled(place, decode_vector(parts_.pictures[order[i]]), weight);
  }
  return place;
}

Bridge::Guess Bridge::guess(const Embedding& words) const {
  std::vector<float> centred(words.begin(), words.end());
  for (std::size_t i = 0; i < centred.size(); ++i) centred[i] -= parts_.text_mean[i];
  std::vector<float> line = by_line(centred);
  vec::normalise(centred);
  Guess guess;
  guess.vector = by_neighbours(centred, guess.alike);
  vec::normalise(guess.vector);
  if (vec::normalise(line)) add_scaled(guess.vector, line, 1);
  vec::normalise(guess.vector);
  return guess;
}

Result<std::optional<WordsPlace>> Bridge::place(const Embedding& words) const {
  if (words.size() != parts_.text_mean.size())
    return fail(Code::kBadInput, "the words have {} components, the bridge's {}", words.size(), parts_.text_mean.size());
  Guess found = guess(words);
  if (found.alike < parts_.facts.alike_min) return std::optional<WordsPlace>();
  return std::optional(WordsPlace{std::move(found.vector), parts_.facts.closeness_min});
}

std::string Bridge::encode() const {
  WireWriter out;
  write_facts(out, parts_.facts);
  for (const std::vector<float>* values : {&parts_.text_mean, &parts_.picture_mean, &parts_.line}) out.floats(*values);
  out.u64(parts_.texts.size());
  for (std::size_t i = 0; i < parts_.texts.size(); ++i) {
    write_codes(out, parts_.texts[i], parts_.text_mean.size());
    write_codes(out, parts_.pictures[i], parts_.picture_mean.size());
  }
  const std::uint32_t sum = crc32c(out.text());
  std::string bytes(kMagic);
  bytes.append(reinterpret_cast<const char*>(&sum), sizeof sum);
  return bytes + out.text();
}

Result<Bridge> Bridge::decode(std::string_view bytes) {
  constexpr std::size_t kHead = kMagic.size() + sizeof(std::uint32_t);
  if (bytes.size() < kHead || !bytes.starts_with(kMagic)) return fail(Code::kCorrupt, "no bridge of this version");
  std::uint32_t sum = 0;
  std::memcpy(&sum, bytes.data() + kMagic.size(), sizeof sum);
  if (crc32c(bytes.substr(kHead)) != sum) return fail(Code::kCorrupt, "damaged (its checksum is another)");
  WireReader in(bytes.substr(kHead));
  Parts parts;
  parts.facts = read_facts(in);
  for (std::vector<float>* values : {&parts.text_mean, &parts.picture_mean, &parts.line}) *values = in.floats();
  const std::size_t from = parts.text_mean.size(), to = parts.picture_mean.size();
  const bool fits = from > 0 && to > 0 && from <= kVectorDimsMax && to <= kVectorDimsMax && parts.line.size() == from * to;
  if (!in.ok() || !fits || !all_finite(parts.text_mean) || !all_finite(parts.picture_mean) || !all_finite(parts.line))
    return fail(Code::kCorrupt, "its numbers do not fit one another");
  const std::size_t count = in.count();
  if (count > kTextsMax) return fail(Code::kCorrupt, "{} texts; {} at most", count, kTextsMax);
  for (std::size_t i = 0; i < count; ++i) {
    MAGPIE_TRY(Codes text, read_codes(in, from));
    MAGPIE_TRY(Codes picture, read_codes(in, to));
    parts.texts.push_back(std::move(text));
    parts.pictures.push_back(std::move(picture));
  }
  MAGPIE_TRY_DO(in.finish());
  return Bridge(std::move(parts));
}

Result<void> Bridge::save(const fs::path& file) const { return write_file_atomic(file, encode()); }

Result<Bridge> Bridge::load(const fs::path& file) {
  MAGPIE_TRY(const std::string bytes, read_file(file, kFileBytesMax));
  auto bridge = decode(bytes);
  if (!bridge) return fail(bridge.error(), file.string() + "; magpie bridge train makes it anew");
  return bridge;
}

}  // namespace magpie::learn
