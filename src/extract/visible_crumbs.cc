#include "extract/visible_crumbs.h"

#include <algorithm>
#include <vector>

#include "base/utf8.h"
#include "extract/schema_product.h"
#include "extract/visible_lines.h"
#include "text/tokens.h"

namespace magpie {
namespace {

constexpr std::size_t kLevelsMax = 12;
constexpr std::size_t kLevelBytesMax = 128;
constexpr int kNodesMax = 400;

// Without the signs between levels: "/ Lamps »" is "Lamps".
std::string_view without_signs(std::string_view words) {
  static constexpr std::string_view kSigns[] = {" ",      ">",      "/",      "|",      "\\",     "-", "\u00BB",
                                                "\u203A", "\u2192", "\u00B7", "\u2022", "\u2013", ":"};
  for (bool again = true; again;) {
    again = false;
    for (const std::string_view sign : kSigns) {
      for (; words.starts_with(sign); again = true) words.remove_prefix(sign.size());
      for (; words.ends_with(sign); again = true) words.remove_suffix(sign.size());
    }
  }
  return words;
}

// A link is a level, and so is each text outside of them; a word that only labels the list ends in a colon.
std::vector<std::string> levels_of(HtmlNode breadcrumb) {
  std::vector<std::string> levels;
  int nodes = 0;
  for (HtmlNode node = breadcrumb.first_child(); node && ++nodes < kNodesMax;) {
    const HtmlLook look = node.look();
    const bool is_link = look.tag == HtmlTag::kA;
    const bool is_skipped = look.tag == HtmlTag::kScript || look.tag == HtmlTag::kStyle || look.tag == HtmlTag::kSvg;
    if (is_link || look.is_text) {
      const std::string words = is_link ? node.visible_text(2 * kLevelBytesMax) : squeeze(utf8_prefix(node.data(), 2 * kLevelBytesMax));
      const bool is_label = !is_link && words.ends_with(':');
      const bool is_home = levels.empty() && is_link && leads_home(node.attribute("href"));
      if (const std::string_view level = without_signs(words); !level.empty() && !is_label && !is_home) levels.emplace_back(level);
    }
    node = is_link || is_skipped ? node.next_after_subtree(breadcrumb) : node.next_in_order(breadcrumb);
  }
  return nodes < kNodesMax ? levels : std::vector<std::string>();
}

}  // namespace

std::string visible_crumbs(HtmlNode breadcrumb, std::string_view product) {
  if (!breadcrumb) return {};
  std::vector<std::string> levels = levels_of(breadcrumb);
  if (!levels.empty() && is_home_page(levels.front())) levels.erase(levels.begin());
  if (!levels.empty() && fold(levels.back()) == fold(product)) levels.pop_back();
  const bool is_one = levels.size() <= kLevelsMax && std::all_of(levels.begin(), levels.end(), [](const std::string& level) {
                        return level.size() <= kLevelBytesMax && !fold(level).empty();
                      });
  if (!is_one) return {};
  std::string joined;
  for (const std::string& level : levels) joined += (joined.empty() ? "" : " > ") + level;
  return joined;
}

}  // namespace magpie
