// magpie search: a search on the command line, of a collection here or of a running server. Its flags have the names that stand in
// addresses and in JSON (serve/search_request.h), and one parser reads all three.
#include <cstdlib>
#include <map>

#include "app/pictures.h"
#include "app/text_tower.h"
#include "base/files.h"
#include "command.h"
#include "core/clock.h"
#include "flags.h"
#include "inspect.h"
#include "search/searcher.h"
#include "search_server.h"
#include "search_spellings.h"
#include "search_table.h"
#include "serve/search_answer.h"

namespace magpie::cmd {
namespace {

constexpr std::size_t kPictureBytesMax = 64 << 20;

/// A flag that stands for the parameter of its name.
struct ParameterFlag {
  const char* flag;
  const char* name;
  const char* value;
  const char* help;
};
constexpr ParameterFlag kParameterFlags[] = {
    {"--like", "like", "PICTURE",
     "Find what looks like a picture of the collection: ID, ID.REGION for a thing detected in it, ID@L,T,W,H for a part, with "
     "*WEIGHT behind it"},
    {"--unlike", "unlike", "PICTURE", "Away from this picture; written as in --like, with a weight of 0.5 unless it says another"},
    {"--region", "region", "NUMBER", "With one --like: the thing detected in it under this number"},
    {"--box", "box", "L,T,W,H",
     "With one --image or --like: only what is in this part of it; left, top, width and height as shares of its sides, 0.25,0,0.5,1"},
    {"--shop", "shop", "HOST", "Only from this shop"},
    {"--category", "category", "NAME", "Only in this category"},
    {"--brand", "brand", "NAME", "Only of this brand"},
    {"--colour", "colour", "NAME", "Only with this main colour: black white grey red orange yellow green blue purple pink brown"},
    {"--class", "class", "NAME", "Only with a thing of this class in it, as the detector names it, e.g. Footwear"},
    {"--size", "size", "SIZE", "Only of products that can be had in this size, as the shop spells it"},
    {"--language", "language", "TAG", "Only shown on pages in this language, e.g. de"},
    {"--label", "label", "NAME", "Only collected under this label"},
    {"--licence", "licence", "NAME", "Only under this licence, as the facet spells it, e.g. 'CC BY-SA 4.0'"},
    {"--price-min", "price_min", "AMOUNT", "At least this price, with --currency"},
    {"--price-max", "price_max", "AMOUNT", "At most this price, with --currency"},
    {"--currency", "currency", "CODE", "Only priced in this currency, e.g. EUR"},
    {"--since", "since", "TIME", "Only fetched at this time or later, e.g. 2026-11-21T00:00:00Z"},
    {"--until", "until", "TIME", "Only fetched before this time"},
    {"--pixels-min", "pixels_min", "NUMBER", "Only of so many pixels (width times height) or more"},
    {"--pixels-max", "pixels_max", "NUMBER", "Only of so many pixels or fewer"},
    {"--per-shop", "per_shop", "NUMBER", "At most so many hits of one shop, its best ones"},
    {"--per-brand", "per_brand", "NUMBER", "At most so many hits of one brand"},
    {"--sort", "sort", "ORDER", "relevance, newest, price, price-desc or discount"},
};

struct SearchFlags {
  std::vector<std::string> words, images;
  std::map<std::string, std::vector<std::string>> values;  // by parameter
  std::string query, as, server;
  std::size_t limit = 10, offset = 0;
  bool facets = false, beyond = false, any_class = false, why = false;
};

Result<SearchParameters> parameters_of_flags(const SearchFlags& flags) {
  SearchParameters parameters;
  if (!flags.query.empty()) { MAGPIE_TRY(parameters, read_search(flags.query)); }
  std::string words;
  for (const std::string& word : flags.words) words += (words.empty() ? "" : " ") + word;
  if (!words.empty()) parameters.emplace_back("q", words);
  for (const auto& [name, values] : flags.values) {
    for (const std::string& value : values) parameters.emplace_back(name, value);
  }
  if (flags.any_class) parameters.emplace_back("same_class", "false");
  if (flags.beyond) parameters.emplace_back("beyond", "true");
  if (flags.why) parameters.emplace_back("why", "true");
  return parameters;
}

/// What of the answer is wanted.
void add_page(const SearchFlags& flags, SearchParameters& parameters) {
  const auto add = [&](const char* name, std::string value) {
    const auto is_same = [&](const auto& known) { return known.first == name; };
    if (std::ranges::none_of(parameters, is_same)) parameters.emplace_back(name, std::move(value));
  };
  // What was said on the command line counts for more than what --query says.
  if (flags.limit != SearchFlags().limit) std::erase_if(parameters, [](const auto& known) { return known.first == "limit"; });
  if (flags.offset != 0) std::erase_if(parameters, [](const auto& known) { return known.first == "offset"; });
  add("limit", fmt::format("{}", flags.limit));
  add("offset", fmt::format("{}", flags.offset));
  if (flags.facets) add("facets", "true");
}

Result<std::vector<std::string>> read_pictures(const std::vector<std::string>& paths) {
  std::vector<std::string> pictures;
  for (const std::string& path : paths) {
    MAGPIE_TRY(std::string bytes, read_file(path, kPictureBytesMax));
    pictures.push_back(std::move(bytes));
  }
  return pictures;
}

/// Workers that understand pictures, started when the first is wanted.
class SearchPictures {
 public:
  /// Both must outlive it.
  SearchPictures(const AppSettings& settings, Collection& collection) : settings_(settings), collection_(collection) {}

