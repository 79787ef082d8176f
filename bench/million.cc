// A collection of a million pictures, made and asked: tools/bench_million.py runs it.
//   magpie_million embed PHOTOGRAPHS MODEL EMBEDDINGS     embeds the photographs of a folder of folders, one folder a class
//   magpie_million make COLLECTION EMBEDDINGS PICTURES    pages, products, words, facts and vectors; everything but archive and variants
//   magpie_million graph COLLECTION                       the graph of its index
//   magpie_million truth COLLECTION EMBEDDINGS FILE       the exact answers to the queries of `ask`
//   magpie_million ask COLLECTION EMBEDDINGS FILE         asks, not necessarily exactly; recall, times and memory as JSON on stdout
//
// Made embeddings are to lie as real ones do, which decides both how good a sketch is and how far a graph must be walked: each is a
// photograph's own, with eight differences added between photographs of one class (so noise has the spectrum that pictures of a class
// have), of random sizes, cut off at zero as the network does. Queries are made in the same way with other numbers.
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <limits>
#include <map>
#include <random>
#include <sstream>

#include "base/check.h"
#include "base/files.h"
#include "base/json_writer.h"
#include "embedded/catalog.h"
#include "embedded/index.h"
#include "image/decode.h"
#include "model/network.h"
#include "vec/quantise.h"

