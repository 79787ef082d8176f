#include "text/html_tree.h"

#include <lexbor/dom/dom.h>
#include <lexbor/html/html.h>
#include <lexbor/html/interfaces/template_element.h>
#include <lexbor/html/tree/open_elements.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <unordered_map>
#include <vector>

#include "base/utf8.h"

namespace magpie {
namespace {

std::string_view view(const lxb_char_t* text, std::size_t size) {
  return text == nullptr ? std::string_view() : std::string_view(reinterpret_cast<const char*>(text), size);
}

lxb_dom_element_t* element_of(lxb_dom_node_t* node) { return reinterpret_cast<lxb_dom_element_t*>(node); }

bool is_hidden(lxb_tag_id_t tag) {
  return tag == LXB_TAG_SCRIPT || tag == LXB_TAG_STYLE || tag == LXB_TAG_TEMPLATE || tag == LXB_TAG_NOSCRIPT || tag == LXB_TAG_SVG;
}

// What a byte may begin: text, white space, or the two bytes of U+00A0, which is white space too.
enum class Begins : std::uint8_t { kText, kBlank, kPerhapsBlank };
constexpr std::array<Begins, 256> kBegins = [] {
  std::array<Begins, 256> begins{};
  for (const unsigned char c : {' ', '\t', '\n', '\r', '\f'}) begins[c] = Begins::kBlank;
  begins[0xC2] = Begins::kPerhapsBlank;
  return begins;
}();

// Bytes of the white space at `at`: none, one, or two for U+00A0.
std::size_t blank_size(std::string_view text, std::size_t at) {
  switch (kBegins[static_cast<unsigned char>(text[at])]) {
    case Begins::kText: return 0;
    case Begins::kBlank: return 1;
    case Begins::kPerhapsBlank: return at + 1 < text.size() && text[at + 1] == '\xA0' ? 2 : 0;
  }
  return 0;
}

// The end of the words from `at` on that stand one space apart, so that they can be copied at once.
std::size_t plain_end(std::string_view text, std::size_t at) {
  for (; at < text.size(); ++at) {
    if (kBegins[static_cast<unsigned char>(text[at])] == Begins::kText) continue;
    const bool is_single = text[at] == ' ' && at + 1 < text.size() && blank_size(text, at + 1) == 0;
    if (!is_single && blank_size(text, at) > 0) break;
  }
  return at;
}

void append_squeezed(std::string& out, std::string_view text, bool& space_due) {
  for (std::size_t at = 0; at < text.size();) {
    if (const std::size_t blank = blank_size(text, at); blank > 0) {
      space_due = true;
      at += blank;
      continue;
    }
    const std::size_t begin = at;
    at = plain_end(text, begin);
    if (space_due && !out.empty()) out += ' ';
    space_due = false;
    out.append(text, begin, at - begin);
  }
}

// At most `bytes_max` bytes of it, without a copy.
std::string cut(std::string text, std::size_t bytes_max) {
  text.resize(utf8_prefix(text, bytes_max).size());
  return text;
}

// Names of the elements and attributes that lexbor numbers itself, and readers' own numbers for elements; read for every node.
template <std::size_t kCount, class NameOf>
std::array<std::string_view, kCount> names_of(NameOf&& name_of) {
  std::array<std::string_view, kCount> names;
  for (std::size_t id = 0; id < kCount; ++id) {
    if (const auto* data = name_of(id)) names[id] = view(lexbor_hash_entry_str(&data->entry), data->entry.length);
  }
  return names;
}
const auto kTagNames = names_of<LXB_TAG__LAST_ENTRY>([](lxb_tag_id_t id) { return lxb_tag_data_by_id(id); });
const auto kAttributeNames = names_of<LXB_DOM_ATTR__LAST_ENTRY>([](lxb_dom_attr_id_t id) { return lxb_dom_attr_data_by_id(nullptr, id); });

// Elements that stand in a line of text; all others set their text apart.
constexpr lxb_tag_id_enum_t kInline[] = {
    LXB_TAG_A,      LXB_TAG_ABBR, LXB_TAG_B,   LXB_TAG_BDI,   LXB_TAG_BDO,  LXB_TAG_BIG, LXB_TAG_CODE, LXB_TAG_DATA,  LXB_TAG_EM,
    LXB_TAG_FONT,   LXB_TAG_I,    LXB_TAG_INS, LXB_TAG_LABEL, LXB_TAG_MARK, LXB_TAG_Q,   LXB_TAG_S,    LXB_TAG_SMALL, LXB_TAG_SPAN,
    LXB_TAG_STRONG, LXB_TAG_SUB,  LXB_TAG_SUP, LXB_TAG_TIME,  LXB_TAG_TT,   LXB_TAG_U,   LXB_TAG_VAR,  LXB_TAG_WBR};

constexpr std::array<HtmlLook, LXB_TAG__LAST_ENTRY> make_looks() {
  std::array<HtmlLook, LXB_TAG__LAST_ENTRY> looks{};
  for (HtmlLook& look : looks) look.is_element = true;
  for (const auto tag : kInline) looks[tag].is_inline = true;
  looks[LXB_TAG_A].tag = HtmlTag::kA;
  looks[LXB_TAG_AREA].tag = HtmlTag::kArea;
  looks[LXB_TAG_IMG].tag = HtmlTag::kImg;
  looks[LXB_TAG_IMAGE].tag = HtmlTag::kImage;
  looks[LXB_TAG_INPUT].tag = HtmlTag::kInput;
  looks[LXB_TAG_META].tag = HtmlTag::kMeta;
  looks[LXB_TAG_LINK].tag = HtmlTag::kLink;
  looks[LXB_TAG_SCRIPT].tag = HtmlTag::kScript;
  looks[LXB_TAG_TITLE].tag = HtmlTag::kTitle;
  looks[LXB_TAG_HTML].tag = HtmlTag::kHtml;
  looks[LXB_TAG_HEAD].tag = HtmlTag::kHead;
  looks[LXB_TAG_VIDEO].tag = HtmlTag::kVideo;
  looks[LXB_TAG_H1].tag = HtmlTag::kH1;
  looks[LXB_TAG_STYLE].tag = HtmlTag::kStyle;
  looks[LXB_TAG_TEMPLATE].tag = HtmlTag::kTemplate;
  looks[LXB_TAG_NOSCRIPT].tag = HtmlTag::kNoscript;
  looks[LXB_TAG_SVG].tag = HtmlTag::kSvg;
  looks[LXB_TAG_IFRAME].tag = HtmlTag::kIframe;
  looks[LXB_TAG_TEXTAREA].tag = HtmlTag::kTextarea;
  looks[LXB_TAG_SELECT].tag = HtmlTag::kSelect;
  looks[LXB_TAG_OPTION].tag = HtmlTag::kOption;
  looks[LXB_TAG_LABEL].tag = HtmlTag::kLabel;
  looks[LXB_TAG_BUTTON].tag = HtmlTag::kButton;
  looks[LXB_TAG_LI].tag = HtmlTag::kListEntry;
  looks[LXB_TAG_ARTICLE].tag = HtmlTag::kArticle;
  looks[LXB_TAG_NAV].tag = HtmlTag::kNav;
  looks[LXB_TAG_FOOTER].tag = HtmlTag::kFooter;
  looks[LXB_TAG_ASIDE].tag = HtmlTag::kAside;
  looks[LXB_TAG_SUP].tag = HtmlTag::kSup;
  for (const auto tag : {LXB_TAG_DEL, LXB_TAG_S, LXB_TAG_STRIKE}) looks[tag].tag = HtmlTag::kStruck;
  for (const auto tag : {LXB_TAG_H2, LXB_TAG_H3, LXB_TAG_H4, LXB_TAG_H5, LXB_TAG_H6}) looks[tag].tag = HtmlTag::kLowerHeading;
  return looks;
}

bool stands_in_line(lxb_tag_id_t tag) { return tag < kHtmlLooks.size() && kHtmlLooks[tag].is_inline; }

// Stands between tokenizer and tree builder and keeps hostile pages cheap. The tree builder walks its stack of open elements and the
// attributes of a tag again and again, so both are bounded here; what remains is bounded by time.
class Gate {
 public:
  Gate(lxb_html_parser_t* parser, bool keeps_drawings) : parser_(parser), keeps_drawings_(keeps_drawings), end_(Clock::now() + kTimeMax) {
    builder_ = parser->tkz->callback_token_done;
    builder_context_ = parser->tkz->callback_token_ctx;
    lxb_html_tokenizer_callback_token_done_set(parser->tkz, &Gate::on_token, this);
  }
  ~Gate() { lxb_html_tokenizer_callback_token_done_set(parser_->tkz, builder_, builder_context_); }
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;

