#include "model/bpe_tokenizer.h"

#include <simdjson.h>
#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <limits>
#include <tuple>
#include <utility>

#include "base/utf8.h"

namespace magpie::model {
namespace {

constexpr std::size_t kOpenAiMerges = 49'152 - 256 - 2;  // what its code takes of the list
constexpr std::size_t kPieceBytesMax = 512;
constexpr std::string_view kWordEnd = "</w>";
constexpr std::uint64_t kNumberMax = 1 << 24;

// A byte as the letter that stands for it: itself where it prints, else one from U+0100 on.
struct ByteLetters {
  std::array<std::string, 256> of;
  std::vector<std::uint8_t> order;  // those that print first: the order of OpenAI's numbers
  ByteLetters() {
    std::vector<std::uint8_t> hidden;
    for (unsigned byte = 0; byte < 256; ++byte) {
      const bool prints = (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte != 0xAD);
      (prints ? order : hidden).push_back(static_cast<std::uint8_t>(byte));
      append_utf8(of[byte], prints ? char32_t{byte} : static_cast<char32_t>(0xFF + hidden.size()));
    }
    order.insert(order.end(), hidden.begin(), hidden.end());
  }
};

const ByteLetters& letters() {
  static const ByteLetters made;
  return made;
}

enum class Kind : std::uint8_t { kSpace, kLetter, kDigit, kSign };

Kind kind_of(char32_t point) {
  switch (utf8proc_category(static_cast<utf8proc_int32_t>(point))) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO: return Kind::kLetter;
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO: return Kind::kDigit;
    case UTF8PROC_CATEGORY_ZS:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
    case UTF8PROC_CATEGORY_CC: return Kind::kSpace;
    default: return Kind::kSign;
  }
}

std::string small_letters(std::string_view text) {
  std::string small;
  for (std::size_t at = 0; at < text.size();)
    append_utf8(small, static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(next_code_point(text, at)))));
  return small;
}

// Bytes of an English ending after an apostrophe at the start of `text`: 's 't 're 've 'm 'll 'd.
std::size_t ending_length(std::string_view text) {
  for (const std::string_view ending : {"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"}) {
    if (text.starts_with(ending)) return ending.size();
  }
  return 0;
}

// The word at the start of `text`, which does not start with a space.
std::string_view first_word(std::string_view text) {
  if (const std::size_t ending = ending_length(text)) return text.substr(0, ending);
  std::size_t at = 0;
  const Kind kind = kind_of(next_code_point(text, at));
  while (kind != Kind::kDigit && at < text.size()) {
    std::size_t next = at;
    if (kind_of(next_code_point(text, next)) != kind) break;
    at = next;
  }
  return text.substr(0, at);
}

Result<simdjson::dom::element> parse(simdjson::dom::parser& parser, std::string_view json, std::string_view name) {
  if (json.size() > kVocabularyBytesMax)
    return fail(Code::kTooLarge, "{} has {} bytes; {} are read at most", name, json.size(), kVocabularyBytesMax);
  simdjson::dom::element root;
  if (const auto error = parser.parse(simdjson::padded_string(json)).get(root))
    return fail(Code::kCorrupt, "{} is not JSON: {}", name, simdjson::error_message(error));
  return root;
}

using Pieces = std::vector<std::pair<std::string_view, std::uint64_t>>;

Result<Pieces> pieces_of(const simdjson::dom::element& vocabulary) {
  simdjson::dom::object object;
  if (vocabulary.get(object)) return fail(Code::kCorrupt, "the vocabulary is no object of pieces and numbers");
  Pieces pieces;
  for (const auto& [piece, value] : object) {
    std::uint64_t number = 0;
    if (value.get(number)) return fail(Code::kCorrupt, "vocabulary: '{}' has no number", piece.substr(0, 60));
    pieces.emplace_back(piece, number);
  }
  return pieces;
}

// The lines that hold a merge, at most `count` of them: not the heading, nothing empty.
std::vector<std::string_view> merge_lines(std::string_view text, std::size_t count) {
  std::vector<std::string_view> lines;
  for (bool at_start = true; !text.empty() && lines.size() < count; at_start = false) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    const bool is_heading = at_start && line.find("#version") != std::string_view::npos;
    if (!line.empty() && !is_heading) lines.push_back(line);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

Result<std::pair<std::string_view, std::string_view>> split_merge(std::string_view line) {
  const std::size_t space = line.find(' ');
  if (space == 0 || space == std::string_view::npos || space + 1 == line.size() || line.find(' ', space + 1) != std::string_view::npos)
    return fail(Code::kCorrupt, "merges: '{}' is no two pieces; WordPiece and Unigram vocabularies are not read",
                to_valid_utf8(line.substr(0, 60)));
  return std::pair(line.substr(0, space), line.substr(space + 1));
}

}  // namespace

