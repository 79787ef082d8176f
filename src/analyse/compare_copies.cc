#include "analyse/compare_copies.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>
#include <utility>

#include "analyse/copy_proof.h"
#include "base/wire.h"
#include "image/decode.h"

namespace magpie::analyse {
namespace {

constexpr std::uint64_t kVersion = 1;
constexpr std::chrono::milliseconds kTimeMax{10'000};

Result<image::Pixels> decode_thumbnail(std::string_view jpeg, Deadline deadline) {
  MAGPIE_TRY(image::Decoded decoded, image::decode(jpeg, {.pixels_max = 4'000'000, .deadline = deadline}));
  return image::flatten_on_white(std::move(decoded.pixels));
}

Result<CopySketch> make_sketch_of(std::string_view jpeg, Deadline deadline) {
  MAGPIE_TRY(const image::Pixels pixels, decode_thumbnail(jpeg, deadline));
  return make_sketch(pixels.view(), pixels.size());
}

// As hashes and keypoints propose; a picture of stripes is near itself in several turns, of which one is enough.
std::vector<CopyGuess> guesses_between(const CopySketch& picture, const CopySketch& known) {
  std::vector<CopyGuess> guesses = guesses_by_hashes(picture, known);
  if (guesses.size() > 1) guesses.erase(guesses.begin() + 1, guesses.end());
  const std::vector<CopyGuess> more = guesses_by_keypoints(picture, known);
  guesses.insert(guesses.end(), more.begin(), more.end());
  return guesses;
}

struct Look {
  OverlapVerdict verdict = OverlapVerdict::kOther;
  image::Overlap overlap;
};

Result<Look> look_at(const CopySketch& picture, CopySketch& known, std::string_view thumbnail, Deadline deadline) {
  Look look;
  for (const CopyGuess& guess : guesses_between(picture, known)) {
    if (known.overlap.size().pixels() == 0) {  // its sketch was kept without
      MAGPIE_TRY(const image::Pixels pixels, decode_thumbnail(thumbnail, deadline));
      see_pixels(known, pixels.view());
    }
    const auto overlap = image::overlay(picture.overlap, known.overlap, guess.map);
    const OverlapVerdict verdict = overlap ? judge(*overlap, guess.evidence) : OverlapVerdict::kOther;
    if (verdict == OverlapVerdict::kOther) continue;
    look = {verdict, of_whole(*overlap, picture, known)};
    if (verdict == OverlapVerdict::kCopy) break;
  }
  return look;
}

// What a picture has been found to be among the candidates. Colours decide between the colours of one thing: a group with a picture that
// is this one in another colour is not joined, and a picture without colours, which would be a copy of each, joins those of one tone only.
class Verdicts {
 public:
  explicit Verdicts(const CopySketch& picture) : picture_(picture) {}

  bool is_settled(std::uint64_t group) const { return linked_.contains(group) || other_colours_.contains(group); }

  void take(std::size_t candidate, std::uint64_t group, const CopySketch& known, const Look& look) {
    if (look.verdict == OverlapVerdict::kOtherColour) {
      other_colours_.insert(group);
      candidates_of_other_colours_.push_back(candidate);
    }
    if (look.verdict != OverlapVerdict::kCopy) return;
    if (!picture_.tone && known.tone) {
      if (tone_ && !same_tone(*tone_, *known.tone)) return;
      tone_ = known.tone;
    }
    linked_.insert(group);
    found_.push_back({group, {candidate, describe(look.overlap), known.tone}});
  }

  std::vector<std::size_t> other_colours() && { return std::move(candidates_of_other_colours_); }
  std::vector<ProvenCopy> copies() && {
    std::vector<ProvenCopy> copies;
    for (auto& [group, copy] : found_) {
      if (!other_colours_.contains(group)) copies.push_back(std::move(copy));
    }
    return copies;
  }

 private:
  const CopySketch& picture_;
  std::set<std::uint64_t> linked_, other_colours_;
  std::vector<std::size_t> candidates_of_other_colours_;
  std::vector<std::pair<std::uint64_t, ProvenCopy>> found_;
  std::optional<Tone> tone_;
};

void write_tone(WireWriter& out, const std::optional<Tone>& tone) {
  out.f64(tone ? tone->red : 0);
  out.f64(tone ? tone->blue : 0);
}

std::optional<Tone> read_tone(WireReader& in, bool& good) {
  const Tone tone{in.f64(), in.f64()};
  good = good && std::abs(tone.red) <= 255 && std::abs(tone.blue) <= 255;
  return tone.red == 0 && tone.blue == 0 ? std::nullopt : std::optional(tone);
}

std::string encode(const CopyComparison& comparison) {
  WireWriter out;
  out.u64(kVersion);
  out.bytes(comparison.sketch);
  write_tone(out, comparison.tone);
  out.u64(comparison.other_colours.size());
  for (const std::size_t candidate : comparison.other_colours) out.u64(candidate);
  out.u64(comparison.copies.size());
  for (const ProvenCopy& copy : comparison.copies) {
    out.u64(copy.candidate);
    out.bytes(copy.words);
    write_tone(out, copy.tone);
  }
  return out.take();
}

}  // namespace

WorkRequest compare_request(std::string_view thumbnail, std::span<const CopyCandidate> candidates) {
  WireWriter out;
  out.bytes(thumbnail);
  const std::size_t count = std::min(candidates.size(), kCopyCandidatesMax);
  out.u64(count);
  for (const CopyCandidate& candidate : candidates.first(count)) {
    out.u64(candidate.group);
    out.bytes(candidate.thumbnail);
    out.bytes(candidate.sketch);
  }
  WorkRequest request;
  request.kind = kCompareCopies;
  request.payload = out.take();
  request.time_max = kTimeMax;
  return request;
}

Result<std::string> compare_copies(const WorkerRequest& request) {
  WireReader in(request.payload);
  const std::string_view thumbnail = in.bytes();
  std::vector<CopyCandidate> candidates(std::min<std::size_t>(in.count(), kCopyCandidatesMax));
  for (CopyCandidate& candidate : candidates) {
    candidate.group = in.u64();
    candidate.thumbnail = in.bytes();
    candidate.sketch = in.bytes();
  }
  MAGPIE_TRY_DO(in.finish());
  MAGPIE_TRY(const CopySketch picture, make_sketch_of(thumbnail, request.deadline));
  Verdicts verdicts(picture);
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const CopyCandidate& candidate = candidates[i];
    if (verdicts.is_settled(candidate.group)) continue;
    if (request.deadline.passed()) return fail(Code::kTimeout, "copies were compared for too long");
    auto known = candidate.sketch.empty() ? make_sketch_of(candidate.thumbnail, request.deadline) : decode_sketch(candidate.sketch);
    if (!known) continue;
    if (const auto look = look_at(picture, *known, candidate.thumbnail, request.deadline)) verdicts.take(i, candidate.group, *known, *look);
  }
  return encode(
      {encode_sketch(picture, /*with_pixels=*/false), picture.tone, std::move(verdicts).other_colours(), std::move(verdicts).copies()});
}

Result<CopyComparison> decode_comparison(std::string_view bytes, std::size_t candidates) {
  WireReader in(bytes);
  if (const std::uint64_t version = in.u64(); version != kVersion) return fail(Code::kCorrupt, "a comparison of version {}", version);
  CopyComparison comparison;
  bool good = true;
  comparison.sketch = in.string();
  comparison.tone = read_tone(in, good);
  comparison.other_colours.resize(in.count());
  for (std::size_t& candidate : comparison.other_colours) {
    candidate = static_cast<std::size_t>(in.u64());
    good = good && candidate < candidates;
  }
  comparison.copies.resize(in.count());
  for (ProvenCopy& copy : comparison.copies) {
    copy.candidate = static_cast<std::size_t>(in.u64());
    copy.words = in.string();
    copy.tone = read_tone(in, good);
  }
  MAGPIE_TRY_DO(in.finish());
  if (!good) return fail(Code::kCorrupt, "a comparison with what cannot be");
  MAGPIE_TRY_DO(decode_sketch(comparison.sketch));
  for (const ProvenCopy& copy : comparison.copies) {
    if (copy.candidate >= candidates || copy.words.size() > 200) return fail(Code::kCorrupt, "a comparison with what was not asked");
  }
  return comparison;
}

}  // namespace magpie::analyse