  bool is_over() {
    if (!over_) over_ = Clock::now() > end_;
    return over_;
  }

 private:
  using Clock = std::chrono::steady_clock;
  // Real pages nest under 200 deep and browsers flatten beyond 512.
  static constexpr std::size_t kDepthMax = 1'024;
  static constexpr std::size_t kFormattingMax = 256;
  static constexpr std::size_t kAttributesMax = 512;
  static constexpr std::chrono::seconds kTimeMax{4};

  static lxb_html_token_t* on_token(lxb_html_tokenizer_t* tokenizer, lxb_html_token_t* token, void* context) {
    auto& gate = *static_cast<Gate*>(context);
    if (token->tag_id == LXB_TAG__END_OF_FILE) return gate.builder_(tokenizer, token, gate.builder_context_);
    if ((++gate.tokens_ & 0xFF) == 0) gate.is_over();
    if (gate.over_ || gate.drops(token)) return token;
    return gate.builder_(tokenizer, token, gate.builder_context_);
  }

  bool drops(lxb_html_token_t* token) {
    if (token->tag_id <= LXB_TAG__EM_DOCTYPE) return false;  // text, comments, the doctype
    if ((token->type & LXB_HTML_TOKEN_TYPE_CLOSE) != 0) return drops_end(token->tag_id);
    if (!keeps_drawings_ && is_drawing(token->tag_id)) token->attr_first = token->attr_last = nullptr;
    cut_attributes(token);
    const bool deep = lexbor_array_length(parser_->tree->open_elements) >= kDepthMax ||
                      lexbor_array_length(parser_->tree->active_formatting) >= kFormattingMax;
    if (!deep || changes_tokenizer(token->tag_id)) return false;
    ++dropped_[token->tag_id];
    return true;
  }