  Result<Embedding> embed(const std::string& bytes, const std::optional<PicturePart>& part) {
    MAGPIE_TRY(Pictures * pictures, start());
    return part ? pictures->embed_part(bytes, *part, Deadline::after(30s)) : pictures->embed(bytes, Deadline::after(30s));
  }
  Outcome<Embedding> embed_part(ImageId id, const PicturePart& part) {
    SERVE_TRY(Pictures * pictures, start());
    return embed_archived_part(collection_.catalog(), collection_.archive(), *pictures, id, part, Deadline::after(30s));
  }

 private:
  Result<Pictures*> start() {
    if (pictures_) return &*pictures_;
    MAGPIE_TRY(const PictureModel model, find_embedder(settings_, &collection_.catalog()));
    workers_ = start_picture_workers(settings_, {.model = &model, .processes = 1});
    return &pictures_.emplace(*workers_);
  }

  const AppSettings& settings_;
  Collection& collection_;
  std::unique_ptr<WorkerPool> workers_;
  std::optional<Pictures> pictures_;
};

/// `part` is of the only picture.
Result<void> add_pictures(const SearchFlags& flags, const std::optional<PicturePart>& part, SearchPictures& pictures, SearchQuery& query) {
  MAGPIE_TRY(const std::vector<std::string> files, read_pictures(flags.images));
  for (std::size_t i = 0; i < files.size(); ++i) {
    auto embedding = pictures.embed(files[i], part);
    if (!embedding) return fail(embedding.error(), flags.images[i]);
    query.like.push_back({.vector = *std::move(embedding)});
  }
  if (!files.empty()) query.scope = {};  // as for the server, whole pictures are asked with, too
  return {};
}

/// With --image, --box is of the file.
Result<std::optional<PicturePart>> take_box(const SearchFlags& flags, SearchParameters& parameters) {
  const auto box = std::ranges::find(parameters, "box", &SearchParameters::value_type::first);
  if (box == parameters.end() || flags.images.empty()) return std::optional<PicturePart>();
  if (flags.images.size() > 1) return fail(Code::kBadInput, "--box goes with one --image, not with {}", flags.images.size());
  const auto part = parse_picture_part(box->second);
  if (!part) return fail(Code::kBadInput, "{}", box_problem(box->second));
  parameters.erase(box);
  return part;
}

Result<SearchRequest> parse_request(const SearchParameters& parameters) {
  auto request = parse_search_request(parameters);
  if (!request) return Failure(error_of(request.error()));
  return *std::move(request);
}

Result<std::string> ask_collection(const Common& common, const SearchFlags& flags, const SearchParameters& parameters,
                                   const std::optional<PicturePart>& part) {
  const auto began = std::chrono::steady_clock::now();
  MAGPIE_TRY(SearchRequest request, parse_request(parameters));
  MAGPIE_TRY(const CollectionFolder folder, CollectionFolder::choose(common.collection, false));
  AppSettings settings;
  MAGPIE_TRY_DO(read_settings(settings, &folder, common));
  MAGPIE_TRY(const auto collection, Collection::open_to_read(folder));
  const auto no_uploads = [](const std::string&) { return std::optional<Embedding>(); };
  SearchPictures pictures(settings, *collection);
  const EmbedPart embed_part = [&](ImageId id, const PicturePart& of) { return pictures.embed_part(id, of); };
  const auto found = look_up_pictures(request, collection->catalog(), no_uploads, embed_part);
  if (!found) return Failure(error_of(found.error()));
  MAGPIE_TRY_DO(add_pictures(flags, part, pictures, request.query));
  // A model that is missing is told of where pictures are embedded; words find words without it.
  const auto model = find_embedder(settings, &collection->catalog());
  MAGPIE_TRY(const auto placer, words_placer(*collection, model ? std::optional(*model) : std::nullopt, settings, nullptr));
  count_dates_until(SystemClock().now(), request);
  const Searcher searcher(collection->text(), collection->vectors(), settings.search, nullptr, placer.get());
  MAGPIE_TRY(const SearchAnswer answer, searcher.search(request.query));
  HitCards cards(collection->catalog(), collection->text());
  const auto took = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - began);
  auto text = search_answer_text(cards, collection->catalog(), request, answer, took);
  if (!text) return Failure(error_of(text.error()));
  return *std::move(text);
}

Result<std::string> ask(const Common& common, const SearchFlags& flags, SearchParameters parameters) {
  add_page(flags, parameters);
  const bool asks_region = std::ranges::any_of(parameters, [](const auto& known) { return known.first == "region"; });
  if (asks_region && !flags.images.empty()) return fail(Code::kBadInput, "--region goes with one --like; of a file give the part: --box");
  MAGPIE_TRY(const std::optional<PicturePart> part, take_box(flags, parameters));
  if (flags.server.empty()) return ask_collection(common, flags, parameters, part);
  MAGPIE_TRY(const std::vector<std::string> pictures, read_pictures(flags.images));
  const char* key = std::getenv("MAGPIE_KEY");
  return ask_server(flags.server, key == nullptr ? "" : key, std::move(parameters), pictures, part);
}

Result<int> run(const Common& common, const SearchFlags& flags) {
  MAGPIE_TRY(SearchParameters parameters, parameters_of_flags(flags));
  if (!flags.as.empty()) {
    if (!flags.images.empty()) return fail(Code::kBadInput, "--as cannot spell --image: a file of this machine is in no address");
    MAGPIE_TRY(const SearchRequest request, parse_request(parameters));
    MAGPIE_TRY(const std::string spelt, spell_search(request, flags.as));
    print_line(spelt);
    return kDone;
  }
  MAGPIE_TRY(const std::string answer, ask(common, flags, std::move(parameters)));
  MAGPIE_TRY(const std::uint64_t total, total_of_search(answer));
  if (common.json) print_line(answer);
  else MAGPIE_TRY_DO(print_search_table(answer));
  return total > 0 ? kDone : kNothing;
}

}  // namespace

