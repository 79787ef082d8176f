#include "extract/microdata.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "base/json_writer.h"

namespace magpie {
namespace {

constexpr std::size_t kItemDepthMax = 32;
constexpr std::size_t kVisitsMax = 4'000'000;     // nodes looked at, of all items together
constexpr std::size_t kTextBytesMax = 64 * 1024;  // of one value
constexpr std::size_t kTextBytesAllMax = std::size_t{16} << 20;

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  constexpr std::string_view kSpace = " \t\n\r\f";
  for (std::size_t at = text.find_first_not_of(kSpace); at != std::string_view::npos; at = text.find_first_not_of(kSpace, at)) {
    const std::size_t end = std::min(text.find_first_of(kSpace, at), text.size());
    words.emplace_back(text.substr(at, end - at));
    at = end;
  }
  return words;
}

/// The attributes that say the same in microdata and in RDFa Lite.
struct Dialect {
  std::string_view scope, type, property, id, reference;
};
constexpr Dialect kMicrodata = {"itemscope", "itemtype", "itemprop", "itemid", "itemref"};
constexpr Dialect kRdfaLite = {"typeof", "typeof", "property", "resource", ""};

class MicrodataReader {
 public:
  MicrodataReader(const HtmlTree& tree, const PageUrls& urls, const Dialect& dialect) : tree_(tree), urls_(urls), names_(dialect) {}

  std::vector<JsonValue> read() {
    std::vector<JsonValue> items;
    std::vector<HtmlNode> tops;
    bool refers = false;
    for (HtmlNode node = tree_.root(); node; node = node.next_in_order(tree_.root())) {
      if (!node.is_element() || !node.has_attribute(names_.scope)) continue;
      if (!has_property(node)) tops.push_back(node);
      refers = refers || node.has_attribute(names_.reference);
    }
    if (refers) note_ids_and_order();
    for (const HtmlNode top : tops) items.push_back(item(top, 0));
    return items;
  }

 private:
  void note_ids_and_order() {
    std::size_t order = 0;
    for (HtmlNode node = tree_.root(); node; node = node.next_in_order(tree_.root())) {
      if (!node.is_element()) continue;
      order_.try_emplace(node.raw(), order++);
      if (const std::string_view id = node.attribute("id"); !id.empty()) by_id_.try_emplace(std::string(id), node);
    }
  }

  JsonValue item(HtmlNode scope, std::size_t depth) {
    JsonValue out;
    out.kind = JsonValue::Kind::kObject;
    JsonValue types;
    types.kind = JsonValue::Kind::kArray;
    for (std::string& type : words_of(scope.attribute(names_.type))) types.items.push_back(JsonValue::string(std::move(type)));
    out.members.emplace_back("@type", std::move(types));
    if (const std::string_view id = scope.attribute(names_.id); !id.empty())
      out.members.emplace_back("@id", JsonValue::string(urls_.absolute_or_text(id)));
    if (depth >= kItemDepthMax) return out;
    open_.insert(scope.raw());
    for (const HtmlNode element : properties_of(scope)) {
      JsonValue value = value_of(element, depth);
      const std::vector<std::string> names = property_names(element);
      for (const std::string& name : names) add(out, name, &name == &names.back() ? std::move(value) : value);
    }
    open_.erase(scope.raw());
    return out;
  }

  bool has_property(HtmlNode node) const {
    if (!node.has_attribute(names_.property)) return false;
    return names_.property == kMicrodata.property || !property_names(node).empty();
  }

  // Without a prefix for schema.org's own; in RDFa, other prefixes are other vocabularies.
  std::vector<std::string> property_names(HtmlNode node) const {
    std::vector<std::string> names = words_of(node.attribute(names_.property));
    if (names_.property == kMicrodata.property) return names;
    for (std::string& name : names) {
      for (const std::string_view prefix : {"schema:", "http://schema.org/", "https://schema.org/"}) {
        if (name.starts_with(prefix)) name.erase(0, prefix.size());
      }
    }
    std::erase_if(names, [](const std::string& name) { return name.find(':') != std::string::npos; });
    return names;
  }

  static void add(JsonValue& item, const std::string& name, JsonValue value) {
    for (auto& [key, values] : item.members) {
      if (key == name && values.is_array()) {
        values.items.push_back(std::move(value));
        return;
      }
    }
    JsonValue values;
    values.kind = JsonValue::Kind::kArray;
    values.items.push_back(std::move(value));
    item.members.emplace_back(name, std::move(values));
  }