namespace magpie {
namespace {

constexpr std::size_t kQueries = 25;
constexpr std::size_t kWanted = 10;
constexpr ImageId kCommit = 50'000;
constexpr ImageId kPagePictures = 10;
constexpr std::size_t kNever = std::numeric_limits<std::size_t>::max();

struct Photograph {
  std::uint32_t of_class = 0;
  Embedding vector;
};

struct Photographs {
  std::vector<std::string> classes;
  std::vector<Photograph> all;
  std::vector<std::vector<std::uint32_t>> by_class;  // indexes into all
};

template <class T>
T must(Result<T> result) {
  MAGPIE_CHECK(result.has_value(), "{}", result ? "" : result.error().message);
  return *std::move(result);
}
void must(Result<void> result) { MAGPIE_CHECK(result.has_value(), "{}", result ? "" : result.error().message); }

/// "dress 0.1 0 0.3 …", a line for each photograph.
void embed(const fs::path& photographs, const fs::path& model, const fs::path& file) {
  model::Network network = must(model::Network::load(model, {}));
  std::vector<fs::path> paths;
  for (const auto& entry : fs::recursive_directory_iterator(photographs)) {
    if (entry.path().extension() == ".jpg") paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  std::ofstream out(file);
  for (const fs::path& path : paths) {
    const auto decoded = image::decode(must(read_file(path)));
    if (!decoded || decoded->pixels.channels() != 3) continue;
    const image::Pixels& pixels = decoded->pixels;
    const model::RgbView view{pixels.data(), static_cast<int>(pixels.width()), static_cast<int>(pixels.height()),
                              std::size_t{3} * pixels.width()};
    const auto embedded = must(network.embed(view));
    out << path.parent_path().filename().string();
    for (const float value : embedded.vector) out << ' ' << value;
    out << '\n';
  }
}

Photographs read_photographs(const fs::path& file) {
  Photographs read;
  std::ifstream in(file);
  std::map<std::string, std::uint32_t> known;
  for (std::string line; std::getline(in, line);) {
    const std::size_t end = line.find(' ');
    const auto [place, is_new] = known.try_emplace(line.substr(0, end), static_cast<std::uint32_t>(known.size()));
    if (is_new) read.classes.push_back(place->first);
    Photograph one{place->second, {}};
    char* at = line.data() + end;
    for (char* next = at;; at = next) {
      const float value = std::strtof(at, &next);
      if (next == at) break;
      one.vector.push_back(value);
    }
    read.by_class.resize(known.size());
    read.by_class[one.of_class].push_back(static_cast<std::uint32_t>(read.all.size()));
    read.all.push_back(std::move(one));
  }
  MAGPIE_CHECK(read.all.size() > 1, "{} holds no embeddings; make it with: magpie_million embed", file.string());
  return read;
}

/// Numbers that depend on `seed` alone, so that picture 7 is the same in a collection of any size.
class Made {
 public:
  Made(const Photographs& photographs, std::uint64_t seed) : random_(seed * 0x9E3779B97F4A7C15 + 1) {
    constexpr int kDifferences = 8;
    std::normal_distribution<float> size(0, 0.5F / std::sqrt(float{kDifferences}));
    const Photograph& own = photographs.all[random_() % photographs.all.size()];
    of_class = own.of_class;
    vector = own.vector;
    for (int i = 0; i < kDifferences; ++i) {
      const auto& like = photographs.by_class[random_() % photographs.by_class.size()];
      const Embedding& a = photographs.all[like[random_() % like.size()]].vector;
      const Embedding& b = photographs.all[like[random_() % like.size()]].vector;
      const float times = size(random_);
      for (std::size_t k = 0; k < vector.size(); ++k) vector[k] += times * (a[k] - b[k]);
    }
    for (float& value : vector) value = std::max(value, 0.0F);
    MAGPIE_CHECK(vec::normalise(vector), "photographs are not black");
  }
  std::uint64_t number() { return random_(); }

  std::uint32_t of_class = 0;
  Embedding vector;

 private:
  std::mt19937_64 random_;
};
Made picture(const Photographs& photographs, ImageId id) { return Made(photographs, id); }
Made query(const Photographs& photographs, std::size_t i) { return Made(photographs, (std::uint64_t{1} << 40) + i); }

// Word n of 5,000 comes about 1/n as often as the first, as in real text.
std::string words(Made& made, int count) {
  std::string text;
  for (int i = 0; i < count; ++i) {
    const double share = static_cast<double>(made.number() >> 11) * 0x1p-53;
    text += fmt::format("{}word{}", i > 0 ? " " : "", static_cast<int>(std::pow(5'000.0, share)));
  }
  return text;
}

Fetch fetch_of(std::string url, UrlKind kind) {
  Fetch fetch;
  fetch.url = std::move(url);
  fetch.kind = kind;
  fetch.status = 200;
  fetch.content_type = kind == UrlKind::kPage ? "text/html" : "image/jpeg";
  fetch.fetched_at = Timestamp(std::chrono::seconds(1'795'000'000));
  fetch.body_bytes = 40'000;
  fetch.place = {1, 100, 50};
  return fetch;
}

Image image_of(ImageId id, Made& made) {
  static const char* const kColours[] = {"black", "white", "grey", "red", "orange", "yellow", "green", "blue", "purple", "pink", "brown"};
  Image image;
  for (std::size_t i = 0; i < 4; ++i) image.sha256[i] = static_cast<std::uint8_t>(id >> (8 * i));
  image.format = "jpeg";
  image.width = 600 + static_cast<std::uint32_t>(made.number() % 600);
  image.height = 800;
  image.bytes = 40'000;
  image.fetched_at = Timestamp(std::chrono::seconds(1'790'000'000 + id));
  for (int i = 0; i < 2; ++i)
    image.colours.push_back({static_cast<std::uint32_t>(made.number() % 0xFFFFFF), 0.4F, kColours[made.number() % 11]});
  return image;
}

/// The page that shows pictures `first` on, and those pictures' vectors.
void add_page(CatalogTransaction& transaction, VectorIndex& vectors, const Photographs& photographs, ImageId first, ImageId end) {
  const std::string host = fmt::format("https://shop{}.test", first / kPagePictures % 200);
  Page page;
  page.url = fmt::format("{}/list/{}", host, first);
  page.title = fmt::format("Page {}", first);
  page.language = "en";
  std::vector<std::pair<Fetch, Image>> images;
  for (ImageId id = first; id < end; ++id) {
    Made made = picture(photographs, id);
    must(vectors.add(id, made.vector));
    Product product;
    product.name = fmt::format("{} {}", photographs.classes[made.of_class], words(made, 5));
    product.description = words(made, 40);
    product.category = photographs.classes[made.of_class];
    product.brand = fmt::format("Brand {}", made.number() % 2'000);
    product.offer = {.price = fmt::format("{}.90", 5 + made.number() % 200), .currency = made.number() % 4 == 0 ? "USD" : "EUR"};
    product.images = {fmt::format("{}/img/{}.jpg", host, id)};
    ImageRef shown;
    shown.url = product.images.front();
    shown.alt = words(made, 8);
    shown.of_product = true;
    images.emplace_back(fetch_of(shown.url, UrlKind::kImage), image_of(id, made));
    page.images.push_back(std::move(shown));
    page.products.push_back(std::move(product));
  }
  must(transaction.record_page(fetch_of(page.url, UrlKind::kPage), page, 1));
  for (ImageId id = first; id < end; ++id) {
    const auto recorded = must(transaction.record_image(images[id - first].first, images[id - first].second, {}, 1));
    MAGPIE_CHECK(recorded.id == id, "picture {} got number {}", id, recorded.id);
  }
}

/// As the crawler's indexer does it.
void index_recorded(Catalog& catalog, embedded::Index& index) {
  const auto dirty = must(catalog.take_dirty(2 * kCommit));
  for (const DirtyImage& one : dirty) must(index.text().add(*must(catalog.index_document(one.id))));
  must(index.text().commit());
  const auto transaction = must(catalog.begin());
  must(transaction->clear_dirty(dirty));
  must(transaction->commit());
}

double cpu_seconds() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& time) { return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6; };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

void make(const fs::path& collection, const fs::path& embeddings, ImageId pictures) {
  const Photographs photographs = read_photographs(embeddings);
  const auto catalog = must(open_catalog(collection / "catalog.db"));
  embedded::IndexOptions options{.merge_in_background = false, .graph_vectors_min = kNever};
  auto index = must(embedded::open_index(collection / "index", options));
  for (ImageId first = 1; first <= pictures;) {
    const ImageId end = std::min<ImageId>(first + kCommit, pictures + 1);
    auto transaction = must(catalog->begin());
    for (; first < end; first += kPagePictures)
      add_page(*transaction, index->vectors(), photographs, first, std::min(first + kPagePictures, end));
    first = end;
    must(transaction->commit());
    transaction.reset();
    index_recorded(*catalog, *index);
    std::fprintf(stderr, "%u pictures, %.0f CPU s\n", first - 1, cpu_seconds());
  }
  must(index->merge_all());
  std::fprintf(stderr, "merged, %.0f CPU s\n", cpu_seconds());
}

void build_graph(const fs::path& collection) {
  const auto index = must(embedded::open_index(collection / "index", {.merge_in_background = false}));
  must(index->merge_all());
  std::fprintf(stderr, "graph: %.0f CPU s\n", cpu_seconds());
}

/// What the queries are asked among.
struct Ground {
  std::string name;
  std::function<bool(ImageId id, std::uint32_t of_class, std::uint32_t query_class)> allows;
};

bool drawn(ImageId id, std::uint64_t one_in) { return (id * 0x9E3779B97F4A7C15ULL >> 32) % one_in == 0; }

std::vector<Ground> grounds() {
  return {{"1", [](ImageId, std::uint32_t, std::uint32_t) { return true; }},
          {"0.1", [](ImageId id, std::uint32_t, std::uint32_t) { return drawn(id, 10); }},
          {"0.01", [](ImageId id, std::uint32_t, std::uint32_t) { return drawn(id, 100); }},
          {"0.001", [](ImageId id, std::uint32_t, std::uint32_t) { return drawn(id, 1'000); }},
          // A filter that stops all that is near: the hardest for a graph.
          {"another class", [](ImageId, std::uint32_t of_class, std::uint32_t query_class) { return of_class == (query_class + 1) % 10; }}};
}

struct Asked {
  std::vector<std::vector<SimilarId>> hits;
  std::vector<double> took_ms;
  double walked = 0;
};

Asked ask_all(const VectorSnapshot& view, const Photographs& photographs, const std::vector<std::uint32_t>& classes, const Ground& ground,
              bool exact) {
  Asked asked;
  std::map<std::uint32_t, IdSet> allowed;  // by the query's class
  for (std::size_t i = 0; i < kQueries; ++i) {
    const Made wanted = query(photographs, i);
    IdSet& ids = allowed[wanted.of_class];
    if (ids.empty()) {
      for (ImageId id = 1; id < classes.size(); ++id) {
        if (ground.allows(id, classes[id], wanted.of_class)) ids.add(id);
      }
    }
    const auto began = std::chrono::steady_clock::now();
    VectorMatches matches =
        must(view.search({.vector = wanted.vector, .k = kWanted, .allowed = ground.name == "1" ? nullptr : &ids, .exact = exact}));
    asked.took_ms.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - began).count());
    asked.walked += matches.plan == VectorPlan::kGraph ? 1.0 / kQueries : 0;
    asked.hits.push_back(std::move(matches.hits));
  }
  return asked;
}

/// By id; a class is drawn before the vector is, but as cheaply as this only here.
std::vector<std::uint32_t> classes_of(const Photographs& photographs, std::uint64_t pictures) {
  std::vector<std::uint32_t> classes{0};
  for (ImageId id = 1; id <= pictures; ++id)
    classes.push_back(photographs.all[std::mt19937_64(std::uint64_t{id} * 0x9E3779B97F4A7C15 + 1)() % photographs.all.size()].of_class);
  return classes;
}

void truth(const fs::path& collection, const fs::path& embeddings, const fs::path& file) {
  const Photographs photographs = read_photographs(embeddings);
  const auto index = must(embedded::open_index(collection / "index", {.read_only = true}));
  const auto view = must(index->vectors().snapshot());
  const auto classes = classes_of(photographs, view->size());
  std::ofstream out(file);
  for (const Ground& ground : grounds()) {
    const Asked asked = ask_all(*view, photographs, classes, ground, true);
    for (const auto& hits : asked.hits) {
      for (const SimilarId& hit : hits) out << hit.id << ' ';
      out << '\n';
    }
  }
}

/// "RssAnon" or "RssFile" of this process.
double resident_mb(std::string_view which) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(which)) return std::strtod(line.c_str() + which.size() + 1, nullptr) / 1'024;
  }
  return 0;
}

double recall(const Asked& asked, std::istream& truth) {
  double found = 0, wanted = 0;
  for (const auto& hits : asked.hits) {
    std::string line;
    MAGPIE_CHECK(std::getline(truth, line).good(), "the file of exact answers is short");
    std::istringstream ids(line);
    for (ImageId id; ids >> id; wanted += 1) found += std::ranges::any_of(hits, [&](const SimilarId& hit) { return hit.id == id; }) ? 1 : 0;
  }
  return wanted > 0 ? found / wanted : 1;
}

void ask(const fs::path& collection, const fs::path& embeddings, const fs::path& file) {
  const Photographs photographs = read_photographs(embeddings);
  const double own_mb = resident_mb("RssAnon");
  const auto index = must(embedded::open_index(collection / "index", {.read_only = true}));
  const auto view = must(index->vectors().snapshot());
  const auto classes = classes_of(photographs, view->size());
  std::ifstream truth(file);
  JsonWriter json;
  json.begin_object().field("pictures", view->size()).field("queries", kQueries).key("grounds").begin_array();
  for (const Ground& ground : grounds()) {
    const Asked first = ask_all(*view, photographs, classes, ground, false);  // from the disk
    Asked again = ask_all(*view, photographs, classes, ground, false);
    std::sort(again.took_ms.begin(), again.took_ms.end());
    json.begin_object().field("among", ground.name).field("recall", recall(first, truth)).field("by_graph", again.walked);
    json.field("first_ms", [&] {
      auto took = first.took_ms;
      std::ranges::nth_element(took, took.begin() + kQueries / 2);
      return took[kQueries / 2];
    }());
    json.field("p50_ms", again.took_ms[kQueries / 2]).field("p99_ms", again.took_ms[kQueries * 99 / 100]);
    json.field("anon_mb", resident_mb("RssAnon") - own_mb).field("file_mb", resident_mb("RssFile")).end_object();
  }
  json.end_array().end_object();
  std::puts(json.take().c_str());
}

int run(std::span<char* const> words) {
  const std::string_view what = words.size() > 4 ? words[1] : "";
  if (words.size() == 3 && std::string_view(words[1]) == "graph") return build_graph(words[2]), 0;
  if (what == "embed") embed(words[2], words[3], words[4]);
  else if (what == "make") make(words[2], words[3], static_cast<ImageId>(std::strtoul(words[4], nullptr, 10)));
  else if (what == "truth") truth(words[2], words[3], words[4]);
  else if (what == "ask") ask(words[2], words[3], words[4]);
  else return std::fputs("usage: magpie_million embed|make|graph|truth|ask …; the source says what they take\n", stderr), 2;
  return 0;
}

}  // namespace
}  // namespace magpie

int main(int count, char** words) { return magpie::run({words, static_cast<std::size_t>(count)}); }
