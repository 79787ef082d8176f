// Pages a second of one core: bytes of HTML in, links, pictures and products out, over the wire and back, as worker and crawl do it.
// Input: (a) pages as the example shop (tests/site) has them, written here with a fixed seed, one kind of markup a benchmark; (b) bare
// pages of a link farm, which say their language or do not; (c) real shop pages, with MAGPIE_SHARED or a folder `shared` beside the
// source tree. MAGPIE_BENCH_SMOKE=1 takes 8 pages of each. Counters:
// `items_per_second` pages and `bytes_per_second` of processor time; `page_bytes` mean size; `links`, `images`, `products` found a page, so
// that a run which reads nothing is seen; `worst_ms` wall time of the slowest page, over no wire.
#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <malloc.h>
#include <zlib.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "base/files.h"
#include "core/page_wire.h"
#include "extract/extract_page.h"
#include "extract/microdata.h"
#include "extract/page_parts.h"
#include "text/charset.h"
#include "text/html_tree.h"

namespace magpie {
namespace {

constexpr std::size_t kTilesOfListing = 24;  // shop.py's PER_PAGE
constexpr std::size_t kNamesOfProduct = 60;  // languages a product is named in

std::size_t pages_wanted() { return std::getenv("MAGPIE_BENCH_SMOKE") != nullptr ? 8 : 200; }

/// Pages of one shop, drawn from a seed; names have letters of one to three bytes, as the shop's have.
class Shop {
 public:
  std::string listing() {
    std::string tiles;
    for (std::size_t i = 0; i < kTilesOfListing; ++i) {
      const std::string name = words(3);
      tiles += fmt::format(
          R"(<li><a href="/p/{0}"><img src="/img/{0}-120.jpg" alt="{1}" width="120" height="120" loading="lazy"><br>{1}</a> <b>{2}</b></li>)",
          number(800), name, price().shown);
    }
    return page("Birds 2", "",
                fmt::format(R"(<h1>Birds</h1><p>Page 2/7</p><ul class="grid">{}</ul><a rel="next" href="/birds?page=3">next</a>)", tiles),
                "");
  }
  std::string json_ld() {
    const Thing thing = draw();
    const std::string head = fmt::format(
        R"(<script type="application/ld+json">{{"@context": "https://schema.org", "@type": "Product", "name": "{0}", "sku": "SKU-{1}", )"
        R"("category": "birds", "brand": {{"@type": "Brand", "name": "{2}"}}, "image": ["http://shop.example/img/{1}-600.jpg"], "description": "{3}", )"
        R"("offers": {{"@type": "Offer", "price": "{4}", "priceCurrency": "USD", "availability": "https://schema.org/InStock"}}}}</script>)",
        thing.name, thing.number, thing.brand, words(12), thing.price.amount);
    return page(
        thing.name, head,
        product_body(thing, fmt::format(R"(<h1>{}</h1>)", thing.name), fmt::format(R"(<p class="price">{}</p>)", thing.price.shown)), "");
  }
  std::string microdata() {
    const Thing thing = draw();
    const std::string shown = fmt::format(
        R"(<div itemprop="offers" itemscope itemtype="https://schema.org/Offer"><span class="price" itemprop="price" content="{}">{}</span>)"
        R"(<meta itemprop="priceCurrency" content="EUR"><link itemprop="availability" href="https://schema.org/InStock"></div>)"
        R"(<p><span itemprop="brand" itemscope itemtype="https://schema.org/Brand"><span itemprop="name">{}</span></span> <span itemprop="sku">SKU-{}</span></p>)",
        thing.price.amount, thing.price.shown, thing.brand, thing.number);
    return page(thing.name, "", product_body(thing, fmt::format(R"(<h1 itemprop="name">{}</h1>)", thing.name), shown),
                R"( itemscope itemtype="https://schema.org/Product")");
  }
  std::string opengraph() {
    const Thing thing = draw();
    const std::string head = fmt::format(
        R"(<meta property="og:type" content="product"><meta property="og:title" content="{0}"><meta property="og:url" content="http://shop.example/p/{1}">)"
        R"(<meta property="og:image" content="http://shop.example/img/{1}-600.jpg"><meta property="product:price:amount" content="{2}">)"
        R"(<meta property="product:price:currency" content="CHF"><meta property="product:brand" content="{3}">)",
        thing.name, thing.number, thing.price.amount, thing.brand);
    return page(thing.name, head,
                product_body(thing, fmt::format("<h1>{}</h1>", thing.name), fmt::format(R"(<p class="price">{}</p>)", thing.price.shown)),
                "");
  }
  std::string no_markup() {
    const Thing thing = draw();
    return page(thing.name, "",
                product_body(thing, fmt::format("<h1>{}</h1>", thing.name), fmt::format(R"(<p class="price">{}</p>)", thing.price.shown)),
                "");
  }

 private:
  struct Price {
    std::string amount, shown;
  };
  struct Thing {
    std::string name, brand;
    std::size_t number = 0;
    Price price;
  };

  std::size_t number(std::size_t below) { return random_() % below; }
  Price price() {
    const std::size_t units = 1 + number(1'999), cents = number(100);
    return {fmt::format("{}.{:02}", units, cents), fmt::format("${}.{:02}", units, cents)};
  }
  Thing draw() { return {.name = words(3), .brand = words(1), .number = number(800), .price = price()}; }
  std::string words(std::size_t count) {
    static const char* const kSyllables[] = {"ra", "pin", "to", "mel", "ä",  "né",  "ши", "ка",
                                             "鳥", "ら",  "ة",  "so",  "gu", "wek", "li", "dor"};
    std::string out;
    for (std::size_t i = 0; i < count; ++i) {
      if (i > 0) out += ' ';
      for (std::size_t syllables = 2 + number(3); syllables > 0; --syllables) out += kSyllables[number(std::size(kSyllables))];
    }
    return out;
  }
  std::string product_body(const Thing& thing, const std::string& title, const std::string& shown) {
    std::string names;
    for (std::size_t i = 0; i < kNamesOfProduct; ++i)
      names += fmt::format(R"(<li lang="{}">{}</li>)", kLanguages[i % std::size(kLanguages)], words(2));
    return fmt::format(
        R"({0}<img src="/img/{1}-120.jpg" srcset="/img/{1}-120.jpg 120w, /img/{1}-300.jpg 300w, /img/{1}-600.jpg 600w" sizes="300px" alt="{2}">{3})"
        R"(<button>Add to cart</button><p>{4} SKU-{1} In stock</p><p>{2} (birds, animals)</p><h2>Names</h2><ul class="names">{5}</ul>)",
        title, thing.number, thing.name, shown, thing.brand, names);
  }
  static std::string page(const std::string& title, const std::string& head, const std::string& body, const std::string& attributes) {
    std::string kinds;
    for (int i = 0; i < 20; ++i) kinds += fmt::format(R"(<li><a href="/kind{0}">kind {0}</a></li>)", i);
    return fmt::format(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{} – "
        "Shop</title><style>body{{margin:0}}</style>{}</head>\n"
        "<body><header><a href=\"/\"><img class=\"logo\" src=\"/img/logo.png\" alt=\"Shop\" width=\"48\" height=\"48\"></a>"
        "<nav><a href=\"/\">Home</a> <a href=\"/about\">About</a> <a "
        "href=\"/cart\">Cart</a><ul>{}</ul></nav></header>\n<main{}>{}</main></body></html>\n",
        title, head, kinds, attributes, body);
  }
  static constexpr const char* kLanguages[] = {"en", "de", "fr", "ru", "ja", "ar", "es", "pl"};
  std::mt19937 random_{7};
};

/// A page of a generated web: 3 KB of a title, 30 links, 2 pictures and running words, no markup.
class LinkFarm {
 public:
  std::string declared() { return page(R"(<html lang="en">)"); }
  std::string undeclared() { return page("<html>"); }

 private:
  std::size_t number(std::size_t below) { return random_() % below; }
  std::string words(std::size_t count) {
    static const char* const kWords[] = {"the",   "house", "of",    "a",     "garden", "and",   "its",   "flowers", "are",  "in",
                                         "our",   "small", "town",  "where", "every",  "river", "turns", "to",      "blue", "when",
                                         "night", "comes", "light", "on",    "stone",  "with",  "many",  "birds",   "that", "sing"};
    std::string out;
    for (std::size_t i = 0; i < count; ++i) out += (i > 0 ? " " : "") + std::string(kWords[number(std::size(kWords))]);
    return out;
  }
  std::string page(const char* html) {
    std::string links, pictures, text;
    for (int i = 0; i < 30; ++i) links += fmt::format("<li><a href=\"/p/{}.html\">{}</a></li>\n", number(1'000'000), words(2));
    for (int i = 0; i < 2; ++i) pictures += fmt::format("<img src=\"/i/{}.jpg\" alt=\"{}\">\n", number(1'000'000), words(2));
    for (int i = 0; i < 2; ++i) text += fmt::format("<p>{}.</p>\n", words(100));
    return fmt::format("<!DOCTYPE html>\n{}<head><title>{}</title></head>\n<body><h1>{}</h1>\n{}{}<ul>\n{}</ul></body></html>\n", html,
                       words(4), words(3), text, pictures, links);
  }
  std::mt19937 random_{7};
};

/// Extracts the pages in turn, one an iteration, and says what was found in them.
void extract(benchmark::State& state, const std::vector<std::string>& pages) {
  ::mallopt(M_MMAP_THRESHOLD, 32 << 20);  // as a worker (cmd/magpie/worker.cc)
  ::mallopt(M_TRIM_THRESHOLD, 64 << 20);
  const PageContext context{.url = "http://shop.example/p/1", .content_type = "text/html"};
  std::size_t bytes = 0, i = 0;
  for (auto _ : state) {
    const std::string& html = pages[i++ % pages.size()];
    bytes += html.size();
    const auto page = extract_page(html, context);
    if (!page) return state.SkipWithError(page.error().message.c_str());
    benchmark::DoNotOptimize(decode_page(encode_page(*page)));
  }
  state.SetItemsProcessed(state.iterations());
  state.SetBytesProcessed(static_cast<std::int64_t>(bytes));
  std::size_t links = 0, images = 0, products = 0, size = 0;
  std::chrono::duration<double, std::milli> worst{0};
  for (const std::string& html : pages) {
    const auto begin = std::chrono::steady_clock::now();
    const auto page = extract_page(html, context);
    worst = std::max<decltype(worst)>(worst, std::chrono::steady_clock::now() - begin);
    if (!page) return state.SkipWithError(page.error().message.c_str());
    links += page->links.size();
    images += page->images.size();
    products += page->products.size();
    size += html.size();
  }
  const auto mean = [&](std::size_t sum) { return static_cast<double>(sum) / static_cast<double>(pages.size()); };
  state.counters["pages"] = static_cast<double>(pages.size());
  state.counters["page_bytes"] = mean(size);
  state.counters["links"] = mean(links);
  state.counters["images"] = mean(images);
  state.counters["products"] = mean(products);
  state.counters["worst_ms"] = worst.count();
}

void BM_ExtractShop(benchmark::State& state, std::string (Shop::*make)()) {
  Shop shop;
  std::vector<std::string> pages;
  for (std::size_t i = 0; i < pages_wanted(); ++i) pages.push_back((shop.*make)());
  extract(state, pages);
}
BENCHMARK_CAPTURE(BM_ExtractShop, listing, &Shop::listing)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(BM_ExtractShop, json_ld, &Shop::json_ld)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(BM_ExtractShop, microdata, &Shop::microdata)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(BM_ExtractShop, opengraph, &Shop::opengraph)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(BM_ExtractShop, no_markup, &Shop::no_markup)->Unit(benchmark::kMicrosecond);

void BM_ExtractBare(benchmark::State& state, std::string (LinkFarm::*make)()) {
  LinkFarm farm;
  std::vector<std::string> pages;
  for (std::size_t i = 0; i < pages_wanted(); ++i) pages.push_back((farm.*make)());
  extract(state, pages);
}
BENCHMARK_CAPTURE(BM_ExtractBare, declared, &LinkFarm::declared)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(BM_ExtractBare, undeclared, &LinkFarm::undeclared)->Unit(benchmark::kMicrosecond);

std::string gunzipped(const fs::path& path) {
  std::string out;
  gzFile file = gzopen(path.c_str(), "rb");
  char buffer[65'536];
  for (int got = 0; file != nullptr && (got = gzread(file, buffer, sizeof buffer)) > 0;) out.append(buffer, static_cast<std::size_t>(got));
  if (file != nullptr) gzclose(file);
  return out;
}

std::vector<std::string> real_pages() {
  const char* shared = std::getenv("MAGPIE_SHARED");
  const fs::path folder = (shared != nullptr ? fs::path(shared) : fs::path(MAGPIE_SOURCE_DIR "/../shared")) / "cases/products/pages";
  std::vector<fs::path> paths;
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    if (at->path().extension() == ".gz") paths.push_back(at->path());
  }
  std::sort(paths.begin(), paths.end());
  if (paths.size() > pages_wanted()) paths.resize(pages_wanted());
  std::vector<std::string> pages;
  for (const fs::path& path : paths) pages.push_back(gunzipped(path));
  return pages;
}

constexpr const char* kNoRealPages = "the shared pages are not here; set MAGPIE_SHARED to their folder";

void BM_ExtractRealShops(benchmark::State& state) {
  const std::vector<std::string> pages = real_pages();
  if (pages.empty()) return state.SkipWithError(kNoRealPages);
  extract(state, pages);
}
BENCHMARK(BM_ExtractRealShops)->Unit(benchmark::kMicrosecond);

// As many of the largest as have 596 KB in the mean: so large are shop pages at large, of which the shared ones are the smaller.
void BM_ExtractLargeShops(benchmark::State& state) {
  constexpr std::size_t kMeanBytes = 596'000;
  std::vector<std::string> pages = real_pages();
  if (pages.empty()) return state.SkipWithError(kNoRealPages);
  std::sort(pages.begin(), pages.end(), [](const std::string& a, const std::string& b) { return a.size() > b.size(); });
  std::size_t count = 0, bytes = 0;
  while (count < pages.size() && bytes + pages[count].size() >= kMeanBytes * (count + 1)) bytes += pages[count++].size();
  pages.resize(std::max<std::size_t>(count, 1));
  extract(state, pages);
}
BENCHMARK(BM_ExtractLargeShops)->Unit(benchmark::kMicrosecond);

// Runs `read` over the real pages in turn, a page an iteration.
template <class Read>
void over_real_pages(benchmark::State& state, Read&& read) {
  const std::vector<std::string> pages = real_pages();
  if (pages.empty()) return state.SkipWithError(kNoRealPages);
  std::size_t bytes = 0, i = 0, found = 0;
  for (auto _ : state) {
    const std::string& html = pages[i++ % pages.size()];
    bytes += html.size();
    const auto count = read(html);
    if (!count) return state.SkipWithError(count.error().message.c_str());
    found += *count;
  }
  state.SetItemsProcessed(state.iterations());
  state.SetBytesProcessed(static_cast<std::int64_t>(bytes));
  state.counters["pages"] = static_cast<double>(pages.size());
  state.counters["found"] = static_cast<double>(found) / static_cast<double>(state.iterations());
}

// The tree alone: its share of the above. Finds bodies.
void BM_ParseRealShops(benchmark::State& state) {
  over_real_pages(state, [](const std::string& html) -> Result<std::size_t> {
    MAGPIE_TRY(const HtmlTree tree, HtmlTree::parse(html));
    return tree.body() ? 1 : 0;
  });
}
BENCHMARK(BM_ParseRealShops)->Unit(benchmark::kMicrosecond);

// Charset, tree, links, pictures and markup, without what they mean. Finds links, pictures and items of microdata.
void BM_MarkupRealShops(benchmark::State& state) {
  over_real_pages(state, [](const std::string& html) -> Result<std::size_t> {
    const ExtractLimits limits;
    const std::string charset = sniff_charset(html, "text/html");
    const Utf8Text text(html, charset);
    MAGPIE_TRY(const HtmlTree tree, HtmlTree::parse(text.text(), {.keeps_drawings = false}));
    MAGPIE_TRY(Url url, Url::parse("http://shop.example/p/1"));
    const PageUrls urls(std::move(url), charset);
    ImageList images(urls, limits.images_max);
    const PageParts parts = read_parts(tree, urls, limits, images);
    return parts.links.size() + images.size() + (parts.has_microdata ? read_microdata(tree, urls).size() : 0);
  });
}
BENCHMARK(BM_MarkupRealShops)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace magpie
