// `magpie inspect page --url URL`: what extraction makes of one page. {"url", "html" or "html_b64", "content_type"} -> the page's title,
// links, pictures, products and raw markup.
#include "inspect.h"

#include "core/licence.h"
#include "extract/extract_page.h"

namespace magpie::cmd {
namespace {

void write_texts(JsonWriter& json, std::string_view key, const std::vector<std::string>& texts) {
  json.key(key).begin_array();
  for (const std::string& text : texts) json.string(text);
  json.end_array();
}

void write_raw(JsonWriter& json, std::string_view key, const std::vector<std::string>& values) {
  json.key(key).begin_array();
  for (const std::string& value : values) json.raw(value);
  json.end_array();
}

void write_unless_empty(JsonWriter& json, std::string_view key, const std::string& text) {
  if (!text.empty()) json.field(key, text);
}

void write_links(JsonWriter& json, const Page& page) {
  json.key("links").begin_array();
  for (const Link& link : page.links) {
    json.begin_object().field("url", link.url).field("text", link.text).field("rel", link.rel).end_object();
  }
  json.end_array();
}

void write_image(JsonWriter& json, const ImageRef& image, const std::string& url) {
  json.begin_object().field("url", url).field("alt", image.alt);
  json.key("width");
  image.width > 0 ? json.number(image.width) : json.null();
  json.key("height");
  image.height > 0 ? json.number(image.height) : json.null();
  write_unless_empty(json, "caption", image.caption);
  write_unless_empty(json, "language", image.language);
  json.field("of_product", image.of_product);
  if (image.licence.terms.empty()) return;
  json.key("licence").begin_object().field("name", licence_name(image.licence.terms)).field("terms", image.licence.terms);
  write_unless_empty(json, "credit", image.licence.credit);
  write_unless_empty(json, "page", image.licence.page);
  json.end_object();
}

// The best candidate of each element first; smaller versions follow with the one they stand for.
void write_images(JsonWriter& json, const Page& page) {
  json.key("images").begin_array();
  for (const ImageRef& image : page.images) {
    write_image(json, image, image.url);
    json.end_object();
  }
  for (const ImageRef& image : page.images) {
    for (const std::string& alternative : image.alternatives) {
      write_image(json, image, alternative);
      json.field("version_of", image.url).end_object();
    }
  }
  json.end_array();
}

// {"price": {"from": "visible", "sure_percent": 90, "otherwise": "219.99"}, ..}
void write_evidence(JsonWriter& json, const Product& product) {
  json.key("evidence").begin_object();
  for (const FieldEvidence& evidence : product.evidence) {
    json.key(evidence.field).begin_object().field("from", to_string(evidence.origin));
    json.key("sure_percent").number(static_cast<std::uint64_t>(evidence.sure_percent));
    write_unless_empty(json, "otherwise", evidence.otherwise);
    json.end_object();
  }
  json.end_object();
}

// [{"options": [{"name": "Size", "value": "M"}], "sku": "T-1-M", "price": "12.00", ..}, ..]; an option may have no name.
void write_variants(JsonWriter& json, const Product& product) {
  json.key("variants").begin_array();
  for (const ProductVariant& variant : product.variants) {
    json.begin_object().key("options").begin_array();
    for (const VariantOption& option : variant.options) {
      json.begin_object();
      write_unless_empty(json, "name", option.name);
      json.field("value", option.value).end_object();
    }
    json.end_array();
    write_unless_empty(json, "sku", variant.sku);
    write_unless_empty(json, "gtin", variant.gtin);
    write_unless_empty(json, "price", variant.offer.price);
    write_unless_empty(json, "currency", variant.offer.currency);
    write_unless_empty(json, "old_price", variant.offer.old_price);
    write_unless_empty(json, "availability", variant.offer.availability);
    write_unless_empty(json, "image", variant.image);
    json.end_object();
  }
  json.end_array();
}

void write_products(JsonWriter& json, const Page& page) {
  json.key("products").begin_array();
  for (const Product& product : page.products) {
    json.begin_object().field("name", product.name);
    write_unless_empty(json, "price", product.offer.price);
    write_unless_empty(json, "currency", product.offer.currency);
    write_unless_empty(json, "old_price", product.offer.old_price);
    write_unless_empty(json, "availability", product.offer.availability);
    write_unless_empty(json, "brand", product.brand);
    write_unless_empty(json, "description", product.description);
    write_unless_empty(json, "sku", product.sku);
    write_unless_empty(json, "gtin", product.gtin);
    write_unless_empty(json, "category", product.category);
    write_unless_empty(json, "url", product.url);
    write_texts(json, "images", product.images);
    if (!product.variants.empty()) write_variants(json, product);
    if (!product.evidence.empty()) write_evidence(json, product);
    json.end_object();
  }
  json.end_array();
}

void write_markup(JsonWriter& json, const PageMarkup& markup) {
  const Page& page = markup.page;
  json.field("url", page.url).field("title", page.title).field("description", page.description).field("language", page.language);
  json.field("charset", page.charset).key("canonical");
  page.canonical.empty() ? json.null() : json.string(page.canonical);
  json.field("site_name", page.site_name);
  json.field("class", page.verdict.cause == Cause::kNone ? "content" : to_string(page.verdict.cause));
  write_unless_empty(json, "class_evidence", page.verdict.evidence);
  write_texts(json, "keywords", page.keywords);
  json.key("robots").begin_object().field("noindex", page.robots.noindex).field("nofollow", page.robots.nofollow);
  json.field("noimageindex", page.robots.noimageindex).field("noai", page.robots.noai).end_object();
  write_links(json, page);
  write_images(json, page);
  write_products(json, page);
  write_raw(json, "json_ld", markup.json_ld);
  write_raw(json, "microdata", markup.microdata);
  json.key("opengraph").begin_array();
  for (const auto& [property, content] : markup.opengraph) json.begin_array().string(property).string(content).end_array();
  json.end_array();
}

}  // namespace

int inspect_page(InspectArgs args) {
  const std::string flag_url = take_flag(args, "--url").value_or("");
  return answer_questions([&](const Question& question, JsonWriter& json) -> Result<void> {
    MAGPIE_TRY(const std::optional<std::string> url, question.text("url"));
    MAGPIE_TRY(const std::optional<std::string> content_type, question.text("content_type"));
    MAGPIE_TRY(const std::string html, question.required("html"));
    PageContext context;
    context.url = url.value_or(flag_url);
    context.content_type = content_type.value_or("");
    // Text that came as JSON is decoded already; what it declares is moot.
    if (question.is_text("html")) context.content_type = "text/html; charset=utf-8";
    MAGPIE_TRY(const PageMarkup markup, extract_page_markup(html, context));
    write_markup(json, markup);
    return {};
  });
}

}  // namespace magpie::cmd
