#pragma once
// What error pages, puzzles, throttled answers and login pages call themselves, in some thirty languages.
#include <optional>
#include <string>
#include <string_view>

#include "core/records.h"

namespace magpie {

/// What a text says the page is.
struct PagePhrase {
  Cause cause = Cause::kNone;
  bool is_weak = false;    // "Just a moment": said by honest pages, too
  std::string_view words;  // folded; of static storage
};

/// The first phrase that a title's part or a heading says, strong ones before weak ones. Phrases that mean something only alone ("Log in")
/// must be all that it says, but for words like "Sorry" and "Error 404". Thread-safe; microseconds for a heading.
std::optional<PagePhrase> phrase_in_heading(std::string_view text);

/// The same for running text: only phrases that are clear wherever they stand.
std::optional<PagePhrase> phrase_in_text(std::string_view text);

}  // namespace magpie
