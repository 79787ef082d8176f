#pragma once
// What a source of labelled pictures is, as a YAML file says it (src/collect/README.md has all keys): a JSON API with its requests, paging,
// the path to its items and their fields, and how often it may be asked; a list of addresses in a file, or a folder.
//
//   source: nekos.best
//   request: {url: "https://nekos.best/api/v2/{category}?amount=20"}
//   categories: [neko, kitsune]
//   paging: {kind: random, quiet_calls: 12}
//   items: results[]
//   fields: {picture: url, artist: artist_name, page: source_url}
//   limits: {requests_per_second: 3}
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/files.h"
#include "base/result.h"
#include "base/settings.h"
#include "collect/json_path.h"
#include "net/http_headers.h"
#include "net/url.h"

namespace magpie::collect {

/// How one call leads to the next.
enum class Paging : std::uint8_t {
  kOnce,    // one call tells all
  kPage,    // {page} counts calls; an answer without items, or the same one again, ends it
  kOffset,  // {offset} counts items; the same
  kCursor,  // the answer holds the next call's {cursor}, or its whole address; none, or the same one again, ends it
  kRandom,  // each call gives some of all there is; `quiet_calls` in a row without anything new end it
};

/// One list of the source, and the label of what it gives.
struct Category {
  std::string name;   // stands for {category}
  std::string label;  // "" has none
  bool operator==(const Category&) const = default;
};

/// Paths from an item to what is said of its picture, or names of a list's columns. A picture may have several labels.
struct Fields {
  std::optional<JsonPath> picture, label, artist, artist_url, page, licence;
};

struct Limits {
  double requests_per_second = 1;
  int retries = 5;  // of one call, for causes that may pass
  Millis wait_max{600'000};
  std::string remaining_header, reset_header;  // "": the usual names
  std::size_t answer_bytes_max = 8 << 20;
  std::size_t items_max = 10'000;  // of one answer
};

struct Description {
  std::string source;   // name; labels are kept under it
  std::string about;    // one line for those who choose among sources
  std::string licence;  // of all pictures, where an item says nothing

  // An API.
  std::string url;   // with {category}, {page}, {offset}, {cursor}
  std::string body;  // JSON to POST, its texts with the same, and "{seen}" for a list of the addresses got so far; "": GET
  HttpHeaders headers;
  std::vector<Category> categories;  // at least one
  Paging paging = Paging::kOnce;
  std::int64_t first = 0, step = 1;  // of kPage and kOffset; step 0: as many as came
  std::optional<JsonPath> next;      // of kCursor
  int quiet_calls = 10;              // of kRandom
  std::int64_t calls_max = 10'000;   // of one list
  std::size_t seen_max = 1'000;      // addresses in "{seen}", the newest
  JsonPath items;
  Fields fields;
  Limits limits;

  // A list of addresses.
  fs::path list;  // .txt: an address a line; .csv, .tsv with a header; .jsonl. "": it is an API

  // A folder of pictures on this machine.
  fs::path folder;

  bool is_list() const { return !list.empty(); }
  bool is_folder() const { return !folder.empty(); }
};

/// An address for logs and errors: without its query, which may hold a key.
std::string without_query(const Url& url);

/// @param text  YAML of at most kDescriptionBytesMax.
/// @param file  what it is called in errors; a `list` is looked for beside it.
/// kBadInput: "job.yaml:7: paging.kind: 'pages' is none of once, page, offset, cursor, random", for each thing that is wrong with it,
/// unknown keys included. kTooLarge.
Result<Description> parse_description(std::string_view text, const fs::path& file);
inline constexpr std::size_t kDescriptionBytesMax = 1 << 20;
inline constexpr std::size_t kCategoriesMax = 10'000;

/// That of a list file without a YAML file: columns are found by their usual names (url_list.h). kBadInput for an unknown ending.
Result<Description> describe_list(const fs::path& list, std::string label);

/// That of a folder (folder.h); it need not be there yet. An empty `label`: the names of the folders in it are labels.
Description describe_folder(const fs::path& folder, std::string label);

}  // namespace magpie::collect
