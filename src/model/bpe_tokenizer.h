#pragma once
// Words to the numbers that CLIP's text towers take: byte-pair encoding with the end of a word marked "</w>" (Sennrich, Haddow and Birch
// 2016; bytes as letters, as in Radford et al. 2021). Reads the three forms such a vocabulary comes in:
//   bpe_simple_vocab_16e6.txt   OpenAI's list of merges, unpacked (gunzip); of it the first 48,894 are in use
//   vocab.json and merges.txt   {"piece": number, …} and the merges, the earlier the stronger
//   tokenizer.json              the same two inside "model" {"vocab": {…}, "merges": ["a b", …] or [["a", "b"], …]}
// No library is used for it: those in reach read none of the three, or are written in Rust and come as Python modules.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"

namespace magpie::model {

/// Bytes of a vocabulary file at most, and pieces in it.
inline constexpr std::size_t kVocabularyBytesMax = 32 << 20;
inline constexpr std::size_t kPiecesMax = 1'000'000;

/// Immutable, so thread-safe.
class BpeTokenizer {
 public:
  /// Of OpenAI's list. This, and the two below: kCorrupt for what is no such file, kTooLarge. Cost: some 30 ms for 49,408 pieces.
  static Result<BpeTokenizer> of_merges(std::string_view list);
  static Result<BpeTokenizer> of_vocabulary(std::string_view vocab_json, std::string_view merges);
  static Result<BpeTokenizer> of_tokenizer_json(std::string_view json);

  /// Small letters, runs of letters, single digits, runs of signs; each cut into pieces. `text` may be any bytes; what the vocabulary has
  /// no piece for is left out. At most `pieces_max` numbers. Cost: grows with the square of the longest word.
  std::vector<std::int64_t> encode(std::string_view text, std::size_t pieces_max) const;
  /// The number of a piece as it stands in the vocabulary, "<|endoftext|>" say.
  std::optional<std::int64_t> number_of(const std::string& piece) const;
  std::size_t size() const { return numbers_.size(); }
  /// The largest that encode() gives.
  std::int64_t number_max() const;

 private:
  struct Merge {
    std::uint32_t rank = 0;  // low: first
    std::uint32_t into = 0;
  };
  Result<void> add_piece(std::string piece, std::uint64_t number);
  Result<void> add_merge(std::string_view left, std::string_view right);
  void encode_word(std::string_view word, std::vector<std::int64_t>& out) const;

  std::unordered_map<std::string, std::uint32_t> numbers_;
  std::unordered_map<std::uint64_t, Merge> merges_;  // by the two numbers
};

}  // namespace magpie::model