  // The elements with itemprop that belong to the item: its descendants and those of the elements that itemref names, but not
  // what lies inside another item. In document order.
  std::vector<HtmlNode> properties_of(HtmlNode scope) {
    std::vector<HtmlNode> found;
    collect(scope, scope, found);
    const std::vector<std::string> references = words_of(scope.attribute(names_.reference));
    if (references.empty()) return found;
    std::unordered_set<const void*> seen;
    for (const HtmlNode node : found) seen.insert(node.raw());
    std::unordered_set<std::string> ids;
    for (const std::string& id : references) {
      const auto target = by_id_.find(id);
      if (target == by_id_.end() || !ids.insert(id).second || target->second == scope) continue;
      std::vector<HtmlNode> more;
      if (has_property(target->second)) more.push_back(target->second);
      // The standard stops at an item; publishers mean the properties inside, and consumers read them, unless the item is itself a
      // property.
      const bool is_property_item = target->second.has_attribute(names_.scope) && has_property(target->second);
      if (!is_property_item) collect(target->second, target->second, more);
      for (const HtmlNode node : more) {
        if (seen.insert(node.raw()).second) found.push_back(node);
      }
    }
    std::stable_sort(found.begin(), found.end(), [&](HtmlNode a, HtmlNode b) { return order_.at(a.raw()) < order_.at(b.raw()); });
    return found;
  }

  void collect(HtmlNode root, HtmlNode scope, std::vector<HtmlNode>& found) {
    for (HtmlNode node = root.first_child(); node && visits_ < kVisitsMax; ++visits_) {
      bool inside = true;
      if (node.is_element()) {
        if (has_property(node)) found.push_back(node);
        inside = !node.has_attribute(names_.scope);
      }
      node = inside ? node.next_in_order(scope) : node.next_after_subtree(scope);
    }
  }

  JsonValue value_of(HtmlNode element, std::size_t depth) {
    if (element.has_attribute(names_.scope)) {
      // An item that itemref leads back into itself is an error; it stands empty.
      if (open_.contains(element.raw())) return JsonValue::string("");
      return item(element, depth + 1);
    }
    return JsonValue::string(text_value_of(element));
  }

  std::string text_value_of(HtmlNode element) {
    const std::string_view name = element.name();
    const auto url = [&](std::string_view attribute) {
      const std::string_view value = element.attribute(attribute);
      return value.data() == nullptr ? std::string() : urls_.absolute_or_text(value);
    };
    if (name == "meta") return std::string(element.attribute("content"));
    if (name == "img" && element.has_attribute("data-src") &&
        (!element.has_attribute("src") || element.attribute("src").starts_with("data:")))
      return url("data-src");
    if (name == "audio" || name == "embed" || name == "iframe" || name == "img" || name == "source" || name == "track" || name == "video")
      return url("src");
    if (name == "a" || name == "area" || name == "link") {
      // <link content> and <a content> are common mistakes; without href there is no other value.
      if (!element.has_attribute("href") && element.has_attribute("content")) return std::string(element.attribute("content"));
      return name != "a" || element.has_attribute("href") ? url("href") : text_of(element);
    }
    if (name == "object") return url("data");
    if (name == "data" || name == "meter")
      return element.has_attribute("value") ? std::string(element.attribute("value")) : text_of(element);
    if (name == "time" && element.has_attribute("datetime")) return std::string(element.attribute("datetime"));
    // Not in the standard, but what every consumer does: content on any element wins over its text.
    if (element.has_attribute("content")) return std::string(element.attribute("content"));
    return text_of(element);
  }

  std::string text_of(HtmlNode element) {
    if (text_bytes_ >= kTextBytesAllMax) return {};
    std::string text = element.visible_text(kTextBytesMax);
    text_bytes_ += text.size() + 64;
    return text;
  }

  const HtmlTree& tree_;
  const PageUrls& urls_;
  const Dialect& names_;
  std::unordered_map<std::string, HtmlNode> by_id_;
  std::unordered_map<const void*, std::size_t> order_;
  std::unordered_set<const void*> open_;
  std::size_t visits_ = 0, text_bytes_ = 0;
};

void write_item(JsonWriter& json, const JsonValue& item) {
  json.begin_object().key("type").raw(to_json(*item.find("@type")));
  json.key("properties").begin_object();
  for (const auto& [name, values] : item.members) {
    if (name == "@type" || name == "@id") continue;
    json.key(name).begin_array();
    for (const JsonValue& value : values.items) {
      if (value.is_object()) {
        write_item(json, value);
      } else {
        json.string(value.text);
      }
    }
    json.end_array();
  }
  json.end_object().end_object();
}

}  // namespace

std::vector<JsonValue> read_microdata(const HtmlTree& tree, const PageUrls& urls) { return MicrodataReader(tree, urls, kMicrodata).read(); }
std::vector<JsonValue> read_rdfa(const HtmlTree& tree, const PageUrls& urls) { return MicrodataReader(tree, urls, kRdfaLite).read(); }

std::string microdata_json(const JsonValue& item) {
  JsonWriter json;
  write_item(json, item);
  return json.take();
}

}  // namespace magpie
