#include "core/page_wire.h"

#include <algorithm>
#include <array>

#include "base/wire.h"

namespace magpie {
namespace {

constexpr std::uint64_t kVersion = 7;

void write(WireWriter& out, const ImageRef& ref) {
  out.bytes(ref.url);
  out.strings(ref.alternatives);
  out.u64(static_cast<std::uint64_t>(ref.origin));
  out.bytes(ref.alt);
  out.bytes(ref.caption);
  out.bytes(ref.language);
  out.u64(ref.width);
  out.u64(ref.height);
  out.boolean(ref.of_product);
  for (const std::string* text : {&ref.licence.terms, &ref.licence.credit, &ref.licence.page}) out.bytes(*text);
}

ImageRef read_image(WireReader& in) {
  ImageRef ref;
  ref.url = in.string();
  ref.alternatives = in.strings();
  ref.origin = static_cast<ImageOrigin>(in.u64());
  ref.alt = in.string();
  ref.caption = in.string();
  ref.language = in.string();
  ref.width = static_cast<std::uint32_t>(in.u64());
  ref.height = static_cast<std::uint32_t>(in.u64());
  ref.of_product = in.boolean();
  for (std::string* text : {&ref.licence.terms, &ref.licence.credit, &ref.licence.page}) *text = in.string();
  return ref;
}

// The texts of a record of some, const or not, in the order they travel in.
template <class AnyProduct>
auto texts_of(AnyProduct& product) {
  return std::array{&product.name,
                    &product.brand,
                    &product.description,
                    &product.sku,
                    &product.gtin,
                    &product.category,
                    &product.offer.price,
                    &product.offer.currency,
                    &product.offer.old_price,
                    &product.offer.availability,
                    &product.url};
}
template <class AnyVariant>
auto texts_of_variant(AnyVariant& variant) {
  return std::array{
      &variant.sku,  &variant.gtin, &variant.offer.price, &variant.offer.currency, &variant.offer.old_price, &variant.offer.availability,
      &variant.image};
}

void write(WireWriter& out, const ProductVariant& variant) {
  out.u64(variant.options.size());
  for (const VariantOption& option : variant.options) {
    out.bytes(option.name);
    out.bytes(option.value);
  }
  for (const std::string* text : texts_of_variant(variant)) out.bytes(*text);
}

ProductVariant read_variant(WireReader& in) {
  ProductVariant variant;
  variant.options.resize(std::min(in.count(), ProductVariant::kOptionsMax + 1));  // one too many tells
  for (VariantOption& option : variant.options) {
    option.name = in.string();
    option.value = in.string();
  }
  for (std::string* text : texts_of_variant(variant)) *text = in.string();
  return variant;
}

void write(WireWriter& out, const Product& product) {
  for (const std::string* text : texts_of(product)) out.bytes(*text);
  out.strings(product.images);
  out.u64(product.evidence.size());
  for (const FieldEvidence& evidence : product.evidence) {
    out.bytes(evidence.field);
    out.u64(static_cast<std::uint64_t>(evidence.origin));
    out.u64(evidence.sure_percent);
    out.bytes(evidence.otherwise);
  }
  out.u64(product.variants.size());
  for (const ProductVariant& variant : product.variants) write(out, variant);
}

Product read_product(WireReader& in) {
  Product product;
  for (std::string* text : texts_of(product)) *text = in.string();
  product.images = in.strings();
  product.evidence.resize(in.count());
  for (FieldEvidence& evidence : product.evidence) {
    evidence.field = in.string();
    evidence.origin = static_cast<FieldOrigin>(in.u64());
    evidence.sure_percent = static_cast<std::uint8_t>(std::min<std::uint64_t>(in.u64(), 255));
    evidence.otherwise = in.string();
  }
  product.variants.resize(std::min(in.count(), kVariantsMax + 1));  // one too many tells
  for (ProductVariant& variant : product.variants) variant = read_variant(in);
  return product;
}

bool is_sound(const FieldEvidence& evidence) {
  return evidence.origin >= FieldOrigin::kJsonLd && evidence.origin <= FieldOrigin::kLearnt && evidence.sure_percent <= 100;
}

bool is_bounded(const ProductVariant& variant) { return variant.options.size() <= ProductVariant::kOptionsMax; }

// Those that a worker may give a page.
bool is_page_cause(std::uint64_t number) {
  return number == static_cast<std::uint64_t>(Cause::kNone) ||
         (number >= static_cast<std::uint64_t>(Cause::kSoftError) && number <= static_cast<std::uint64_t>(Cause::kLoginWall));
}

}  // namespace

void write_selector(WireWriter& out, const FieldSelector& selector) {
  for (const std::string* text : {&selector.field, &selector.path, &selector.words, &selector.value}) out.bytes(*text);
}

FieldSelector read_selector(WireReader& in) {
  FieldSelector selector;
  for (std::string* text : {&selector.field, &selector.path, &selector.words, &selector.value}) *text = in.string();
  return selector;
}

std::string encode_page(const Page& page) {
  WireWriter out;
  out.u64(kVersion);
  for (const std::string* text :
       {&page.url, &page.canonical, &page.title, &page.description, &page.language, &page.charset, &page.site_name}) {
    out.bytes(*text);
  }
  out.strings(page.keywords);
  out.u64(page.links.size());
  for (const Link& link : page.links) {
    out.bytes(link.url);
    out.bytes(link.text);
    out.bytes(link.rel);
  }
  out.u64(page.images.size());
  for (const ImageRef& ref : page.images) write(out, ref);
  out.u64(page.products.size());
  for (const Product& product : page.products) write(out, product);
  for (const bool flag : {page.robots.noindex, page.robots.nofollow, page.robots.noimageindex, page.robots.noai}) out.boolean(flag);
  out.u64(static_cast<std::uint64_t>(page.verdict.cause));
  out.bytes(page.verdict.evidence);
  out.u64(page.shape);
  out.boolean(page.app_shell);
  out.u64(page.selector_trials.size());
  for (const SelectorTrial& trial : page.selector_trials) {
    write_selector(out, trial.selector);
    out.boolean(trial.agrees);
  }
  return out.take();
}

Result<Page> decode_page(std::string_view bytes) {
  WireReader in(bytes);
  if (const std::uint64_t version = in.u64(); version != kVersion)
    return fail(Code::kCorrupt, "page record has version {}, not {}", version, kVersion);
  Page page;
  for (std::string* text : {&page.url, &page.canonical, &page.title, &page.description, &page.language, &page.charset, &page.site_name}) {
    *text = in.string();
  }
  page.keywords = in.strings();
  page.links.resize(in.count());
  for (Link& link : page.links) {
    link.url = in.string();
    link.text = in.string();
    link.rel = in.string();
  }
  page.images.resize(in.count());
  for (ImageRef& ref : page.images) ref = read_image(in);
  page.products.resize(in.count());
  for (Product& product : page.products) {
    product = read_product(in);
    if (!std::all_of(product.evidence.begin(), product.evidence.end(), is_sound))
      return fail(Code::kCorrupt, "page record has a product field of no origin");
    if (!std::all_of(product.variants.begin(), product.variants.end(), is_bounded) || product.variants.size() > kVariantsMax)
      return fail(Code::kCorrupt, "page record has more variants of a product, or more options of one, than there may be");
  }
  for (bool* flag : {&page.robots.noindex, &page.robots.nofollow, &page.robots.noimageindex, &page.robots.noai}) *flag = in.boolean();
  const std::uint64_t cause = in.u64();
  if (!is_page_cause(cause)) return fail(Code::kCorrupt, "page record has cause {}, which no page has", cause);
  page.verdict.cause = static_cast<Cause>(cause);
  page.verdict.evidence = in.string();
  page.shape = in.u64();
  page.app_shell = in.boolean();
  page.selector_trials.resize(in.count());
  for (SelectorTrial& trial : page.selector_trials) {
    trial.selector = read_selector(in);
    trial.agrees = in.boolean();
  }
  MAGPIE_TRY_DO(in.finish());
  return page;
}

}  // namespace magpie