Result<void> BpeTokenizer::add_piece(std::string piece, std::uint64_t number) {
  if (piece.empty() || piece.size() > kPieceBytesMax) return fail(Code::kCorrupt, "vocabulary: a piece of {} bytes", piece.size());
  if (number > kNumberMax) return fail(Code::kCorrupt, "vocabulary: number {} is over {}", number, kNumberMax);
  if (numbers_.size() >= kPiecesMax) return fail(Code::kTooLarge, "vocabulary: over {} pieces", kPiecesMax);
  numbers_.insert_or_assign(std::move(piece), static_cast<std::uint32_t>(number));  // of a piece that comes twice the later number
  return {};
}

Result<void> BpeTokenizer::add_merge(std::string_view left, std::string_view right) {
  const auto one = number_of(std::string(left)), other = number_of(std::string(right));
  const auto both = number_of(std::string(left).append(right));
  if (!one || !other || !both)
    return fail(Code::kCorrupt, "merges: '{} {}' is of pieces that the vocabulary has not", to_valid_utf8(left), to_valid_utf8(right));
  if (merges_.size() >= kPiecesMax) return fail(Code::kTooLarge, "merges: over {} of them", kPiecesMax);
  const auto key = static_cast<std::uint64_t>(*one) << 32 | static_cast<std::uint64_t>(*other);
  merges_.try_emplace(key, Merge{static_cast<std::uint32_t>(merges_.size()), static_cast<std::uint32_t>(*both)});
  return {};
}

Result<BpeTokenizer> BpeTokenizer::of_merges(std::string_view list) {
  if (list.starts_with("\x1f\x8b")) return fail(Code::kBadInput, "the list of merges is packed; gunzip it first");
  if (list.size() > kVocabularyBytesMax)
    return fail(Code::kTooLarge, "the list of merges has {} bytes; {} are read at most", list.size(), kVocabularyBytesMax);
  BpeTokenizer made;
  std::uint64_t number = 0;  // of places in the list: two merges may make the same piece, and those behind them count on
  for (const bool ends_word : {false, true}) {
    for (const std::uint8_t byte : letters().order)
      MAGPIE_TRY_DO(made.add_piece(letters().of[byte] + std::string(ends_word ? kWordEnd : ""), number++));
  }
  const std::vector<std::string_view> lines = merge_lines(list, kOpenAiMerges);
  if (lines.empty()) return fail(Code::kCorrupt, "the list of merges is empty");
  for (const std::string_view line : lines) {
    MAGPIE_TRY(const auto pair, split_merge(line));
    MAGPIE_TRY_DO(made.add_piece(std::string(pair.first).append(pair.second), number++));
  }
  for (const std::string_view line : lines) {
    MAGPIE_TRY(const auto pair, split_merge(line));
    MAGPIE_TRY_DO(made.add_merge(pair.first, pair.second));
  }
  for (const char* mark : {"<|startoftext|>", "<|endoftext|>"}) MAGPIE_TRY_DO(made.add_piece(mark, number++));
  return made;
}

Result<BpeTokenizer> BpeTokenizer::of_vocabulary(std::string_view vocab_json, std::string_view merges) {
  if (merges.size() > kVocabularyBytesMax)
    return fail(Code::kTooLarge, "the merges have {} bytes; {} are read at most", merges.size(), kVocabularyBytesMax);
  BpeTokenizer made;
  simdjson::dom::parser parser;
  MAGPIE_TRY(const simdjson::dom::element root, parse(parser, vocab_json, "the vocabulary"));
  MAGPIE_TRY(const Pieces pieces, pieces_of(root));
  for (const auto& [piece, number] : pieces) MAGPIE_TRY_DO(made.add_piece(std::string(piece), number));
  for (const std::string_view line : merge_lines(merges, kPiecesMax)) {
    MAGPIE_TRY(const auto pair, split_merge(line));
    MAGPIE_TRY_DO(made.add_merge(pair.first, pair.second));
  }
  return made;
}