  // The end of a tag that was dropped must not end an element further out.
  bool drops_end(lxb_tag_id_t tag) {
    if (dropped_.empty()) return false;
    const auto found = dropped_.find(tag);
    if (found == dropped_.end()) return false;
    if (--found->second == 0) dropped_.erase(found);
    return true;
  }

  // Elements that HTML does not know stay in the drawing they are met in; all others may lead out of it, some by their attributes.
  bool is_drawing(lxb_tag_id_t tag) const {
    if (tag == LXB_TAG_SVG) return true;
    if (tag < LXB_TAG__LAST_ENTRY && tag != LXB_TAG_PATH) return false;
    const lxb_dom_node_t* around = lxb_html_tree_current_node(parser_->tree);
    return around != nullptr && around->ns == LXB_NS_SVG;
  }

  static void cut_attributes(lxb_html_token_t* token) {
    std::size_t count = 0;
    for (lxb_html_token_attr_t* attribute = token->attr_first; attribute != nullptr; attribute = attribute->next) {
      if (++count < kAttributesMax) continue;
      attribute->next = nullptr;
      token->attr_last = attribute;
    }
  }

  // These start tags switch the tokenizer to raw text, so the builder has to see them; none of them nests.
  static bool changes_tokenizer(lxb_tag_id_t tag) {
    switch (tag) {
      case LXB_TAG_SCRIPT:
      case LXB_TAG_STYLE:
      case LXB_TAG_TEXTAREA:
      case LXB_TAG_TITLE:
      case LXB_TAG_XMP:
      case LXB_TAG_IFRAME:
      case LXB_TAG_NOEMBED:
      case LXB_TAG_NOFRAMES:
      case LXB_TAG_PLAINTEXT:
      case LXB_TAG_IMG:
      case LXB_TAG_META:
      case LXB_TAG_LINK:
      case LXB_TAG_INPUT:
      case LXB_TAG_BR:
      case LXB_TAG_HR:
      case LXB_TAG_SOURCE: return true;
      default: return false;
    }
  }

