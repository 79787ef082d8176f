// How well a search by picture ends where relevance ends (search/searcher.h): precision, recall and F1 of what is found, beside one cut-off
// for all queries. tools/bench_relevance.py runs it and says what it is asked.
//   magpie_relevance COLLECTION QUERIES     embeddings as magpie_million embed writes them: "dress 0.1 0 0.3 …", a line a picture
//   magpie_relevance COLLECTION -           each picture of it is asked about itself, if its class has kClassMin
// Relevant is what is of the query's class. Figures are means of the queries' own. JSON on stdout.
#include <stdlib.h>

#include <cstdio>
#include <fstream>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/files.h"
#include "base/json_writer.h"
#include "embedded/index.h"
#include "search/searcher.h"
#include "vec/quantise.h"

namespace magpie {
namespace {

constexpr std::size_t kClassMin = 8;

struct Picture {
  std::string of_class;
  Embedding vector;
};

std::vector<Picture> read_pictures(const fs::path& file) {
  std::vector<Picture> pictures;
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    const std::size_t end = line.find(' ');
    MAGPIE_CHECK(end != std::string::npos, "{} holds a line without numbers", file.string());
    Picture picture{line.substr(0, end), {}};
    char* at = line.data() + end;
    for (char* next = at;; at = next) {
      const float value = std::strtof(at, &next);
      if (next == at) break;
      picture.vector.push_back(value);
    }
    MAGPIE_CHECK(vec::normalise(picture.vector), "{} holds a picture without a direction", file.string());
    pictures.push_back(std::move(picture));
  }
  MAGPIE_CHECK(!pictures.empty(), "{} holds no embeddings; make it with: magpie_million embed", file.string());
  return pictures;
}

/// Its class is a picture's category, so a facet tells how many of what was found are of each.
std::unique_ptr<embedded::Index> index_of(const std::vector<Picture>& pictures, const fs::path& folder) {
  auto index = embedded::open_index(folder, {.merge_in_background = false});
  MAGPIE_CHECK(index.has_value(), "cannot open an index in {}", folder.string());
  for (ImageId id = 1; id <= pictures.size(); ++id) {
    const Picture& picture = pictures[id - 1];
    IndexDocument document{.id = id, .language = "en"};
    document.category = picture.of_class;
    document.copy_group = id;
    MAGPIE_CHECK((*index)->text().add(std::move(document)).has_value(), "add");
    MAGPIE_CHECK((*index)->vectors().add(id, picture.vector).has_value(), "add");
  }
  MAGPIE_CHECK((*index)->text().commit().has_value() && (*index)->vectors().commit().has_value(), "commit");
  return *std::move(index);
}

struct Quality {
  double precision = 0, recall = 0, f1 = 0, found = 0;
};

struct Asked {
  SearchQuery query;
  std::string of_class;
  double relevant = 0;
};

/// Nothing found is nothing found wrongly: a precision of 1.
Quality quality_of(const Searcher& searcher, const std::vector<Asked>& all, std::optional<float> similarity_min) {
  Quality mean;
  for (const Asked& asked : all) {
    SearchQuery query = asked.query;
    query.similarity_min = similarity_min;
    const auto answer = searcher.search(query);
    MAGPIE_CHECK(answer.has_value(), "search: {}", answer ? "" : answer.error().message);
    double right = 0;
    for (const FacetValue& value : answer->facets.front().values)
      right += value.value == asked.of_class ? static_cast<double>(value.count) : 0;
    const auto found = static_cast<double>(answer->total), queries = static_cast<double>(all.size());
    mean.precision += (found > 0 ? right / found : 1) / queries;
    mean.recall += right / asked.relevant / queries;
    mean.f1 += 2 * right / (found + asked.relevant) / queries;
    mean.found += found / queries;
  }
  return mean;
}

void write(JsonWriter& json, const Quality& quality) {
  json.field("precision", quality.precision)
      .field("recall", quality.recall)
      .field("f1", quality.f1)
      .field("found", quality.found)
      .end_object();
}

int run(std::span<char* const> words) {
  if (words.size() != 3) return std::fputs("usage: magpie_relevance COLLECTION QUERIES|-\n", stderr), 2;
  const std::vector<Picture> pictures = read_pictures(words[1]);
  const bool about_itself = std::string_view(words[2]) == "-";
  const std::vector<Picture> queries = about_itself ? pictures : read_pictures(words[2]);
  std::map<std::string, std::size_t> sizes;
  for (const Picture& picture : pictures) ++sizes[picture.of_class];
  std::vector<Asked> all;
  for (std::size_t i = 0; i < queries.size(); ++i) {
    Asked asked{.of_class = queries[i].of_class, .relevant = static_cast<double>(sizes[queries[i].of_class]) - (about_itself ? 1 : 0)};
    if (sizes[asked.of_class] < kClassMin) continue;
    asked.query = {.limit = 0, .facets = {Facet::kCategory}, .prices = false, .exact = true};
    if (about_itself) asked.query.like = {{.id = static_cast<ImageId>(i + 1)}};
    else asked.query.picture = queries[i].vector;
    all.push_back(std::move(asked));
  }
  MAGPIE_CHECK(!all.empty(), "no class has {} pictures", kClassMin);

  std::string name = (fs::temp_directory_path() / "magpie-relevance-XXXXXX").string();
  const fs::path folder = ::mkdtemp(name.data());
  const auto index = index_of(pictures, folder);
  SearchSettings settings;
  settings.facet_values.value = static_cast<std::int64_t>(sizes.size());
  const double usual = settings.relevance_min();
  const Searcher searcher(index->text(), index->vectors(), settings);
  JsonWriter json;
  json.begin_object()
      .field("pictures", pictures.size())
      .field("queries", all.size())
      .field("relevance_min", usual)
      .key("boundary")
      .begin_object();
  write(json, quality_of(searcher, all, std::nullopt));
  json.key("boundaries").begin_array();
  for (int percent = 10; percent <= 30; percent += 2) {
    settings.relevance_min.value = percent / 100.0;
    json.begin_object().field("relevance_min", settings.relevance_min());
    write(json, quality_of(searcher, all, std::nullopt));
  }
  json.end_array().key("fixed").begin_array();
  for (int percent = 20; percent <= 80; ++percent) {
    json.begin_object().field("cut_off", percent / 100.0);
    write(json, quality_of(searcher, all, static_cast<float>(percent) / 100));
  }
  json.end_array().end_object();
  std::puts(json.take().c_str());
  fs::remove_all(folder);
  return 0;
}

}  // namespace
}  // namespace magpie

int main(int count, char** words) { return magpie::run({words, static_cast<std::size_t>(count)}); }
