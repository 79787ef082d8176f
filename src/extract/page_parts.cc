#include "extract/page_parts.h"

#include <string.h>

#include <algorithm>

#include "base/ascii.h"
#include "base/utf8.h"
#include "extract/extract_page.h"

namespace magpie {
namespace {

// Words of a rel attribute: lower case, one space apart.
std::string rel_of(HtmlNode element) { return squeeze(ascii_lowered(utf8_prefix(element.attribute("rel"), 256))); }

class PartsReader {
 public:
  PartsReader(const HtmlTree& tree, const PageUrls& urls, const ExtractLimits& limits, ImageList& images)
      : tree_(tree), urls_(urls), limits_(limits), images_(images) {}

  PageParts read() {
    const HtmlNode root = tree_.root();
    const HtmlNode body = tree_.body();
    bool in_head = true;
    for (HtmlNode node = root; node; node = node.next_in_order(root)) {
      if (node == body) in_head = false;
      if (node.is_element()) read_element(node, in_head);
    }
    return std::move(parts_);
  }

 private:
  void read_element(HtmlNode node, bool in_head) {
    const HtmlTag tag = node.tag();
    const Marks marks = marks_of(node);
    if (marks.has_itemscope) parts_.has_microdata = true;
    if (marks.has_typeof) parts_.has_rdfa = true;
    switch (tag) {
      case HtmlTag::kA:
      case HtmlTag::kArea: return read_link(node);
      case HtmlTag::kImg:
      case HtmlTag::kImage: return images_.add_element(node, heading_);
      case HtmlTag::kMeta: return read_meta(node, in_head);
      case HtmlTag::kIframe: return add_link(node.attribute("src"), node.attribute("title"));
      case HtmlTag::kLink: return read_link_element(node);
      case HtmlTag::kScript: return read_script(node);
      case HtmlTag::kH1: return read_heading(node, true);
      case HtmlTag::kLowerHeading: return read_heading(node, false);
      case HtmlTag::kHead: return read_prefixes(node);
      case HtmlTag::kTitle:
        if (parts_.title.empty() && node.is("title")) parts_.title = squeeze(node.text_content(limits_.text_bytes_max));
        return;
      case HtmlTag::kHtml: parts_.language = node.attribute(node.has_attribute("lang") ? "lang" : "xml:lang"); return read_prefixes(node);
      case HtmlTag::kVideo:
        if (node.has_attribute("poster")) images_.add_named(node.attribute("poster"), ImageOrigin::kVideoPoster, node.attribute("title"));
        return;
      case HtmlTag::kInput: {
        const std::string type = ascii_lowered(node.attribute("type").substr(0, 16));
        if (type == "image") return images_.add_element(node, heading_);
        if (type == "password") ++parts_.password_fields;
        [[fallthrough]];
      }
      default:
        if (marks.has_background) images_.add_background(node, heading_);
    }
  }

  /// What any element may carry, in one pass over its attributes.
  struct Marks {
    bool has_background = false, has_itemscope = false, has_typeof = false;
  };
  Marks marks_of(HtmlNode node) {
    Marks marks;
    node.each_attribute([&](std::string_view name, std::string_view value) {
      switch (name.size()) {
        case 4:
          if (name == "lang" && node.tag() != HtmlTag::kHtml) images_.expect_languages();
          break;
        case 5: marks.has_background = marks.has_background || (name == "style" && value.find("url(") != std::string_view::npos); break;
        case 6: marks.has_typeof = marks.has_typeof || name == "typeof"; break;
        case 9: marks.has_itemscope = marks.has_itemscope || name == "itemscope"; break;
        default: break;
      }
      if (name.starts_with("data-b"))
        marks.has_background = marks.has_background || name == "data-bg" || name == "data-background-image" || name == "data-background";
      if (value.size() >= 16 && (value.front() == '{' || value.front() == '[')) note_state(value);
    });
    return marks;
  }

  void read_link(HtmlNode node) {
    if (parts_.links.size() >= limits_.links_max || !node.has_attribute("href")) return;
    std::string url = urls_.absolute(node.attribute("href"));
    if (url.empty()) return;
    std::string text = node.is("area") ? squeeze(utf8_prefix(node.attribute("alt"), limits_.text_bytes_max)) : node.visible_text(512);
    std::string rel = rel_of(node);
    note_licence(node, rel, url);
    parts_.links.push_back({std::move(url), std::move(text), std::move(rel)});
  }

  void note_licence(HtmlNode node, std::string_view rel, const std::string& url) {
    if (parts_.licence_links.size() < kLicenceLinksMax && url.size() <= kLicenceBytesMax && is_licence_link(rel, url))
      parts_.licence_links.push_back({node, url});
  }

  // A page that this one shows or sends to.
  void add_link(std::string_view href, std::string_view text) {
    if (parts_.links.size() >= limits_.links_max || href.empty()) return;
    if (std::string url = urls_.absolute(href); !url.empty()) parts_.links.push_back({std::move(url), squeeze(utf8_prefix(text, 512)), ""});
  }

