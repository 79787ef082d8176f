#pragma once
// Bridge: from what words mean to where pictures of it lie. A collection's pages say of many pictures what they show; from these pairs of
// a text's vector x (a multilingual text network) and a picture's vector y (the collection's embedder) two guesses are learnt:
//
//   line        y - mean_y = (x - mean_x) W        ridge regression, which also speaks of what no text has named yet
//   neighbours  the texts most like x, each with the mean picture of those it stands for: exact where some page, in whatever language,
//               already says the same
//
// A query's place is half-way between the two. What is written down is one file (docs/formats/bridge.md): little-endian, version 1
//   0   8 bytes "MGPBRDG1"
//   8   u32 CRC-32C of all that follows
//   12  the wire form (base/wire.h) of: text space, picture space, pairs, held back, pool, pictures, trained at (Unix seconds), recall,
//       alike_min, closeness_min; mean_x, mean_y, W row by row; texts: count, then of each a scale and codes of both vectors
//
// A text and its pictures stand in it as numbers only, yet as theirs: forgetting anything removes the file (app/forgetting.h).
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/files.h"
#include "base/result.h"
#include "core/records.h"
#include "core/words_placer.h"

namespace magpie::learn {

/// One vector in bytes: value ≈ scale × (code - 128).
struct Codes {
  float scale = 0;
  std::string bytes;
};

struct BridgeFacts {
  std::string text_space, picture_space;  // models whose vectors it leads from and to
  std::uint64_t pairs = 0;                // texts it was learnt from
  std::uint64_t held_back = 0;            // texts of pictures left out in a trial, and asked
  double recall = 0;                      // share of those whose own picture was among the ten nearest of `pool` left out
  std::uint64_t pool = 0;
  std::uint64_t pictures = 0;  // in the collection's index then
  std::int64_t trained_at_seconds = 0;
  float alike_min = 0;      // likeness to the most alike text under which words say nothing: letters at random reach it one time in twenty
  float closeness_min = 0;  // WordsPlace: of pictures drawn at random one in fifty reaches it
};

class Bridge {
 public:
  struct Parts {
    BridgeFacts facts;
    std::vector<float> text_mean, picture_mean;
    std::vector<float> line;      // text_mean.size() rows of picture_mean.size()
    std::vector<Codes> texts;     // centred and of unit length
    std::vector<Codes> pictures;  // likewise; as many
  };
  /// Sizes must fit one another.
  explicit Bridge(Parts parts);

  /// Where the words with this vector lie; nothing if they are like no text known. kBadInput for a vector of other dims. Cost: 0.2 µs a
  /// text, and 0.5 ms. Thread-safe.
  Result<std::optional<WordsPlace>> place(const Embedding& words) const;
  /// The same without asking whether the words say anything, and how alike the most alike text is.
  struct Guess {
    Embedding vector;
    float alike = 0;
  };
  Guess guess(const Embedding& words) const;

  const BridgeFacts& facts() const { return parts_.facts; }
  /// Components of a text's vector.
  std::size_t text_dims() const { return parts_.text_mean.size(); }
  /// Says where and when it was learnt.
  void sign(const std::string& text_space, const std::string& picture_space, std::uint64_t pictures, std::int64_t now_seconds) {
    parts_.facts.text_space = text_space, parts_.facts.picture_space = picture_space;
    parts_.facts.pictures = pictures, parts_.facts.trained_at_seconds = now_seconds;
  }

  /// Atomically in the place of an earlier one.
  Result<void> save(const fs::path& file) const;
  /// kNotFound, kCorrupt for anything save() did not write.
  static Result<Bridge> load(const fs::path& file);
  /// The same from bytes in memory.
  static Result<Bridge> decode(std::string_view bytes);
  std::string encode() const;

 private:
  std::vector<float> by_line(const std::vector<float>& centred) const;
  std::vector<float> by_neighbours(const std::vector<float>& centred, float& alike) const;
  Parts parts_;
};

/// The vector's codes, padded for dot products; a vector of zeros has scale 0.
Codes encode_vector(std::span<const float> vector);
Embedding decode_vector(const Codes& codes);

}  // namespace magpie::learn