void add_search(CLI::App& app, Common& common) {
  Subcommand command(app, "search", "Find pictures by words, by pictures, or by both");
  auto flags = std::make_shared<SearchFlags>();
  command.option(
      "words", flags->words,
      "Words in any language, '\"a phrase\"' in quotation marks, and -word or '-\"a phrase\"' for what hits must not have; none with "
      "--image or --like, or to list everything. Put -- before all of them where one begins with a minus sign");
  command.option("--image", flags->images, "A picture file to find look-alikes of", {.value = "FILE", .one_each = true});
  for (const ParameterFlag& flag : kParameterFlags)
    command.option(flag.flag, flags->values[flag.name], flag.help, {.value = flag.value, .one_each = true});
  command.flag("--any-class", flags->any_class, "With regions: compare all things and whole pictures, not only things of their class");
  command.flag("--beyond", flags->beyond, "With a picture: also those beyond the point where relevance ends (search.relevance_min)");
  command.option("--query", flags->query, "A search as JSON, or as the address of one: what --as and the web page give", {.value = "TEXT"});
  command.option("--as", flags->as, "Do not search; print the search as url, json or command", {.value = "SPELLING"});
  command.option("--server", flags->server, "Ask this running server, not a collection here; its key comes from MAGPIE_KEY",
                 {.value = "URL"});
  command.option("-n,--limit", flags->limit, "Hits to show, up to 200", {.show_default = true});
  command.option("--offset", flags->offset, "Hits to pass over first", {.show_default = true});
  command.flag("--why", flags->why, "Say of each hit what made it one; shown with --json");
  command.flag("--facets", flags->facets,
               "Also count shops, categories, brands, colours, classes, sizes, languages, labels, licences and dates");
  command.footer(
      "--shop, --category, --brand, --colour, --class, --size, --language, --label, --licence, --like and --unlike may be given several\n"
      "times. With --json the answer is that of the HTTP API (SearchAnswer in docs/openapi.yaml).");
  command.common_flags(common);
  command.runs(common, [&common, flags] { return run(common, *flags); });
}

}  // namespace magpie::cmd
