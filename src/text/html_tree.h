#pragma once
// A page as the tree that browsers build (WHATWG HTML parsing, done by lexbor). HtmlTree owns the nodes; HtmlNode is a pointer into it
// and lives as long. Nothing here recurses, so depth costs no stack: 300,000 nested tags are fine.
//   MAGPIE_TRY(HtmlTree tree, HtmlTree::parse(utf8));
//   for (HtmlNode node = tree.root(); node; node = node.next_in_order(tree.root())) if (node.is("img")) use(node.attribute("src"));
#include <lexbor/dom/interfaces/node.h>
#include <lexbor/tag/const.h>
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace magpie {

/// Elements by local name, for readers that look at every node; kLowerHeading is h2 to h6, kOther everything else.
enum class HtmlTag : std::uint8_t {
  kOther,
  kA,
  kArea,
  kImg,
  kImage,
  kInput,
  kMeta,
  kLink,
  kScript,
  kTitle,
  kHtml,
  kHead,
  kVideo,
  kH1,
  kLowerHeading,
  kStyle,
  kTemplate,
  kNoscript,
  kSvg,
  kIframe,
  kTextarea,
  kSelect,
  kOption,
  kLabel,
  kButton,
  kListEntry,  // li
  kArticle,
  kNav,
  kFooter,
  kAside,
  kStruck,  // del, s, strike
  kSup
};

/// What a walk asks of every node, in one call.
struct HtmlLook {
  bool is_element = false, is_text = false;
  bool is_inline = false;  // an element that stands in a line of text, as <b> does; all others set their text apart
  HtmlTag tag = HtmlTag::kOther;
};
/// Of elements, by lexbor's number of their local name.
extern const std::array<HtmlLook, LXB_TAG__LAST_ENTRY> kHtmlLooks;

/// Steps and looks are inline: pages have ten thousands of nodes, and several readers look at each.
class HtmlNode {
 public:
  enum class Type : std::uint8_t { kElement, kText, kComment, kDoctype, kDocument, kFragment, kOther };

  HtmlNode() = default;
  explicit HtmlNode(lxb_dom_node* node) : node_(node) {}
  explicit operator bool() const { return node_ != nullptr; }
  bool operator==(const HtmlNode&) const = default;
  lxb_dom_node* raw() const { return node_; }

  Type type() const;
  bool is_element() const { return node_->type == LXB_DOM_NODE_TYPE_ELEMENT; }
  bool is_text() const { return node_->type == LXB_DOM_NODE_TYPE_TEXT; }
  /// The element's local name in lower case ("img"); empty for other nodes.
  std::string_view name() const;
  /// The same as a number; as name(), whatever the namespace.
  HtmlTag tag() const { return look().tag; }
  HtmlLook look() const {
    if (!is_element()) return {.is_text = is_text()};
    return node_->local_name < kHtmlLooks.size() ? kHtmlLooks[node_->local_name] : HtmlLook{.is_element = true};
  }
  /// Whether this is an HTML element of that name; lower case.
  bool is(std::string_view name) const;

  bool is_inline() const { return look().is_inline; }

  HtmlNode parent() const { return HtmlNode(node_->parent); }
  HtmlNode first_child() const { return HtmlNode(node_->first_child); }
  HtmlNode next_sibling() const { return HtmlNode(node_->next); }
  HtmlNode previous_sibling() const { return HtmlNode(node_->prev); }
  /// The next node in document order within `root`'s subtree; none at its end.
  HtmlNode next_in_order(HtmlNode root) const {
    return node_->first_child != nullptr ? HtmlNode(node_->first_child) : next_after_subtree(root);
  }
  /// As next_in_order(), without this node's descendants.
  HtmlNode next_after_subtree(HtmlNode root) const {
    for (lxb_dom_node_t* at = node_; at != nullptr && at != root.node_; at = at->parent) {
      if (at->next != nullptr) return HtmlNode(at->next);
    }
    return {};
  }

  /// The attribute's value, empty string_view with data() == nullptr when absent. Names in lower case. Linear in the attributes.
  std::string_view attribute(std::string_view name) const;
  bool has_attribute(std::string_view name) const { return attribute(name).data() != nullptr; }
  /// Calls use(name, value) for each attribute in order.
  template <class Use>
  void each_attribute(Use&& use) const {
    Attribute some[8];
    void* next = nullptr;
    do {
      const std::size_t count = attributes(some, next);
      for (std::size_t i = 0; i < count; ++i) use(some[i].name, some[i].value);
    } while (next != nullptr);
  }

  /// Text of a text or comment node.
  std::string_view data() const;
  /// All text below, as textContent has it, at most `bytes_max` bytes.
  std::string text_content(std::size_t bytes_max = std::size_t{1} << 20) const;
  /// Text a person would see below: without script, style, template and noscript, white space squeezed, blocks apart by a space.
  std::string visible_text(std::size_t bytes_max = 4096) const;

 private:
  struct Attribute {
    std::string_view name, value;
  };
  /// Fills `some` from `next` on (nullptr: from the first) and moves `next` behind; nullptr at the end. In portions, as a call for each
  /// name and value cost more than reading them.
  std::size_t attributes(Attribute (&some)[8], void*& next) const;

  lxb_dom_node* node_ = nullptr;
};

struct HtmlLimits {
  std::size_t bytes_max = std::size_t{64} << 20;
  /// Whether <svg> and what it draws keep their attributes ("viewBox", "d", ..). The tree is the same without, but for them.
  bool keeps_drawings = true;
};

/// Owns one parsed page. Movable; not thread-safe, but different trees may live in different threads. Each thread keeps the memory of one
/// small and one large page (up to 2.5 MB) for the next one, which saves more than a small page's parsing takes.
class HtmlTree {
 public:
  /// `utf8` is copied as needed. Never fails on bad HTML, as the standard has none: kTooLarge over the limit, kInternal when memory ends.
  /// About 300 MB/s on shop pages, much of which is scripts (bench/extract_bench.cc).
  static Result<HtmlTree> parse(std::string_view utf8, const HtmlLimits& limits = {});
  /// As the innerHTML of an element: "td", "svg path", "math mi".
  static Result<HtmlTree> parse_fragment(std::string_view utf8, std::string_view context, const HtmlLimits& limits = {});

  HtmlTree(HtmlTree&&) noexcept;
  HtmlTree& operator=(HtmlTree&&) noexcept;
  ~HtmlTree();

  /// The document node, or the fragment's root whose children are the result.
  HtmlNode root() const;
  /// The html, head and body elements; a document always has them but for framesets.
  HtmlNode html() const;
  HtmlNode head() const;
  HtmlNode body() const;

  /// The tree in html5lib's test notation, without a line feed at the end.
  std::string to_html5lib() const;

 private:
  struct State;
  explicit HtmlTree(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// Runs of ASCII white space and U+00A0 become one space, none at the ends.
std::string squeeze(std::string_view text);

}  // namespace magpie
