#pragma once
// The postings of one term: which documents of a segment have it, in which fields, and where in them. Blocks of 128, so that a reader
// decodes a block in one tight loop and jumps over those it does not need (Lemire and Boytsov 2015, "Decoding billions of integers per
// second through vectorization": differences, packed with as many bits as the largest of the block needs).
//
//   term      blocks > 1: for each block u32 last ordinal, u32 where it begins, from the term's first byte; then the blocks
//   block     u8 bits of a difference; u8 number of different field bytes, 0 for more than 16, +128 with positions; those field bytes
//             differences - 1 to the previous ordinal (of the term's first: the ordinal), packed, padded to a byte
//             per posting the number of its field byte among those, packed with as few bits as do; without them the field byte itself
//             positions, posting after posting, to the end of the block
//   posting's positions   ascending; for each LEB128 of 2 × (difference to the last one + 1), + 1 for the last; a lone 0: not known
//   packed    little-endian, first value in the lowest bits. Readers may look at 8 bytes after the end, so the section ends with as many
//
// Field byte: how often the term stands in title (bits 0-1), alt (2-3), keywords (4-5), description (6-7), at most 3. Positions count the
// words of the document, fields one after the other with one number left out between two, so that neighbours are of one field.
// Older segments have varints in their place (PostingLayout::kVarints, segment_format.h), without positions.
#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace magpie::index {

inline constexpr std::size_t kPostingsInBlock = 128;
/// Zeros at the end of the section.
inline constexpr std::size_t kPostingsPadding = 8;

struct Posting {
  std::uint32_t ordinal = 0;
  std::uint8_t fields = 0;
  std::string_view positions;  // encoded; empty: not known
};

/// Appends the positions of one posting, ascending, at least one.
void encode_positions(std::span<const std::uint32_t> positions, std::string& out);
/// Nothing where they are not known.
std::vector<std::uint32_t> decode_positions(std::string_view encoded);

/// Appends a term's postings, ascending by ordinal, at least one.
void encode_postings(std::span<const Posting> postings, std::string& out);

enum class PostingLayout : std::uint8_t { kVarints, kBlocks };

/// Walks the postings of a term, ascending. Bytes that make no sense (they were checked by sum, so that is a fault of ours) end the walk.
/// `bytes` must outlive it, with kPostingsPadding bytes after its end that may be read. Cost: 1 to 2 ns a posting.
class PostingCursor {
 public:
  /// Stands at the first posting.
  PostingCursor(std::string_view bytes, std::uint32_t count, std::uint32_t documents, PostingLayout layout);

  bool at_end() const { return at_ == size_; }
  std::uint32_t ordinal() const { return ordinals_[at_]; }
  std::uint8_t fields() const { return fields_[at_]; }
  /// Of this posting, encoded; empty: not known. Cost: those of the block before it are passed over, once.
  std::string_view positions();
  void next() {
    if (++at_ == size_) load_next();
  }
  /// To the first posting from here on whose ordinal is not below. Cost: one block at most is decoded, others are jumped over.
  void seek(std::uint32_t ordinal);
  /// Calls use(ordinals, fields) with runs of the postings from here on whose ordinals are below `end`, and goes past them. The spans are
  /// borrowed for the call.
  template <class Use>
  void for_runs_below(std::uint32_t end, Use&& use) {
    while (!at_end() && ordinals_[at_] < end) {
      const std::uint32_t begin = at_;
      at_ = ordinals_[size_ - 1] < end ? size_ : place_of(end);
      use(std::span<const std::uint32_t>(&ordinals_[begin], at_ - begin), &fields_[begin]);
      if (at_ == size_) load_next();
    }
  }

 private:
  void load_next();
  /// The first posting of the block, from here on, that is not below.
  std::uint32_t place_of(std::uint32_t ordinal) const;
  bool load_block(std::size_t block);
  bool load_varints();
  std::uint32_t last_of(std::size_t block) const { return head(block, 0); }
  std::uint32_t head(std::size_t block, std::size_t which) const;

  const std::uint8_t* bytes_;
  std::size_t bytes_size_;
  std::uint32_t count_, documents_;
  PostingLayout layout_;
  std::size_t blocks_;
  std::size_t block_ = 0;  // to be loaded next
  std::size_t read_ = 0;   // kVarints: bytes behind us
  std::uint32_t at_ = 0, size_ = 0;
  std::uint32_t least_ = 0;                                                // kBlocks: what the next block's first ordinal must not be below
  const std::uint8_t *positions_at_ = nullptr, *positions_end_ = nullptr;  // of the posting positions_of_
  std::uint32_t positions_of_ = 0;
  std::array<std::uint32_t, kPostingsInBlock> ordinals_;
  std::array<std::uint8_t, kPostingsInBlock> fields_;
};

}  // namespace magpie::index
