#pragma once
// What a segment is on disk: documents and vectors of the pictures of one commit (or of several, merged), written once, never
// changed. Little-endian, version 1. docs/formats/segment.md has a worked example.
//
//   0    8 bytes  magic "MAGPSEG1"
//   64   sections, each beginning at a multiple of 64, in any order, unknown ones skipped by readers
//   …    footer: for each section
//          u32 section number   u32 crc32c of its bytes   u64 offset   u64 length
//   end - 32   u64 offset of the footer
//              u32 number of sections
//              u32 documents
//              u32 vectors
//              u32 dims             components of a vector, 0 without vectors
//              u32 crc32c of the footer and of the 24 bytes before this field
//              4 bytes magic "MSG1"
//
// Documents have ordinals 0.. in ascending order of ImageId, vectors on their own in ascending order of ImageId and region: a document may
// lack a vector, have several, and be replaced without them. A column has one entry per ordinal.
//   string table   u32 count, u32 ends[count] (end of string i in bytes), bytes; strings ascending byte for byte, all different
//   facet          values are 1 + index into its string table; 0 is none. Single-valued: u32 value per document.
//                  Multi-valued: u32 start[documents + 1] into a list of u32 values.
//   lengths        u8 words of title, alt, keywords, description per document, at most 255
//   posting blocks per term its postings, ascending by ordinal: postings.h; 8 zeros at the end
//   block starts   u64 per term and one more: where its posting blocks begin
//   postings       in place of posting blocks in older segments, with posting starts: varint (LEB128) ordinal - previous ordinal (first:
//                  the ordinal), then the byte with the fields; no positions
//   terms          string table: folded words, and stems behind a byte 0x01
//   regions        u16 per vector, 0 for the whole picture; their classes as a single-valued facet of vectors. Only where a vector is a
//                  region's; without them all are of whole pictures
//   vector rows    f32, unit length, padded with zeros to a multiple of 64 components
//   vector codes   u8, padded with 128 likewise; code scales f32 scale, f32 error per vector (vec/quantise.h)
//   sketches       f32 centre, a padded row; u64 signs, a word for 64 components; f32 centre_dot, scale, error, u32 ones (vec/sketch.h)
//
// float32 rows lie beside the codes because answers are ranked by them; only the few rows near the answer are read.
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace magpie::index {

inline constexpr std::string_view kSegmentMagic = "MAGPSEG1";
inline constexpr std::string_view kSegmentEndMagic = "MSG1";
inline constexpr std::size_t kSegmentTrailerBytes = 32;
inline constexpr std::size_t kSectionEntryBytes = 24;
inline constexpr std::size_t kSectionAlignment = 64;
inline constexpr std::uint32_t kSectionsMax = 1'000;

/// Persisted: append only.
enum class Section : std::uint32_t {
  kDocumentIds = 1,  // u32
  kCopyGroups = 2,   // u32
  kPixels = 3,       // u64
  kFetchedAt = 4,    // i64, Unix seconds
  kPrices = 5,       // i64 micros; the smallest i64 for none
  kLengths = 6,      // u8[4]
  kOldPrices = 7,    // as kPrices; only where there are some
  kShopNames = 10,
  kShops = 11,
  kCategoryNames = 12,
  kCategories = 13,
  kBrandNames = 14,
  kBrands = 15,
  kCurrencyNames = 16,
  kCurrencies = 17,
  kLanguageNames = 18,
  kLanguages = 19,
  kColourNames = 20,
  kColours = 21,
  kColourStarts = 22,
  kClassNames = 23,  // of detected regions; this and the next two only where there are some
  kClasses = 24,
  kClassStarts = 25,
  kPostings = 30,
  kTerms = 31,
  kPostingStarts = 32,
  kTermCounts = 33,  // counts: u32 documents with the term
  kPostingBlocks = 34,
  kPostingBlockStarts = 35,
  kVectorIds = 40,
  kVectorRows = 41,
  kVectorCodes = 42,
  kCodeScales = 43,
  kSketchCentre = 44,  // this and the next two only where there are kSketchedVectorsMin vectors
  kSketchWords = 45,
  kSketchScales = 46,
  kVectorRegions = 47,  // u16; this and the next two only where there is a region's vector
  kRegionClassNames = 48,
  kRegionClasses = 49,
  kSizeNames = 50,  // a product's; these and labels and licences only where there are some
  kSizes = 51,
  kSizeStarts = 52,
  kLabelNames = 53,
  kLabels = 54,
  kLabelStarts = 55,
  kLicenceNames = 56,
  kLicences = 57,
  kLicenceStarts = 58,
  kGraphHead = 60,  // this and the next in files of their own: graph_file.h
  kGraphEdges = 61,
  kGraphDirections = 62,
  kGraphDirectionScales = 63,
  kGraphRows = 64,
};

/// Fewer are scanned by their codes in no time, and have no centre worth the name. More than a commit of a crawl has (2,000), so that
/// sketches are made where segments are merged, and no picture waits for them.
inline constexpr std::size_t kSketchedVectorsMin = 2'500;

/// Text fields, the telling ones first; the order of bits in a posting and of bytes in lengths. Persisted.
enum class Field : std::uint8_t { kTitle = 0, kAlt = 1, kKeywords = 2, kDescription = 3 };
inline constexpr std::size_t kFieldCount = 4;
inline constexpr unsigned kFieldOccurrencesMax = 3;
/// In front of a stem in the term table; no folded word can begin with it.
inline constexpr char kStemMark = '\x01';

}  // namespace magpie::index
