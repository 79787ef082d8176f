#pragma once
// The language of what a page says of one picture, where it is another than the page's: a shop's own words on a page of quotations, English
// captions on a Persian page. Words are stemmed by it (index/analyser.h).
#include <string_view>
#include <vector>

#include "core/records.h"

namespace magpie {

/// Sets or clears `language` of each: kept where the elements around the picture declared another one than the page's; else what alt and
/// caption are found to be written in, if they are long enough to tell (kTellingBytes) and it is plainly not the page's.
/// Costs a page in one language next to nothing: after a few pictures whose words it could not tell apart from the page's it looks no more.
void settle_image_languages(std::vector<ImageRef>& images, std::string_view page_language);

}  // namespace magpie
