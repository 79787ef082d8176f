#pragma once
// What a page asks robots not to do, in <meta name=robots> and X-Robots-Tag
// (https://developers.google.com/search/docs/crawling-indexing/robots-meta-tag, and noai/noimageai by DeviantArt).
#include <string_view>

#include "core/records.h"

namespace magpie {

/// Adds the rules of one meta content ("noindex, follow").
void add_robots_rules(RobotsMeta& robots, std::string_view content);
/// Adds those of X-Robots-Tag that are for everyone or for `agent`: "noindex, otherbot: nofollow" binds other robots to the second only.
/// `lines` are the values of all headers of that name, a line each; a robot's name holds to the end of its line.
void add_robots_header(RobotsMeta& robots, std::string_view lines, std::string_view agent);

}  // namespace magpie
