#include "extract/extract_page.h"

#include <algorithm>
#include <cstdlib>
#include <optional>

#include "base/ascii.h"
#include "extract/app_shell.h"
#include "extract/image_language.h"
#include "extract/image_licence.h"
#include "extract/microdata.h"
#include "extract/page_class.h"
#include "extract/page_parts.h"
#include "extract/page_products.h"
#include "extract/robots_meta.h"
#include "extract/schema_product.h"
#include "text/charset.h"
#include "text/keywords.h"
#include "text/language.h"

namespace magpie {
namespace {

constexpr std::size_t kImagesByMarkupMax = 1'000;

// JSON-LD as found: one entry an object, arrays at the top taken apart.
std::vector<JsonValue> read_json_ld(const std::vector<std::string>& texts) {
  std::vector<JsonValue> objects;
  for (const std::string& text : texts) {
    std::vector<JsonValue> found = parse_json_texts(text);
    // Some templates escape the whole text for HTML, which a script does not undo.
    if (found.empty() || (text.find("&quot;") != std::string::npos && text.find('"') == std::string::npos)) {
      auto tree = HtmlTree::parse_fragment(text, "textarea");
      if (tree) found = parse_json_texts(tree->root().text_content());
    }
    for (JsonValue& value : found) {
      if (value.is_object()) {
        objects.push_back(std::move(value));
      } else {
        for (JsonValue& item : value.items) {
          if (item.is_object()) objects.push_back(std::move(item));
        }
      }
    }
  }
  return objects;
}

// Open Graph properties of the page, by its own namespaces and those that the page declares (https://ogp.me/).
std::vector<std::pair<std::string, std::string>> read_opengraph(const PageParts& parts) {
  static constexpr std::string_view kSpaces[] = {"og", "music", "video", "article", "book", "profile"};
  const auto is_known = [&](std::string_view space) {
    return std::find(std::begin(kSpaces), std::end(kSpaces), space) != std::end(kSpaces) ||
           std::find(parts.opengraph_prefixes.begin(), parts.opengraph_prefixes.end(), space) != parts.opengraph_prefixes.end();
  };
  const bool any_in_head =
      std::any_of(parts.metas.begin(), parts.metas.end(), [](const MetaTag& tag) { return tag.is_property && tag.in_head; });
  std::vector<std::pair<std::string, std::string>> found;
  for (const MetaTag& tag : parts.metas) {
    const std::size_t colon = tag.key.find(':');
    const bool counts = tag.is_property && colon != std::string::npos && (tag.in_head || !any_in_head);
    if (counts && is_known(std::string_view(tag.key).substr(0, colon))) found.emplace_back(tag.key, tag.content);
  }
  return found;
}

void add_opengraph_images(const PageParts& parts, ImageList& images) {
  std::string url, alt;
  std::uint32_t width = 0, height = 0;
  const auto flush = [&] {
    if (!url.empty()) images.add_named(url, ImageOrigin::kOpenGraph, alt, width, height);
    url.clear();
    alt.clear();
    width = height = 0;
  };
  const auto number = [](const std::string& text) {
    return static_cast<std::uint32_t>(std::min(std::strtoul(text.c_str(), nullptr, 10), 100'000UL));
  };
  // og:image:width and its like speak of the og:image before them.
  for (const MetaTag& tag : parts.metas) {
    if (tag.key == "og:image" || tag.key == "og:image:url") {
      if (tag.key == "og:image" || url.empty()) flush();
      url = tag.content;
    } else if (tag.key == "og:image:secure_url") {
      if (url.empty()) url = tag.content;
    } else if (tag.key == "og:image:width") {
      width = number(tag.content);
    } else if (tag.key == "og:image:height") {
      height = number(tag.content);
    } else if (tag.key == "og:image:alt") {
      alt = tag.content;
    }
  }
  flush();
  for (const std::string_view key : {"twitter:image", "twitter:image:src"}) {
    if (const std::string_view content = parts.meta(key); !content.empty())
      images.add_named(content, ImageOrigin::kOpenGraph, parts.meta("twitter:image:alt"));
  }
}

void read_robots(const PageParts& parts, const PageContext& context, RobotsMeta& robots) {
  const std::string agent = ascii_lowered(context.agent);
  for (const MetaTag& tag : parts.metas) {
    if (!tag.is_property && (tag.key == "robots" || tag.key == agent)) add_robots_rules(robots, tag.content);
    if (!tag.is_property && tag.key == "tdm-reservation" && squeeze(tag.content) == "1") robots.noai = true;  // TDMRep asks what noai asks
  }
  add_robots_header(robots, context.x_robots_tag, agent);
}

std::vector<std::string> page_keywords(const Page& page, const PageParts& parts) {
  std::vector<WeightedText> texts = {{page.title, 5}, {parts.meta("keywords"), 3}, {page.description, 2}};
  for (const std::string& h1 : parts.h1) texts.push_back({h1, 4});
  if (!page.products.empty()) {
    texts.push_back({page.products.front().name, 5});
    texts.push_back({page.products.front().brand, 2});
    texts.push_back({page.products.front().category, 2});
  }
  constexpr std::size_t kAltsMax = 20;
  for (std::size_t i = 0; i < std::min(page.images.size(), kAltsMax); ++i) texts.push_back({page.images[i].alt, 1});
  return keywords_of(texts, page.language);
}

std::string language_of(std::string_view text, const PageParts& parts) {
  std::string declared = parts.language;
  if (normalise_language_tag(declared).empty()) declared = parts.meta("content-language");
  return detect_language(text, declared);
}

std::optional<std::string_view> base_href(const HtmlTree& tree) {
  constexpr int kNodesMax = 20'000;
  int nodes = 0;
  for (HtmlNode node = tree.root(); node && ++nodes < kNodesMax; node = node.next_in_order(tree.root())) {
    if (node.is_element() && node.is("base") && node.has_attribute("href")) return node.attribute("href");
    if (node.is_element() && node == tree.body()) break;
  }
  return std::nullopt;
}

// A page with all that was read on the way.
struct ReadPage {
  Page page;
  PageParts parts;
  std::vector<JsonValue> json_ld, microdata;
};

Result<ReadPage> read_page(std::string_view html_bytes, const PageContext& context, const ExtractLimits& limits) {
  if (html_bytes.size() > limits.html_bytes_max)
    return fail(Code::kTooLarge, "the page has {} bytes, over {}", html_bytes.size(), limits.html_bytes_max);
  MAGPIE_TRY(Url url, Url::parse(context.url));
  Page page;
  page.url = url.href();
  page.charset = sniff_charset(html_bytes, context.content_type);
  const Utf8Text html(html_bytes, page.charset);
  MAGPIE_TRY(const HtmlTree tree, HtmlTree::parse(html.text(), {.bytes_max = 4 * limits.html_bytes_max, .keeps_drawings = false}));

  PageUrls urls(std::move(url), page.charset);
  if (const auto href = base_href(tree)) urls.set_base(*href);
  ImageList images(urls, limits.images_max);
  PageParts parts = read_parts(tree, urls, limits, images);
  std::vector<JsonValue> json_ld = read_json_ld(parts.json_ld_texts);
  std::vector<JsonValue> microdata = parts.has_microdata ? read_microdata(tree, urls) : std::vector<JsonValue>();

  page.canonical = parts.canonical;
  page.title = parts.title.empty() ? plain_words(parts.meta("og:title"), limits.text_bytes_max) : parts.title;
  page.description = squeeze(parts.meta("description").empty() ? parts.meta("og:description") : parts.meta("description"));
  const std::string text = tree.body() ? tree.body().visible_text(kPageTextBytes) : "";
  page.language = language_of(text, parts);
  page.site_name = squeeze(parts.meta("og:site_name"));
  if (page.site_name.empty()) page.site_name = schema_site_name(json_ld);
  read_robots(parts, context, page.robots);

  const std::vector<JsonValue> rdfa = parts.has_rdfa ? read_rdfa(tree, urls) : std::vector<JsonValue>();
  PageProducts found = page_products(
      {json_ld, microdata, rdfa, parts, urls, images.images(), tree.body(), context.selectors, context.candidates, context.learns},
      limits.products_max);
  page.products = std::move(found.products);
  page.selector_trials = std::move(found.trials);
  add_opengraph_images(parts, images);
  for (const Product& product : page.products) {
    for (const std::string& image : product.images) images.add_named(image, ImageOrigin::kJsonLd, product.name);
  }
  for (const std::string& image : schema_images(json_ld, urls, kImagesByMarkupMax)) images.add_named(image, ImageOrigin::kJsonLd, "");
  for (const std::string& image : schema_images(microdata, urls, kImagesByMarkupMax)) images.add_named(image, ImageOrigin::kMicrodata, "");
  for (const std::vector<JsonValue>* items : {&std::as_const(json_ld), &std::as_const(microdata), &rdfa})
    add_schema_licences(*items, urls, images);
  add_linked_licences(parts.licence_links, images);
  if (!page.products.empty()) images.mark_product(page.products.front().images);

  page.links = std::move(parts.links);
  page.images = images.take();
  settle_image_languages(page.images, page.language);
  page.keywords = page_keywords(page, parts);
  const PageToClassify to_classify{tree, parts, page, text};
  page.verdict = classify_page(to_classify);
  if (page.verdict.cause == Cause::kNone) {
    page.shape = page_shape(to_classify);
    page.app_shell = is_app_shell(to_classify);
  }
  // The tree goes.
  parts.h1_nodes.clear();
  parts.licence_links.clear();
  parts.state_texts.clear();
  return ReadPage{std::move(page), std::move(parts), std::move(json_ld), std::move(microdata)};
}

}  // namespace

Result<PageMarkup> extract_page_markup(std::string_view html_bytes, const PageContext& context, const ExtractLimits& limits) {
  MAGPIE_TRY(ReadPage read, read_page(html_bytes, context, limits));
  PageMarkup markup;
  markup.page = std::move(read.page);
  for (const JsonValue& object : read.json_ld) markup.json_ld.push_back(to_json(object));
  for (const JsonValue& item : read.microdata) markup.microdata.push_back(microdata_json(item));
  markup.opengraph = read_opengraph(read.parts);
  return markup;
}

Result<Page> extract_page(std::string_view html_bytes, const PageContext& context, const ExtractLimits& limits) {
  MAGPIE_TRY(ReadPage read, read_page(html_bytes, context, limits));
  return std::move(read.page);
}

}  // namespace magpie
