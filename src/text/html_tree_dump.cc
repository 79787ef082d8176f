// HtmlTree in the notation of html5lib's tree-construction tests:
// https://github.com/html5lib/html5lib-tests/blob/master/tree-construction/README.md
#include <lexbor/dom/dom.h>
#include <lexbor/html/html.h>
#include <lexbor/html/interfaces/template_element.h>

#include <algorithm>
#include <vector>

#include "text/html_tree.h"

namespace magpie {
namespace {

std::string_view view(const lxb_char_t* text, std::size_t size) {
  return text == nullptr ? std::string_view() : std::string_view(reinterpret_cast<const char*>(text), size);
}

struct Step {
  lxb_dom_node_t* node;
  std::size_t depth;
  bool is_content;  // the "content" line of a template, whose first child is `node`
};

void append_indent(std::string& out, std::size_t depth) {
  if (!out.empty()) out += '\n';
  out += "| ";
  out.append(depth * 2, ' ');
}

void append_doctype(std::string& out, lxb_dom_node_t* node) {
  auto* doctype = reinterpret_cast<lxb_dom_document_type_t*>(node);
  std::size_t size = 0;
  const lxb_char_t* name = lxb_dom_document_type_name(doctype, &size);
  out += "<!DOCTYPE ";
  out += view(name, size);
  if (doctype->public_id.length > 0 || doctype->system_id.length > 0) {
    out += " \"";
    out += view(doctype->public_id.data, doctype->public_id.length);
    out += "\" \"";
    out += view(doctype->system_id.data, doctype->system_id.length);
    out += '"';
  }
  out += '>';
}

std::string attribute_name(lxb_dom_attr_t* attribute) {
  std::size_t size = 0;
  const lxb_char_t* qualified = lxb_dom_attr_qualified_name(attribute, &size);
  std::string name(view(qualified, size));
  const bool foreign = attribute->node.ns == LXB_NS_XLINK || attribute->node.ns == LXB_NS_XML || attribute->node.ns == LXB_NS_XMLNS;
  if (foreign) {
    const std::size_t colon = name.find(':');
    if (colon != std::string::npos) name[colon] = ' ';
  }
  return name;
}

void append_attributes(std::string& out, lxb_dom_element_t* element, std::size_t depth) {
  std::vector<std::pair<std::string, std::string_view>> attributes;
  for (lxb_dom_attr_t* at = element->first_attr; at != nullptr; at = at->next) {
    attributes.emplace_back(attribute_name(at), at->value == nullptr ? std::string_view() : view(at->value->data, at->value->length));
  }
  std::sort(attributes.begin(), attributes.end());
  for (const auto& [name, value] : attributes) {
    append_indent(out, depth + 1);
    out += name;
    out += "=\"";
    out += value;
    out += '"';
  }
}

void append_element(std::string& out, lxb_dom_element_t* element, std::size_t depth) {
  out += '<';
  if (element->node.ns == LXB_NS_SVG) out += "svg ";
  if (element->node.ns == LXB_NS_MATH) out += "math ";
  std::size_t size = 0;
  const lxb_char_t* name = lxb_dom_element_qualified_name(element, &size);
  out += view(name, size);
  out += '>';
  append_attributes(out, element, depth);
}

void append_node(std::string& out, lxb_dom_node_t* node, std::size_t depth) {
  append_indent(out, depth);
  switch (node->type) {
    case LXB_DOM_NODE_TYPE_ELEMENT: return append_element(out, reinterpret_cast<lxb_dom_element_t*>(node), depth);
    case LXB_DOM_NODE_TYPE_DOCUMENT_TYPE: return append_doctype(out, node);
    case LXB_DOM_NODE_TYPE_COMMENT: out.append("<!-- ").append(HtmlNode(node).data()).append(" -->"); return;
    default: out.append("\"").append(HtmlNode(node).data()).append("\""); return;
  }
}

lxb_dom_node_t* template_content(lxb_dom_node_t* node) {
  if (node->type != LXB_DOM_NODE_TYPE_ELEMENT || node->local_name != LXB_TAG_TEMPLATE || node->ns != LXB_NS_HTML) return nullptr;
  lxb_dom_document_fragment_t* content = reinterpret_cast<lxb_html_template_element_t*>(node)->content;
  return content == nullptr ? nullptr : &content->node;
}

}  // namespace

std::string HtmlTree::to_html5lib() const {
  std::string out;
  std::vector<Step> stack;
  const auto push_siblings = [&](lxb_dom_node_t* first, std::size_t depth) {
    if (first != nullptr) stack.push_back({first, depth, false});
  };
  push_siblings(root().raw()->first_child, 0);
  while (!stack.empty()) {
    const Step step = stack.back();
    stack.pop_back();
    if (step.is_content) {
      append_indent(out, step.depth);
      out += "content";
      push_siblings(step.node->first_child, step.depth + 1);
      continue;
    }
    append_node(out, step.node, step.depth);
    push_siblings(step.node->next, step.depth);
    push_siblings(step.node->first_child, step.depth + 1);
    if (lxb_dom_node_t* content = template_content(step.node)) stack.push_back({content, step.depth + 1, true});
  }
  return out;
}

}  // namespace magpie