  lxb_html_parser_t* parser_;
  bool keeps_drawings_;
  Clock::time_point end_;
  lxb_html_tokenizer_token_f builder_ = nullptr;
  void* builder_context_ = nullptr;
  std::size_t tokens_ = 0;
  bool over_ = false;
  std::unordered_map<lxb_tag_id_t, std::size_t> dropped_;
};

// Small enough that a tag of a million attributes is noticed by the clock too.
constexpr std::size_t kChunkBytes = 256 * 1024;

// lexbor keeps the names of attributes and tags it has not met before in tables of 128 chains; 200,000 names on one tag took seconds.
void widen(lexbor_hash_t* names) {
  constexpr std::size_t kChains = 8'192;
  auto** table = static_cast<lexbor_hash_entry_t**>(lexbor_calloc(kChains, sizeof(lexbor_hash_entry_t*)));
  if (table == nullptr) return;
  lexbor_free(names->table);
  names->table = table;
  names->table_size = kChains;
}

constexpr std::size_t kSmallPageBytes = 64 * 1024;

// One block for the nodes and one for the text of most large pages, instead of a hundred of 32 KB. Only what is used becomes resident.
bool make_room(lxb_html_document_t* document) {
  constexpr std::size_t kNodeBytes = std::size_t{2} << 20, kTextBytes = std::size_t{512} << 10;
  lexbor_mraw_t* nodes = document->dom_document.mraw;
  lexbor_mraw_t* text = document->dom_document.text;
  lexbor_mraw_destroy(nodes, false);
  lexbor_mraw_destroy(text, false);
  const bool has_nodes = lexbor_mraw_init(nodes, kNodeBytes) == LXB_STATUS_OK;
  const bool has_text = lexbor_mraw_init(text, kTextBytes) == LXB_STATUS_OK;
  widen(document->dom_document.attrs);
  widen(document->dom_document.tags);
  return has_nodes && has_text;
}

struct DestroyDocument {
  void operator()(lxb_html_document_t* document) const { lxb_html_document_destroy(document); }
};
using DocumentPointer = std::unique_ptr<lxb_html_document_t, DestroyDocument>;

// A document with its parser is some thirty allocations, more work than a small page is. Each thread keeps two, for small pages and for
// large ones, with their first blocks of memory; a page met while they are in use (a fragment inside a page) gets one of its own.
class Document {
 public:
  explicit Document(std::size_t page_bytes) : is_large_(page_bytes >= kSmallPageBytes), value_(std::move(kept(is_large_))) {
    if (value_) return;
    value_.reset(lxb_html_document_create());
    if (value_ && is_large_ && !make_room(value_.get())) value_.reset();
  }
  ~Document() {
    if (!is_sound_ || kept(is_large_)) return;
    reset(value_.get());
    kept(is_large_) = std::move(value_);
  }
  Document(const Document&) = delete;
  Document& operator=(const Document&) = delete;

  /// Null when there is no memory.
  lxb_html_document_t* get() const { return value_.get(); }
  /// Parsed to the end: fit for another page. What was stopped midway is thrown away.
  void set_sound() { is_sound_ = true; }

 private:
  static DocumentPointer& kept(bool is_large) {
    thread_local DocumentPointer documents[2];
    return documents[is_large];
  }

  // lexbor's own cleaning leaves the doctype's mode and some of the parser's marks as they were.
  static void reset(lxb_html_document_t* document) {
    lxb_html_document_clean(document);
    document->dom_document.compat_mode = LXB_DOM_DOCUMENT_CMODE_NO_QUIRKS;
    auto* parser = static_cast<lxb_html_parser_t*>(document->dom_document.parser);
    lxb_html_parser_clean(parser);
    parser->tkz->tmp_tag_id = LXB_TAG__UNDEF;
    parser->tkz->is_attribute = false;
    parser->tree->pending_table.have_non_ws = false;
  }

