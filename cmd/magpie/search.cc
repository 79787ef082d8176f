#include <algorithm>

#include "app/collection_bridge.h"
#include "app/pictures.h"
#include "base/json_writer.h"
#include "command.h"
#include "core/price.h"
#include "flags.h"
#include "inspect.h"
#include "search/searcher.h"
#include "serve/hit_cards.h"

namespace magpie::cmd {
namespace {

struct SearchFlags {
  std::vector<std::string> words;
  std::string image, sort = "relevance", price_min, price_max, currency;
  std::vector<ImageId> like;
  std::uint64_t region = 0;
  std::vector<std::string> shops, categories, brands, colours, classes;
  std::size_t limit = 10, offset = 0;
  bool facets = false, beyond = false, any_class = false;
};

Result<Embedding> embed_file(const AppSettings& settings, const Catalog& catalog, const std::string& path) {
  MAGPIE_TRY(const std::string bytes, read_file(path, 64 << 20));
  MAGPIE_TRY(const PictureModel model, find_embedder(settings, &catalog));
  const auto workers = start_picture_workers(settings, {.model = &model, .processes = 1});
  auto embedding = Pictures(*workers).embed(bytes, Deadline::after(30s));
  if (!embedding) return fail(embedding.error(), path);
  return embedding;
}

Result<std::optional<std::int64_t>> price_bound(const std::string& text, std::string_view flag) {
  if (text.empty()) return std::optional<std::int64_t>();
  const auto micros = price_micros(text);
  if (!micros) return fail(Code::kBadInput, "{} wants a decimal number, not '{}'", flag, text);
  return std::optional<std::int64_t>(*micros);
}

/// What is like a region is looked for among regions of its class.
Result<void> ask_by_region(const SearchFlags& flags, const Catalog& catalog, SearchQuery& query) {
  if (flags.region == 0) return {};
  if (flags.like.size() != 1) return fail(Code::kBadInput, "--region goes with one --like: it is a part of that picture");
  if (flags.region > kRegionsMax) return fail(Code::kBadInput, "--region is 1 to {}, not {}", kRegionsMax, flags.region);
  query.like_region = static_cast<std::uint16_t>(flags.region);
  MAGPIE_TRY(const auto details, catalog.image_details(flags.like.front()));
  const bool known = details && flags.region <= details->regions.size();
  if (known && !flags.any_class) query.scope = {VectorPart::kRegion, details->regions[flags.region - 1U].label};
  return {};  // what is not known the searcher says
}

Result<SearchQuery> make_query(const SearchFlags& flags, const AppSettings& settings, const Catalog& catalog) {
  SearchQuery query;
  for (const std::string& word : flags.words) query.words += (query.words.empty() ? "" : " ") + word;
  if (!flags.image.empty()) { MAGPIE_TRY(query.picture, embed_file(settings, catalog, flags.image)); }
  query.like = flags.like;
  MAGPIE_TRY_DO(ask_by_region(flags, catalog, query));
  query.beyond = flags.beyond;
  query.filter.shops = flags.shops;
  query.filter.categories = flags.categories;
  query.filter.brands = flags.brands;
  query.filter.colours = flags.colours;
  query.filter.classes = flags.classes;
  if (!flags.currency.empty()) query.filter.currencies = {flags.currency};
  MAGPIE_TRY(query.filter.price_min_micros, price_bound(flags.price_min, "--price-min"));
  MAGPIE_TRY(query.filter.price_max_micros, price_bound(flags.price_max, "--price-max"));
  if ((query.filter.price_min_micros || query.filter.price_max_micros) && flags.currency.empty()) {
    return fail(Code::kBadInput, "--price-min and --price-max need --currency: prices are never converted");
  }
  const auto sort = sort_order_from_string(flags.sort);
  if (!sort) return fail(Code::kBadInput, "--sort is relevance, newest, price-asc or price-desc, not '{}'", flags.sort);
  query.sort = *sort;
  query.offset = flags.offset;
  query.limit = flags.limit;
  query.prices = false;
  if (!flags.facets) query.facets.clear();
  return query;
}

/// What one line or object says of a hit.
struct Shown {
  std::string title, page_url, image_url, shop, brand, category, price, currency;
};

Shown describe(const ImageDetails& details) {
  Shown shown;
  if (!details.urls.empty()) shown.image_url = details.urls.front();
  shown.title = title_of(details);
  shown.page_url = page_url_of(details);  // of a picture that no page shows, its own address
  if (details.showings.empty()) return shown;
  const Showing& first = details.showings.front();
  shown.shop = first.shop;
  if (!first.product) {
    if (!first.alt.empty()) shown.title = first.alt;
    return shown;
  }
  const Product& product = first.product->product;
  if (!product.name.empty()) shown.title = product.name;
  shown.brand = product.brand;
  shown.category = product.category;
  shown.price = product.offer.price;
  shown.currency = product.offer.currency;
  return shown;
}

void print_text(const SearchHit& hit, const Shown& shown) {
  fmt::print("{:>5.2f}  {}\n       {}", hit.score, shown.title, shown.page_url);
  if (!shown.price.empty()) fmt::print("  {} {}", shown.price, shown.currency);
  if (hit.region != 0) fmt::print("  (region {})", hit.region);
  if (hit.by_looks) fmt::print("  (by its looks)");
  if (hit.copies_total > 0) fmt::print("  (+{} {})", hit.copies_total, hit.copies_total == 1 ? "copy" : "copies");
  fmt::print("\n");
}

void write_hit(JsonWriter& json, const SearchHit& hit, const Shown& shown) {
  json.begin_object().field("image_id", hit.id).field("score", hit.score).field("title", shown.title).field("page_url", shown.page_url);
  json.field("image_url", shown.image_url).field("shop", shown.shop).field("brand", shown.brand).field("category", shown.category);
  json.field("price", shown.price).field("currency", shown.currency).field("copies", hit.copies_total);
  json.field("by_looks", hit.by_looks).key("region");
  hit.region == 0 ? json.null() : json.number(hit.region);
  json.end_object();
}

void write_facets(JsonWriter& json, const SearchAnswer& answer) {
  json.key("facets").begin_object();
  for (const FacetCounts& facet : answer.facets) {
    json.key(to_string(facet.facet)).begin_array();
    for (const FacetValue& value : facet.values) json.begin_object().field("value", value.value).field("count", value.count).end_object();
    json.end_array();
  }
  json.end_object();
}

void print_facets(const SearchAnswer& answer) {
  for (const FacetCounts& facet : answer.facets) {
    if (facet.values.empty()) continue;
    fmt::print("{}:", to_string(facet.facet));
    for (const FacetValue& value : std::span(facet.values).first(std::min<std::size_t>(facet.values.size(), 12)))
      fmt::print("  {} {}", value.value, value.count);
    fmt::print("\n");
  }
}

Result<int> run(const Common& common, const SearchFlags& flags) {
  MAGPIE_TRY(const CollectionFolder folder, CollectionFolder::choose(common.collection, false));
  AppSettings settings;
  MAGPIE_TRY_DO(read_settings(settings, &folder, common));
  MAGPIE_TRY(const auto collection, Collection::open_to_read(folder));
  MAGPIE_TRY(const SearchQuery query, make_query(flags, settings, collection->catalog()));
  MAGPIE_TRY(const auto text_model, find_text_model(settings));
  const CollectionPlacer placer(*collection, settings, text_model, nullptr);
  const Searcher searcher(collection->text(), collection->vectors(), settings.search, nullptr, &placer);
  MAGPIE_TRY(const SearchAnswer answer, searcher.search(query));
  JsonWriter json;
  json.begin_object()
      .field("total", answer.total)
      .field("total_is_exact", answer.exactness == Exactness::kExact)
      .field("any_word", answer.any_word);
  json.key("meant").begin_array();
  for (const auto& [typed, meant] : answer.meant) json.begin_object().field("typed", typed).field("meant", meant).end_object();
  json.end_array();
  json.field("took_ms", static_cast<double>(answer.took.count()) / 1000).key("hits").begin_array();
  for (const SearchHit& hit : answer.hits) {
    MAGPIE_TRY(const std::optional<ImageDetails> details, collection->catalog().image_details(hit.id));
    const Shown shown = details ? describe(*details) : Shown{};
    common.json ? write_hit(json, hit, shown) : print_text(hit, shown);
  }
  json.end_array();
  if (common.json) {
    if (flags.facets) write_facets(json, answer);
    print_line(json.end_object().text());
  } else {
    if (flags.facets) print_facets(answer);
    for (const auto& [typed, meant] : answer.meant) fmt::print(stderr, "no picture has \"{}\"; \"{}\" was looked for\n", typed, meant);
    fmt::print(stderr, "{} of {} {}{}\n", answer.hits.size(), answer.total, answer.total == 1 ? "picture" : "pictures",
               answer.any_word ? "; no picture has all the words, these have some" : "");
  }
  return answer.total > 0 ? kDone : kNothing;
}

}  // namespace

void add_search(CLI::App& app, Common& common) {
  Subcommand command(app, "search", "Find pictures by words, by a picture, or by both");
  auto flags = std::make_shared<SearchFlags>();
  command.option("words", flags->words, "Words, in any language; none with --image or --like, or to list everything");
  command.option("--image", flags->image, "A picture file to find look-alikes of", {.value = "FILE"});
  command.option("--like", flags->like, "Find what looks like this picture of the collection", {.value = "ID", .one_each = true});
  command.option("--region", flags->region,
                 "With --like: what looks like the thing detected in it under this number, among things of its "
                 "class; the picture's page shows them",
                 {.value = "NUMBER"});
  command.flag("--any-class", flags->any_class, "With --region: among all things and whole pictures");
  command.option("--shop", flags->shops, "Only from this shop (host); may be given several times", {.one_each = true});
  command.option("--category", flags->categories, "Only in this category", {.one_each = true});
  command.option("--brand", flags->brands, "Only of this brand", {.one_each = true});
  command.option("--colour", flags->colours, "Only with this main colour: black white grey red orange yellow green blue purple pink brown",
                 {.one_each = true});
  command.option("--class", flags->classes, "Only with a thing of this class in it, as the detector names it, e.g. Footwear",
                 {.one_each = true});
  command.option("--price-min", flags->price_min, "At least this price, with --currency");
  command.option("--price-max", flags->price_max, "At most this price, with --currency");
  command.option("--currency", flags->currency, "Only priced in this currency, e.g. EUR");
  command.option("--sort", flags->sort, "relevance, newest, price-asc or price-desc", {.show_default = true});
  command.option("-n,--limit", flags->limit, "Hits to show, up to 200", {.show_default = true});
  command.option("--offset", flags->offset, "Hits to pass over first", {.show_default = true});
  command.flag("--facets", flags->facets, "Also count shops, categories, brands, colours and classes");
  command.flag("--beyond", flags->beyond, "With a picture: also those beyond the point where relevance ends (search.relevance_min)");
  command.common_flags(common);
  command.runs(common, [&common, flags] { return run(common, *flags); });
}

}  // namespace magpie::cmd