  // "5; url='/next'": https://html.spec.whatwg.org/multipage/semantics.html#attr-meta-http-equiv-refresh
  void read_refresh(std::string_view content) {
    const std::size_t semicolon = content.find_first_of(";,");
    if (semicolon == std::string_view::npos) return;
    std::string_view rest = content.substr(semicolon + 1);
    const auto skip_blank = [&] { rest.remove_prefix(std::min(rest.find_first_not_of(" \t\n\r\f"), rest.size())); };
    skip_blank();
    if (ascii_lowered(rest.substr(0, 3)) == "url") {
      rest.remove_prefix(3);
      skip_blank();
      if (!rest.starts_with('=')) return;
      rest.remove_prefix(1);
      skip_blank();
    }
    if (!rest.empty() && (rest.front() == '"' || rest.front() == '\'')) {
      const char quote = rest.front();
      rest.remove_prefix(1);
      rest = rest.substr(0, rest.find(quote));
    }
    add_link(rest, "");
  }

  void read_link_element(HtmlNode node) {
    const std::string rel = rel_of(node);
    if (has_word(rel, "image_src")) images_.add_named(node.attribute("href"), ImageOrigin::kLink, "");
    if (has_word(rel, "license")) note_licence(node, rel, urls_.absolute(node.attribute("href")));
    const bool is_canonical = has_word(rel, "canonical");
    const bool leads_on = is_canonical || has_word(rel, "next") || has_word(rel, "prev") || has_word(rel, "alternate");
    if (!leads_on || has_word(rel, "stylesheet")) return;
    std::string url = urls_.absolute(node.attribute("href"));
    if (url.empty()) return;
    if (is_canonical && parts_.canonical.empty()) parts_.canonical = url;
    if (parts_.links.size() < limits_.links_max)
      parts_.links.push_back({std::move(url), squeeze(utf8_prefix(node.attribute("title"), 512)), rel});
  }

  void read_meta(HtmlNode node, bool in_head) {
    constexpr std::size_t kMetasMax = 2'000;
    if (parts_.metas.size() >= kMetasMax || !node.has_attribute("content")) return;
    MetaTag meta;
    meta.in_head = in_head;
    meta.is_property = node.has_attribute("property");
    const std::string_view key =
        meta.is_property ? node.attribute("property") : node.attribute(node.has_attribute("name") ? "name" : "http-equiv");
    meta.key = squeeze(ascii_lowered(utf8_prefix(key, 256)));
    meta.content = utf8_prefix(node.attribute("content"), limits_.description_bytes_max);
    if (meta.key == "refresh" && !meta.is_property && !node.has_attribute("name")) read_refresh(meta.content);
    if (!meta.key.empty()) parts_.metas.push_back(std::move(meta));
  }

  // Only what can name a price is kept.
  void note_state(std::string_view text) {
    constexpr std::size_t kTextsMax = 256, kBytesMax = std::size_t{8} << 20;
    if (parts_.state_texts.size() >= kTextsMax || state_bytes_ + text.size() > kBytesMax) return;
    if (::memmem(text.data(), text.size(), "rice", 4) == nullptr) return;
    parts_.state_texts.push_back(text);
    state_bytes_ += text.size();
  }

  void read_script(HtmlNode node) {
    if (!ascii_lowered(node.attribute("type").substr(0, 64)).starts_with("application/ld+json")) {
      if (const HtmlNode text = node.first_child(); text && !node.has_attribute("src")) note_state(text.data());
      return;
    }
    if (json_ld_bytes_ >= limits_.json_ld_bytes_max) return;
    parts_.json_ld_texts.push_back(node.text_content(limits_.json_ld_bytes_max - json_ld_bytes_));
    json_ld_bytes_ += parts_.json_ld_texts.back().size();
  }

  void read_heading(HtmlNode node, bool is_first_level) {
    std::string text = node.visible_text(512);
    if (text.empty()) return;
    if (is_first_level && parts_.h1.size() < 16) {
      if (parts_.h1.empty()) parts_.images_before_h1 = images_.size();
      parts_.h1_nodes.push_back(node);
      parts_.h1.push_back(text);
    }
    if (!is_first_level && parts_.lower_heading.empty()) parts_.lower_heading = text;
    heading_ = std::move(text);
  }

  // RDFa's prefix attribute: "og: http://ogp.me/ns# product: http://ogp.me/ns/product#".
  void read_prefixes(HtmlNode node) {
    const std::string text = squeeze(utf8_prefix(node.attribute("prefix"), 2048));
    std::size_t at = 0;
    while (at < text.size()) {
      const std::size_t end = std::min(text.find(' ', at), text.size());
      const std::string_view word = std::string_view(text).substr(at, end - at);
      if (word.ends_with(':')) parts_.opengraph_prefixes.push_back(ascii_lowered(word.substr(0, word.size() - 1)));
      at = end + 1;
    }
  }

  const HtmlTree& tree_;
  const PageUrls& urls_;
  const ExtractLimits& limits_;
  ImageList& images_;
  PageParts parts_;
  std::string heading_;
  std::size_t json_ld_bytes_ = 0, state_bytes_ = 0;
};

}  // namespace

bool has_word(std::string_view words, std::string_view word) {
  for (std::size_t at = words.find(word); at != std::string_view::npos; at = words.find(word, at + 1)) {
    const std::size_t end = at + word.size();
    if ((at == 0 || words[at - 1] == ' ') && (end == words.size() || words[end] == ' ')) return true;
  }
  return false;
}

std::string_view PageParts::meta(std::string_view key) const {
  for (const MetaTag& tag : metas) {
    if (tag.key == key && !tag.content.empty()) return tag.content;
  }
  return {};
}

PageParts read_parts(const HtmlTree& tree, const PageUrls& urls, const ExtractLimits& limits, ImageList& images) {
  return PartsReader(tree, urls, limits, images).read();
}

}  // namespace magpie
