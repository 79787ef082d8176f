#pragma once
// Which pictures are copies of one another, why, and what people said of that. A group is a connected part of the graph of links: those
// found, without those that a person has taken apart, and with those that a person has drawn.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/records.h"

namespace magpie {

/// What found a link. Persisted: append only.
enum class CopyCause : std::uint8_t {
  kHashes = 1,  // perceptual hashes and colours agree (analyse/copies.h)
  kLooks = 2,   // laid over each other they agree (analyse/copy_proof.h)
  /// They agree but for their colours: one thing in two colours, which are two products. Keeps their groups apart.
  kOtherColour = 3,
};
/// "hashes", "looks", "other_colour".
std::string_view to_string(CopyCause cause);

/// Which way the colours of a picture lean, taken together: differences of red and blue to luma, -255..255.
struct Tone {
  double red = 0, blue = 0;
};
/// Within 60 degrees; colours that cancel out lean nowhere, and agree with all.
bool same_tone(const Tone& a, const Tone& b);

struct CopyLink {
  ImageId image = kNoId, other = kNoId;  // image > other: the later one, and the one it is a copy of
  CopyCause cause = CopyCause::kHashes;
  std::string words;                            // for a person: "mirrored, 71 % of it, 100 % of the other"
  std::optional<Tone> tone = {}, other_tone{};  // of the two, where looks were compared and they are coloured
};

/// What a person says of two pictures. Persisted: append only.
enum class CopyVerdict : std::uint8_t { kCopies = 1, kApart = 2 };

/// Of a pair, image > other; nullopt: nobody has said anything.
struct CopyPair {
  ImageId image = kNoId, other = kNoId;
  std::optional<CopyVerdict> verdict;
};

/// Persisted: append only. Keep: this group is right. Split: these pictures are no copies of the rest of their group. Merge: these
/// pictures, and with them their groups, are copies.
enum class CopyAction : std::uint8_t { kKeep = 1, kSplit = 2, kMerge = 3 };
/// "keep", "split", "merge".
std::string_view to_string(CopyAction action);
std::optional<CopyAction> copy_action_from_string(std::string_view name);

struct CopyReview {
  std::uint64_t id = 0;
  CopyAction action = CopyAction::kKeep;
  std::vector<ImageId> images;   // ascending, each once
  std::vector<CopyPair> before;  // the pairs it speaks of, as they were: what undoing puts back
  Timestamp at{};
  bool undone = false;
};

/// A group of two and more.
struct CopyGroup {
  ImageId id = kNoId;           // the smallest of its pictures'
  std::vector<ImageId> images;  // ascending
  bool is_reviewed = false;     // somebody has said "keep" of just these pictures
};

}  // namespace magpie