Result<BpeTokenizer> BpeTokenizer::of_tokenizer_json(std::string_view json) {
  simdjson::dom::parser parser;
  MAGPIE_TRY(const simdjson::dom::element root, parse(parser, json, "tokenizer.json"));
  std::string_view type, suffix;
  if (root["model"]["type"].get(type) || type != "BPE")
    return fail(Code::kBadInput, "tokenizer.json is of a model '{}'; clip-bpe reads BPE", type);
  if (root["model"]["end_of_word_suffix"].get(suffix) || suffix != kWordEnd)
    return fail(Code::kBadInput, "tokenizer.json ends words otherwise than by {}; clip-bpe reads CLIP's vocabularies", kWordEnd);
  simdjson::dom::element vocabulary;
  simdjson::dom::array merges;
  if (root["model"]["vocab"].get(vocabulary) || root["model"]["merges"].get(merges))
    return fail(Code::kCorrupt, "tokenizer.json has no vocab and merges in its model");
  BpeTokenizer made;
  MAGPIE_TRY(const Pieces pieces, pieces_of(vocabulary));
  for (const auto& [piece, number] : pieces) MAGPIE_TRY_DO(made.add_piece(std::string(piece), number));
  for (const simdjson::dom::element merge : merges) {
    std::string_view left, right, line;
    if (!merge.get(line)) {
      MAGPIE_TRY(const auto pair, split_merge(line));
      std::tie(left, right) = pair;
    } else if (merge.at(0).get(left) || merge.at(1).get(right)) {
      return fail(Code::kCorrupt, "merges: one is no two pieces");
    }
    MAGPIE_TRY_DO(made.add_merge(left, right));
  }
  return made;
}

std::int64_t BpeTokenizer::number_max() const {
  std::uint32_t largest = 0;
  for (const auto& [piece, number] : numbers_) largest = std::max(largest, number);
  return largest;
}

std::optional<std::int64_t> BpeTokenizer::number_of(const std::string& piece) const {
  const auto found = numbers_.find(piece);
  return found == numbers_.end() ? std::nullopt : std::optional<std::int64_t>(found->second);
}

void BpeTokenizer::encode_word(std::string_view word, std::vector<std::int64_t>& out) const {
  std::vector<std::uint32_t> pieces;
  for (std::size_t i = 0; i < word.size(); ++i) {
    const std::string& letter = letters().of[static_cast<std::uint8_t>(word[i])];
    const auto number = number_of(i + 1 == word.size() ? letter + std::string(kWordEnd) : letter);
    if (number) pieces.push_back(static_cast<std::uint32_t>(*number));
  }
  const auto merge_at = [&](std::size_t i) -> const Merge* {
    const auto found = merges_.find(static_cast<std::uint64_t>(pieces[i]) << 32 | pieces[i + 1]);
    return found == merges_.end() ? nullptr : &found->second;
  };
  while (pieces.size() > 1) {
    std::uint32_t best = std::numeric_limits<std::uint32_t>::max();
    for (std::size_t i = 0; i + 1 < pieces.size(); ++i) {
      if (const Merge* merge = merge_at(i)) best = std::min(best, merge->rank);
    }
    if (best == std::numeric_limits<std::uint32_t>::max()) break;
    std::vector<std::uint32_t> merged;
    for (std::size_t i = 0; i < pieces.size(); ++i) {
      const Merge* merge = i + 1 < pieces.size() ? merge_at(i) : nullptr;
      const bool taken = merge != nullptr && merge->rank == best;
      merged.push_back(taken ? merge->into : pieces[i]);
      if (taken) ++i;
    }
    pieces = std::move(merged);
  }
  out.insert(out.end(), pieces.begin(), pieces.end());
}

std::vector<std::int64_t> BpeTokenizer::encode(std::string_view text, std::size_t pieces_max) const {
  const std::string small = small_letters(to_valid_utf8(text));
  std::vector<std::int64_t> numbers;
  for (std::string_view rest = small; !rest.empty() && numbers.size() < pieces_max;) {
    std::size_t next = 0;
    if (kind_of(next_code_point(rest, next)) == Kind::kSpace) {
      rest.remove_prefix(next);
      continue;
    }
    const std::string_view word = first_word(rest);
    encode_word(word, numbers);
    rest.remove_prefix(word.size());
  }
  if (numbers.size() > pieces_max) numbers.resize(pieces_max);
  return numbers;
}

}  // namespace magpie::model