  bool is_large_;
  bool is_sound_ = false;
  DocumentPointer value_;
};

}  // namespace

constinit const std::array<HtmlLook, LXB_TAG__LAST_ENTRY> kHtmlLooks = make_looks();

struct HtmlTree::State {
  explicit State(std::size_t page_bytes) : document(page_bytes) {}
  Document document;
  lxb_dom_node_t* root = nullptr;
};

HtmlNode::Type HtmlNode::type() const {
  switch (node_->type) {
    case LXB_DOM_NODE_TYPE_ELEMENT: return Type::kElement;
    case LXB_DOM_NODE_TYPE_TEXT:
    case LXB_DOM_NODE_TYPE_CDATA_SECTION: return Type::kText;
    case LXB_DOM_NODE_TYPE_COMMENT: return Type::kComment;
    case LXB_DOM_NODE_TYPE_DOCUMENT_TYPE: return Type::kDoctype;
    case LXB_DOM_NODE_TYPE_DOCUMENT: return Type::kDocument;
    case LXB_DOM_NODE_TYPE_DOCUMENT_FRAGMENT: return Type::kFragment;
    default: return Type::kOther;
  }
}

std::string_view HtmlNode::name() const {
  if (!is_element()) return {};
  if (node_->local_name < kTagNames.size()) return kTagNames[node_->local_name];
  std::size_t size = 0;
  const lxb_char_t* name = lxb_dom_element_local_name(element_of(node_), &size);
  return view(name, size);
}

bool HtmlNode::is(std::string_view wanted) const { return is_element() && node_->ns == LXB_NS_HTML && name() == wanted; }

static std::string_view attribute_name(lxb_dom_attr_t* at) {
  const lxb_dom_attr_id_t id = at->node.local_name;
  if (id < kAttributeNames.size()) return kAttributeNames[id];
  std::size_t size = 0;
  const lxb_char_t* name = lxb_dom_attr_local_name(at, &size);
  return view(name, size);
}

static std::string_view attribute_value(const lxb_dom_attr_t* at) {
  const lexbor_str_t* value = at->value;
  return value == nullptr || value->data == nullptr ? std::string_view("") : view(value->data, value->length);
}

std::string_view HtmlNode::attribute(std::string_view name) const {
  if (!is_element()) return {};
  for (lxb_dom_attr_t* at = element_of(node_)->first_attr; at != nullptr; at = at->next) {
    if (attribute_name(at) == name) return attribute_value(at);
  }
  return {};
}

std::size_t HtmlNode::attributes(Attribute (&some)[8], void*& next) const {
  auto* at = static_cast<lxb_dom_attr_t*>(next);
  if (at == nullptr && is_element()) at = element_of(node_)->first_attr;
  std::size_t count = 0;
  for (; at != nullptr && count < std::size(some); at = at->next) some[count++] = {attribute_name(at), attribute_value(at)};
  next = at;
  return count;
}

std::string_view HtmlNode::data() const {
  switch (node_->type) {
    case LXB_DOM_NODE_TYPE_TEXT:
    case LXB_DOM_NODE_TYPE_COMMENT:
    case LXB_DOM_NODE_TYPE_CDATA_SECTION: {
      const lexbor_str_t& text = reinterpret_cast<lxb_dom_character_data_t*>(node_)->data;
      return view(text.data, text.length);
    }
    default: return {};
  }
}

std::string HtmlNode::text_content(std::size_t bytes_max) const {
  std::string out;
  for (HtmlNode at = *this; at && out.size() < bytes_max; at = at.next_in_order(*this)) {
    if (at.is_text()) out += at.data().substr(0, bytes_max - out.size() + 1);
  }
  return cut(std::move(out), bytes_max);
}

// The next node in document order; leaving a block on the way sets what follows apart.
static lxb_dom_node_t* next_visible(lxb_dom_node_t* node, lxb_dom_node_t* root, bool skip_children, bool& space_due) {
  if (!skip_children && node->first_child != nullptr) return node->first_child;
  for (lxb_dom_node_t* at = node; at != root; at = at->parent) {
    if (at->type == LXB_DOM_NODE_TYPE_ELEMENT && !stands_in_line(at->local_name)) space_due = true;
    if (at->next != nullptr) return at->next;
  }
  return nullptr;
}

std::string HtmlNode::visible_text(std::size_t bytes_max) const {
  // Enough for any text worth reading, and a bound for those who call this for every link of a hostile page.
  constexpr int kNodesMax = 50'000;
  std::string out;
  bool space_due = false;
  int nodes = 0;
  for (lxb_dom_node_t* at = node_; at != nullptr && out.size() < bytes_max && ++nodes < kNodesMax;) {
    bool hidden = false;
    if (at->type == LXB_DOM_NODE_TYPE_ELEMENT) {
      if (!stands_in_line(at->local_name)) space_due = true;
      hidden = at != node_ && is_hidden(at->local_name);
    } else if (at->type == LXB_DOM_NODE_TYPE_TEXT) {
      append_squeezed(out, HtmlNode(at).data().substr(0, bytes_max * 4), space_due);
    }
    at = next_visible(at, node_, hidden, space_due);
  }
  return cut(std::move(out), bytes_max);
}

HtmlTree::HtmlTree(std::unique_ptr<State> state) : state_(std::move(state)) {}
HtmlTree::HtmlTree(HtmlTree&&) noexcept = default;
HtmlTree& HtmlTree::operator=(HtmlTree&&) noexcept = default;
HtmlTree::~HtmlTree() = default;

Result<HtmlTree> HtmlTree::parse(std::string_view utf8, const HtmlLimits& limits) {
  if (utf8.size() > limits.bytes_max) return fail(Code::kTooLarge, "the page has {} bytes, over {}", utf8.size(), limits.bytes_max);
  auto state = std::make_unique<State>(utf8.size());
  lxb_html_document_t* document = state->document.get();
  if (document == nullptr || lxb_html_document_parse_chunk_begin(document) != LXB_STATUS_OK)
    return fail(Code::kInternal, "no memory for the HTML tree");
  {
    Gate gate(static_cast<lxb_html_parser_t*>(document->dom_document.parser), limits.keeps_drawings);
    for (std::size_t at = 0; at < utf8.size() && !gate.is_over(); at += kChunkBytes) {
      const std::string_view chunk = utf8.substr(at, kChunkBytes);
      if (lxb_html_document_parse_chunk(document, reinterpret_cast<const lxb_char_t*>(chunk.data()), chunk.size()) != LXB_STATUS_OK) {
        return fail(Code::kInternal, "the HTML parser gave up at byte {}", at);
      }
    }
    if (lxb_html_document_parse_chunk_end(document) != LXB_STATUS_OK) return fail(Code::kInternal, "the HTML parser could not finish");
    if (!gate.is_over()) state->document.set_sound();
  }
  state->root = lxb_dom_interface_node(document);
  return HtmlTree(std::move(state));
}

Result<HtmlTree> HtmlTree::parse_fragment(std::string_view utf8, std::string_view context, const HtmlLimits& limits) {
  if (utf8.size() > limits.bytes_max) return fail(Code::kTooLarge, "the fragment has {} bytes, over {}", utf8.size(), limits.bytes_max);
  lxb_ns_id_t space = LXB_NS_HTML;
  if (context.starts_with("svg ")) space = LXB_NS_SVG;
  if (context.starts_with("math ")) space = LXB_NS_MATH;
  if (space != LXB_NS_HTML) context.remove_prefix(context.find(' ') + 1);

  auto state = std::make_unique<State>(utf8.size());
  lxb_html_document_t* document = state->document.get();
  if (document == nullptr) return fail(Code::kInternal, "no memory for the HTML tree");
  lxb_dom_element_t* element = lxb_dom_document_create_element(
      lxb_dom_interface_document(document), reinterpret_cast<const lxb_char_t*>(context.data()), context.size(), nullptr);
  if (element == nullptr) return fail(Code::kBadInput, "'{}' is no element's name", context);
  element->node.ns = space;
  if (lxb_html_document_parse_fragment_chunk_begin(document, element) != LXB_STATUS_OK)
    return fail(Code::kInternal, "no memory for the HTML tree");
  {
    Gate gate(static_cast<lxb_html_parser_t*>(document->dom_document.parser), limits.keeps_drawings);
    for (std::size_t at = 0; at < utf8.size() && !gate.is_over(); at += kChunkBytes) {
      const std::string_view chunk = utf8.substr(at, kChunkBytes);
      if (lxb_html_document_parse_fragment_chunk(document, reinterpret_cast<const lxb_char_t*>(chunk.data()), chunk.size()) !=
          LXB_STATUS_OK) {
        return fail(Code::kInternal, "the HTML parser gave up at byte {}", at);
      }
    }
    state->root = lxb_html_document_parse_fragment_chunk_end(document);
    if (!gate.is_over() && state->root != nullptr) state->document.set_sound();
  }
  if (state->root == nullptr) return fail(Code::kInternal, "the HTML parser could not finish");
  return HtmlTree(std::move(state));
}

HtmlNode HtmlTree::root() const { return HtmlNode(state_->root); }

HtmlNode HtmlTree::html() const { return HtmlNode(reinterpret_cast<lxb_dom_node_t*>(state_->document.get()->dom_document.element)); }
HtmlNode HtmlTree::head() const { return HtmlNode(reinterpret_cast<lxb_dom_node_t*>(state_->document.get()->head)); }
HtmlNode HtmlTree::body() const { return HtmlNode(reinterpret_cast<lxb_dom_node_t*>(state_->document.get()->body)); }

std::string squeeze(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  bool space_due = false;
  append_squeezed(out, text, space_due);
  return out;
}

}  // namespace magpie
