#pragma once
// The proof of a forgetting: every file of a collection is read from end to end, and what was forgotten is looked for in it.
#include <set>
#include <string>

#include "app/collection.h"
#include "serve/forget_control.h"

namespace magpie {

/// Searches
///   archive            record by record: for the addresses, as a record's own and in its text, and for the pictures' bytes
///   frontier's log     entry by entry
///   every other file   byte by byte: addresses, SHA-256 of the pictures (as bytes and as hex), SHA-1 (`digests`), in the index also the
///   host
/// and puts what it did and found into the report. An address that is the beginning of a known one is not taken for it. Cost: reads, and
/// for the archive inflates and sums, all there is.
Result<void> search_for_forgotten(Collection& collection, const ForgetPlan& plan, const std::set<std::string>& digests,
                                  ForgetReport& report);

/// Whether the header lines speak of a text.
bool is_text_answer(std::string_view header_block);

}  // namespace magpie
