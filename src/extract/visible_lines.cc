#include "extract/visible_lines.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <unordered_set>

#include "base/utf8.h"
#include "text/price_amount.h"
#include "text/tokens.h"

namespace magpie {
namespace {

constexpr std::size_t kNodesMax = 100'000;
constexpr std::size_t kTextBytesMax = 256 * 1024;
constexpr std::size_t kBehindHeadingMax = 16 * 1024;  // bytes of text; what follows is about other things
constexpr std::size_t kPieceBytesMax = 4'096;
constexpr std::size_t kNamesBytesMax = 256;  // of one attribute

bool is_skipped(HtmlTag tag) {
  switch (tag) {
    case HtmlTag::kScript:
    case HtmlTag::kStyle:
    case HtmlTag::kTemplate:
    case HtmlTag::kNoscript:
    case HtmlTag::kSvg:
    case HtmlTag::kIframe:
    case HtmlTag::kTextarea:
    case HtmlTag::kHead: return true;
    default: return false;
  }
}

// Elements that set what they hold apart from the rest of the page.
std::uint32_t marks_of_tag(HtmlTag tag) {
  switch (tag) {
    case HtmlTag::kStruck: return kMarkOld;
    case HtmlTag::kNav:
    case HtmlTag::kFooter: return kMarkElsewhere | kMarkAside;
    case HtmlTag::kAside: return kMarkElsewhere;
    case HtmlTag::kA: return kMarkLink;
    case HtmlTag::kListEntry:
    case HtmlTag::kArticle: return kMarkCard;
    case HtmlTag::kSelect:
    case HtmlTag::kOption:
    case HtmlTag::kLabel: return kMarkChoice;
    case HtmlTag::kButton:
    case HtmlTag::kInput: return kMarkButton;
    case HtmlTag::kSup: return kMarkCents;
    default: return 0;
  }
}

bool says(std::string_view style, std::string_view property, std::string_view value) {
  const std::size_t at = style.find(property);
  if (at == std::string_view::npos) return false;
  const std::string_view behind = style.substr(at + property.size());
  return behind.substr(0, behind.find(';')).find(value) != std::string_view::npos;
}

// "font: bold 27px", "font-size:1.8em": larger than the text around.
bool sets_large(std::string_view style) {
  const std::size_t at = style.find("font");
  if (at == std::string_view::npos) return false;
  for (std::size_t i = at; i < style.size() && style[i] != ';'; ++i) {
    if (style[i] < '0' || style[i] > '9') continue;
    int size = 0;
    for (; i < style.size() && style[i] >= '0' && style[i] <= '9' && size < 1'000; ++i) size = size * 10 + style[i] - '0';
    if (style.substr(i, 2) == "px") return size >= 18;
    if (style.substr(i, 2) == "pt") return size >= 14;
    return false;
  }
  return false;
}

std::uint32_t marks_of_style(std::string_view style) {
  std::uint32_t marks = 0;
  if (says(style, "display", "none")) marks |= kMarkHidden;
  if (says(style, "text-decoration", "line-through")) marks |= kMarkOld;
  if (sets_large(style)) marks |= kMarkBig;
  return marks;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

bool is_ascii(std::string_view text) {
  std::uint64_t all = 0;
  std::size_t at = 0;
  for (; at + 8 <= text.size(); at += 8) {
    std::uint64_t eight = 0;
    std::memcpy(&eight, text.data() + at, 8);
    all |= eight;
  }
  for (; at < text.size(); ++at) all |= static_cast<unsigned char>(text[at]);
  return (all & 0x8080808080808080) == 0;
}

// Marks of names met before: a page says the same few again and again.
class NamesMarks {
 public:
  std::uint32_t of(std::string_view names) {
    if (names.size() < 8) return attribute_words().marks_in(names);
    std::uint64_t first = 0, last = 0;
    std::memcpy(&first, names.data(), 8);
    std::memcpy(&last, names.data() + names.size() - 8, 8);
    const std::uint64_t mixed = (first ^ (last * 31) ^ names.size()) * 0x9E3779B97F4A7C15;
    Known& known = known_[mixed >> 55];
    if (known.names != names) known = {names, attribute_words().marks_in(names)};
    return known.marks;
  }

 private:
  struct Known {
    std::string_view names;  // of the tree
    std::uint32_t marks = 0;
  };
  std::array<Known, 512> known_{};
};

class LineReader {
 public:
  LineReader(HtmlNode body, HtmlNode heading) : body_(body) {
    out_.heading = heading;
    out_.text.reserve(64 * 1024);
    out_.pieces.reserve(2'048);
    out_.lines.reserve(2'048);
    for (HtmlNode at = heading; at; at = at.parent()) around_heading_.insert(at.raw());
  }

  VisibleLines read() {
    std::size_t nodes = 0;
    for (HtmlNode node = body_; node && ++nodes < kNodesMax && !is_enough();) {
      leave_until(node.parent());
      bool inside = true;
      const HtmlLook look = node.look();
      if (look.is_element) {
        inside = enter(node, look);
      } else if (look.is_text) {
        append(node);
      }
      node = inside ? node.next_in_order(body_) : node.next_after_subtree(body_);
    }
    leave_until({});
    end_line();
    return std::move(out_);
  }

 private:
  struct Level {
    HtmlNode element, named;
    std::uint32_t marks = 0;  // of the region, with those around
    std::uint32_t value = 0;  // own marks that name a value
    bool is_inline = false;
    std::size_t begin = 0, piece = 0;
  };

  bool is_enough() const {
    const std::size_t bytes = out_.text.size();
    return bytes >= kTextBytesMax || (out_.heading_end > 0 && bytes > out_.heading_end + kBehindHeadingMax);
  }

  // These say what a value is; all others, where it stands.
  static constexpr std::uint32_t kValueMarks =
      kMarkPrice | kMarkNow | kMarkOld | kMarkRegular | kMarkOther | kMarkBrand | kMarkCode | kMarkStock | kMarkCents | kMarkProperty;
  static constexpr std::size_t kValueBytesMax = 240;  // a longer text is no value, whatever its element is called
  static constexpr std::size_t kOldBytesMax = 60;

  // Tells the pieces inside what the element calls its value. An inner element's word on time counts, not an outer one's.
  void name_pieces(const Level& level) {
    const std::size_t bytes = out_.text.size() - level.begin;
    if (level.value == 0 || bytes > kValueBytesMax) return;
    const std::uint32_t value = bytes > kOldBytesMax ? level.value & ~std::uint32_t{kMarkOld} : level.value;
    constexpr std::uint32_t kTimes = kMarkNow | kMarkOld | kMarkRegular;
    for (std::size_t i = level.piece; i < out_.pieces.size(); ++i) {
      std::uint32_t& marks = out_.pieces[i].marks;
      marks |= (marks & kTimes) != 0 ? value & ~kTimes : value;
    }
  }

  // A price whose sign, units and cents are blocks of their own is one line all the same.
  void join_lines(const Level& level) {
    constexpr std::size_t kPriceBytesMax = 32;
    std::size_t first = out_.lines.size();
    while (first > 0 && out_.lines[first - 1].begin >= level.begin) --first;
    const bool is_whole = first < out_.lines.size() && line_begin_ == out_.text.size() && out_.lines[first].begin == level.begin;
    if (!is_whole || out_.lines.size() - first < 2 || out_.text.size() - level.begin > kPriceBytesMax) return;
    std::size_t piece = out_.lines[first].piece;
    std::string joined;
    for (std::size_t line = first; line < out_.lines.size(); ++line) {
      const std::string_view words = out_.words(out_.lines[line]);
      const bool is_cents =
          words.size() == 2 && is_digit(words[0]) && is_digit(words[1]) && (out_.pieces[out_.lines[line].piece].marks & kMarkCents) != 0;
      const bool goes_on = !joined.empty() && is_digit(joined.back());
      if (!joined.empty() && !(goes_on && (words[0] == ',' || words[0] == '.'))) joined += goes_on && is_cents ? '.' : ' ';
      const std::size_t moved_to = level.begin + joined.size();
      for (; piece < out_.pieces.size() && out_.pieces[piece].begin < out_.lines[line].end; ++piece)
        out_.pieces[piece].begin += moved_to - out_.lines[line].begin;
      joined += words;
    }
    out_.text.resize(level.begin);
    out_.text += joined;
    line_begin_ = level.begin;
    line_piece_ = out_.lines[first].piece;
    out_.lines.resize(first);
    end_line();
  }

  void leave_until(HtmlNode parent) {
    while (!path_.empty() && path_.back().element != parent) {
      const Level& level = path_.back();
      name_pieces(level);
      if (!level.is_inline) end_line();
      if ((level.value & kMarkPrice) != 0) join_lines(level);
      if (level.element == out_.heading) out_.heading_end = out_.text.size();
      path_.pop_back();
    }
  }

  // Whether to look inside.
  bool enter(HtmlNode node, const HtmlLook& look) {
    const HtmlTag tag = look.tag;
    if (is_skipped(tag)) return false;
    if (!look.is_inline) end_line();
    Level level{.element = node, .named = path_.empty() ? node : path_.back().named, .marks = path_.empty() ? 0 : path_.back().marks};
    const std::uint32_t own = own_marks(node, tag);
    if ((own & kMarkCrumbs) != 0 && !out_.crumbs) out_.crumbs = node;
    if ((own & kMarkAside) != 0) return false;
    if (own != 0) level.named = node;
    level.is_inline = look.is_inline;
    level.marks |= own & ~kValueMarks;
    level.value = own & kValueMarks;
    level.begin = out_.text.size();
    level.piece = out_.pieces.size();
    if ((own & kMarkCart) != 0 && (own & (kMarkButton | kMarkLink)) != 0 && out_.carts.size() < 1'000)
      out_.carts.emplace_back(level.begin, level.marks);
    if (node == out_.heading) out_.heading_begin = out_.text.size();
    path_.push_back(level);
    if (tag == HtmlTag::kInput && (own & kMarkButton) != 0) append_words(utf8_prefix(node.attribute("value"), kPieceBytesMax), level);
    if (tag == HtmlTag::kImg && is_brand_picture(level)) append_words(utf8_prefix(node.attribute("alt"), 64), level);
    return true;
  }

  // A picture in an element that calls itself a brand, near by.
  bool is_brand_picture(const Level& level) const {
    const std::size_t depth = path_.size();
    return (level.value & kMarkBrand) != 0 || (depth > 1 && (path_[depth - 2].value & kMarkBrand) != 0);
  }

  std::uint32_t own_marks(HtmlNode node, HtmlTag tag) {
    std::uint32_t marks = marks_of_tag(tag);
    bool is_button_input = tag != HtmlTag::kInput;
    std::string_view property;
    const auto names = [&](std::string_view value) { return names_marks_.of(value.substr(0, kNamesBytesMax)); };
    node.each_attribute([&](std::string_view key, std::string_view value) {
      switch (key.size()) {
        case 2:
          if (key == "id") marks |= names(value);
          return;
        case 4:
          if (key == "type") is_button_input = is_button_input || value == "submit" || value == "button";
          if (key == "href") marks |= names(value) & kMarkBrand;
          return;
        case 5:
          if (key == "class") marks |= names(value);
          if (key == "style") marks |= marks_of_style(value.substr(0, 1'024));
          return;
        case 6:
          if (key == "hidden") marks |= kMarkHidden;
          return;
        case 8:
          if (key == "data-sku") note_data(node, key, value);
          if (key == "disabled") marks |= kMarkDisabled;
          if (key == "itemprop") {
            property = value;
            marks |= names(value);
          }
          return;
        case 10:
          if (key == "aria-label") marks |= names(value) & kMarkCrumbs;
          [[fallthrough]];
        case 15:
        case 16: note_data(node, key, value); return;
        default: return;
      }
    });
    if (!is_button_input) marks &= ~std::uint32_t{kMarkButton};
    // "rating-sku-reviews" tells of the product after all.
    const bool tells = (marks & (kMarkPrice | kMarkCode | kMarkStock | kMarkCart)) != 0;
    if (tells && (marks_of_tag(tag) & kMarkElsewhere) == 0) marks &= ~std::uint32_t{kMarkElsewhere | kMarkAside};
    if (marks != 0 && (node == body_ || around_heading_.contains(node.raw()))) marks &= kMarkBig;
    const std::uint32_t around = path_.empty() ? 0 : path_.back().marks;
    if (!property.empty() && ((around | marks) & kMarkElsewhere) == 0) {
      if (property == "price" || property == "lowPrice") marks |= kMarkPrice | kMarkProperty;
      note_property(node, property);
    }
    return marks;
  }

  // data-sku and its like, on elements around the heading or close behind it.
  void note_data(HtmlNode node, std::string_view key, std::string_view value) {
    static constexpr std::string_view kKept[] = {"data-sku", "data-price", "data-brand", "data-product-id", "data-product-sku"};
    const auto* const kept = std::find(std::begin(kKept), std::end(kKept), key);
    if (kept == std::end(kKept) || value.empty() || value.size() > 64 || !out_.property(*kept).empty()) return;
    const bool is_behind = out_.heading_end > 0 && out_.text.size() < out_.heading_end + 3'000;
    const std::uint32_t around = path_.empty() ? 0 : path_.back().marks;
    if (!around_heading_.contains(node.raw()) && (!is_behind || (around & (kMarkElsewhere | kMarkCard)) != 0)) return;
    out_.properties.emplace_back(*kept, squeeze(value));
  }

  void note_property(HtmlNode node, std::string_view property) {
    static constexpr std::string_view kKept[] = {"price", "priceCurrency", "pricecurrency", "sku",         "productID",
                                                 "mpn",   "gtin13",        "brand",         "availability"};
    const auto* const kept = std::find(std::begin(kKept), std::end(kKept), property);
    if (kept == std::end(kKept) || !out_.property(*kept).empty()) return;
    std::string_view value = node.attribute("content");
    if (value.empty() && node.is("link")) value = node.attribute("href");
    std::string text = squeeze(utf8_prefix(value, 256));
    if (text.empty()) text = node.visible_text(128);
    if (!text.empty()) out_.properties.emplace_back(*kept, std::move(text));
  }

  void append(HtmlNode node) {
    if (path_.empty()) return;
    append_words(utf8_prefix(node.data(), kPieceBytesMax), path_.back());
  }

  void append_words(std::string_view raw, const Level& level) {
    std::string made_plain;
    if (!is_ascii(raw)) made_plain = price_text(raw);
    const std::string_view words = made_plain.empty() ? raw : std::string_view(made_plain);
    std::size_t at = 0;
    bool first = true;
    while (at < words.size()) {
      const std::size_t gap = at;
      while (at < words.size() && is_space(words[at])) ++at;
      space_due_ = space_due_ || at > gap;
      const std::size_t word = at;
      while (at < words.size() && !is_space(words[at])) ++at;
      if (word == at) break;
      if (first) begin_piece(words.substr(word, at - word), level);
      else out_.text += ' ';
      first = false;
      space_due_ = false;
      // With those behind it that stand one space apart.
      while (at + 1 < words.size() && words[at] == ' ' && !is_space(words[at + 1])) {
        for (++at; at < words.size() && !is_space(words[at]);) ++at;
      }
      out_.text.append(words.data() + word, at - word);
    }
  }

  void begin_piece(std::string_view word, const Level& level) {
    const bool starts_line = out_.text.size() == line_begin_;
    if (space_due_ && !starts_line) out_.text += ' ';
    if (starts_line) line_piece_ = out_.pieces.size();
    out_.pieces.push_back({out_.text.size(), level.marks, level.element, level.named});
    // "173<sup>34</sup>": what is set as cents has no point before it.
    const bool is_cents = (level.value & kMarkCents) != 0 && word.size() == 2 && is_digit(word[0]) && is_digit(word[1]);
    if (is_cents && !starts_line && !space_due_ && is_digit(out_.text.back())) out_.text += '.';
  }

  void end_line() {
    space_due_ = false;
    if (out_.text.size() == line_begin_) return;
    out_.lines.push_back({line_begin_, out_.text.size(), line_piece_});
    out_.text += '\n';
    line_begin_ = out_.text.size();
  }

  HtmlNode body_;
  NamesMarks names_marks_;
  std::unordered_set<const void*> around_heading_;
  std::vector<Level> path_;
  VisibleLines out_;
  std::size_t line_begin_ = 0, line_piece_ = 0;
  bool space_due_ = false;
};

// A heading that is a link home names the shop.
bool is_logo(HtmlNode heading) {
  int nodes = 0;
  for (HtmlNode node = heading; node && ++nodes < 16; node = node.next_in_order(heading)) {
    if (node.is_element() && node.tag() == HtmlTag::kA && leads_home(node.attribute("href"))) return true;
  }
  const HtmlNode around = heading.parent();
  return around && around.is_element() && around.tag() == HtmlTag::kA && leads_home(around.attribute("href"));
}

// Whether one names the other, give or take what stands around: a shop's name behind a title, a brand before it.
bool agree(const std::string& one, const std::string& other) {
  if (one.empty() || other.empty()) return false;
  const std::string& shorter = one.size() < other.size() ? one : other;
  const std::string& longer = one.size() < other.size() ? other : one;
  return one == other || (shorter.size() >= 8 && longer.find(shorter) != std::string::npos);
}

// The heading that shares most words with a name, if that is more than half of the shorter one's and at least two; else their number.
std::size_t most_shared(const std::vector<std::string>& headings, const std::vector<std::string>& names) {
  std::size_t best = headings.size(), best_shared = 1;
  for (const std::string& name : names) {
    const std::vector<Token> words = tokenise(name, 64);
    for (std::size_t i = 0; i < headings.size(); ++i) {
      const std::vector<Token> own = tokenise(headings[i], 64);
      const auto shared = static_cast<std::size_t>(std::count_if(own.begin(), own.end(), [&](const Token& word) {
        return std::any_of(words.begin(), words.end(), [&](const Token& other) { return other.term == word.term; });
      }));
      if (shared <= best_shared || shared * 2 <= std::min(own.size(), words.size())) continue;
      best = i;
      best_shared = shared;
    }
  }
  return best;
}

// A text that the page's title begins with or ends in, for pages whose product stands in no heading.
HtmlNode text_of_title(HtmlNode body, const std::vector<std::string>& names) {
  HtmlNode best;
  std::size_t rank = names.size(), nodes = 0;
  for (HtmlNode node = body; node && ++nodes < kNodesMax && rank > 0;) {
    const bool skipped = node.is_element() && (is_skipped(node.tag()) || node.tag() == HtmlTag::kA || node.tag() == HtmlTag::kOption);
    if (node.is_text() && node.data().size() >= 6 && node.data().size() <= 512) {
      const std::string text = squeeze(node.data());
      for (std::size_t i = 0; i < rank; ++i) {
        const std::string& name = names[i];
        if (text.size() < 6 || 3 * text.size() < name.size() || !(name.starts_with(text) || name.ends_with(text))) continue;
        rank = i;
        best = node.parent();
      }
    }
    node = skipped ? node.next_after_subtree(body) : node.next_in_order(body);
  }
  return best;
}

}  // namespace

bool leads_home(std::string_view href) {
  if (const std::size_t scheme = href.find("//"); scheme != std::string_view::npos) {
    const std::size_t path = href.find('/', scheme + 2);
    href = path == std::string_view::npos ? std::string_view("/") : href.substr(path);
  }
  return href == "/";
}

const VisiblePiece& VisibleLines::piece_at(std::size_t at) const {
  const auto behind =
      std::upper_bound(pieces.begin(), pieces.end(), at, [](std::size_t x, const VisiblePiece& piece) { return x < piece.begin; });
  return *(behind == pieces.begin() ? behind : behind - 1);
}

std::string_view VisibleLines::property(std::string_view name) const {
  const auto found = std::find_if(properties.begin(), properties.end(), [&](const auto& property) { return property.first == name; });
  return found == properties.end() ? std::string_view() : std::string_view(found->second);
}

HtmlNode product_heading(const PageParts& parts, HtmlNode body, const std::vector<std::string>& names) {
  std::vector<std::string> headings;
  for (const std::string& h1 : parts.h1) headings.push_back(fold(h1));
  const std::string site = fold(parts.meta("og:site_name"));
  for (std::size_t i = 0; i < headings.size(); ++i) {
    if (headings[i] == site || is_logo(parts.h1_nodes[i])) headings[i].clear();
  }
  for (const std::string& name : names) {
    const std::string folded = fold(name);
    for (std::size_t i = 0; i < headings.size(); ++i) {
      // A shop's own name is a small part of a title, too.
      if (agree(headings[i], folded) && headings[i].size() * 3 >= folded.size()) return parts.h1_nodes[i];
    }
  }
  if (const std::size_t best = most_shared(headings, names); best < headings.size()) return parts.h1_nodes[best];
  if (const HtmlNode text = body ? text_of_title(body, names) : HtmlNode(); text) return text;
  const auto first = std::find_if(headings.begin(), headings.end(), [](const std::string& heading) { return !heading.empty(); });
  return first == headings.end() ? HtmlNode() : parts.h1_nodes[static_cast<std::size_t>(first - headings.begin())];
}

VisibleLines visible_lines(HtmlNode body, HtmlNode heading) {
  if (!body) return {};
  return LineReader(body, heading).read();
}

}  // namespace magpie
