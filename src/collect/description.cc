#include "collect/description.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cmath>

#include "base/json_writer.h"

namespace magpie::collect {
namespace {

constexpr std::string_view kPlaceholders[] = {"category", "page", "offset", "cursor", "seen"};
constexpr int kBodyDepthMax = 32;
constexpr int kBodyValuesMax = 10'000;

/// A mapping whose keys are taken one by one; what nobody took is unknown.
class Section {
 public:
  Section(YAML::Node node, std::string name, const fs::path& file) : node_(std::move(node)), name_(std::move(name)), file_(file) {}

  bool empty() const { return !node_.IsDefined() || node_.IsNull(); }
  Result<void> check_is_map() const {
    return empty() || node_.IsMap() ? Result<void>() : Result<void>(wrong(node_, name_, "must hold keys and values"));
  }

  YAML::Node take(const char* key) {
    keys_.emplace_back(key);
    return empty() ? YAML::Node(YAML::NodeType::Undefined) : std::as_const(node_)[key];
  }
  Section section(const char* key) { return Section(take(key), full(key), file_); }

  template <class... Args>
  Failure wrong(const YAML::Node& node, std::string_view key, fmt::format_string<Args...> format, Args&&... args) const {
    const int line = node.IsDefined() ? node.Mark().line + 1 : empty() ? 0 : node_.Mark().line + 1;
    const std::string place = line > 0 ? fmt::format("{}:{}", file_.string(), line) : file_.string();
    return fail(Code::kBadInput, "{}: {}: {}", place, key, fmt::format(format, std::forward<Args>(args)...));
  }
  std::string full(std::string_view key) const { return name_.empty() ? std::string(key) : fmt::format("{}.{}", name_, key); }

  Result<std::string> text(const char* key, std::string preset = {}) {
    const YAML::Node node = take(key);
    if (!node.IsDefined() || node.IsNull()) return preset;
    if (!node.IsScalar()) return wrong(node, full(key), "must be one text");
    if (node.Scalar().find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos) return wrong(node, full(key), "has a line break");
    return node.Scalar();
  }
  template <class Number>
  Result<Number> number(const char* key, Number preset, Number least, Number most) {
    const YAML::Node node = take(key);
    if (!node.IsDefined() || node.IsNull()) return preset;
    Number value{};
    if (!node.IsScalar() || !YAML::convert<Number>::decode(node, value) || !(value >= least && value <= most))
      return wrong(node, full(key), "must be a number from {} to {}", least, most);
    return value;
  }
  Result<std::optional<JsonPath>> path(const char* key) {
    MAGPIE_TRY(const std::string words, text(key));
    const YAML::Node node = take(key);
    if (!node.IsDefined() || node.IsNull()) return std::optional<JsonPath>();
    auto path = JsonPath::parse(words);
    if (!path) return wrong(node, full(key), "{}", path.error().message);
    return std::optional(std::move(*path));
  }

  /// The end of a section: names a key that nobody took.
  Result<void> check_all_taken() const {
    if (empty()) return {};
    for (const auto& entry : node_) {
      const std::string key = entry.first.IsScalar() ? entry.first.Scalar() : std::string("?");
      if (std::ranges::find(keys_, key) != keys_.end()) continue;
      const std::string nearest = nearest_name(key, keys_);
      return wrong(entry.first, full(key), "is no key of a description{}", nearest.empty() ? "" : fmt::format("; is '{}' meant?", nearest));
    }
    return {};
  }

 private:
  YAML::Node node_;
  std::string name_;
  const fs::path& file_;
  std::vector<std::string> keys_;
};

/// A name in braces that stands for something, or nothing; `at` is behind it then.
std::optional<std::string_view> placeholder_at(std::string_view text, std::size_t at) {
  if (text[at] != '{') return std::nullopt;
  const std::size_t end = text.find('}', at);
  if (end == std::string_view::npos) return std::nullopt;
  return text.substr(at + 1, end - at - 1);
}

Result<void> check_placeholders(std::string_view text, bool in_url) {
  for (std::size_t at = text.find('{'); at != std::string_view::npos; at = text.find('{', at + 1)) {
    const auto name = placeholder_at(text, at);
    const bool known = name && std::ranges::find(kPlaceholders, *name) != std::end(kPlaceholders);
    if (known && !(in_url && *name == "seen")) continue;
    if (!known && !in_url) continue;  // a brace in a text of the body
    return fail(Code::kBadInput, "'{{{}}}' stands for nothing; there are {{category}}, {{page}}, {{offset}} and {{cursor}}{}",
                name.value_or("…"), in_url ? "" : ", and {{seen}} in a body");
  }
  return {};
}

void write_scalar(const YAML::Node& node, JsonWriter& json) {
  std::int64_t whole = 0;
  double real = 0;
  bool yes = false;
  const bool quoted = node.Tag() == "!";
  if (!quoted && YAML::convert<std::int64_t>::decode(node, whole)) json.number(whole);
  else if (!quoted && YAML::convert<double>::decode(node, real) && std::isfinite(real)) json.number(real);
  else if (!quoted && YAML::convert<bool>::decode(node, yes)) json.boolean(yes);
  else json.string(node.Scalar());
}

/// `left`: values that may still come; a few aliases of YAML can stand for any number of them.
Result<void> write_json(const YAML::Node& node, JsonWriter& json, int depth, int& left) {
  if (depth > kBodyDepthMax) return fail(Code::kBadInput, "is nested deeper than {}", kBodyDepthMax);
  if (--left < 0) return fail(Code::kBadInput, "has more than {} values", kBodyValuesMax);
  if (node.IsMap()) {
    json.begin_object();
    for (const auto& entry : node) {
      json.key(entry.first.Scalar());
      MAGPIE_TRY_DO(write_json(entry.second, json, depth + 1, left));
    }
    json.end_object();
  } else if (node.IsSequence()) {
    json.begin_array();
    for (const auto& entry : node) MAGPIE_TRY_DO(write_json(entry, json, depth + 1, left));
    json.end_array();
  } else if (node.IsScalar()) {
    write_scalar(node, json);
  } else {
    json.null();
  }
  return {};
}

Result<void> read_headers(Section section, Description& into, const YAML::Node& node) {
  if (section.empty()) return {};
  MAGPIE_TRY_DO(section.check_is_map());
  for (const auto& entry : node) {
    const std::string name = entry.first.Scalar();
    if (!entry.second.IsScalar()) return section.wrong(entry.second, section.full(name), "must be one text");
    HttpHeader header{name, entry.second.Scalar()};
    if (!is_sendable(header)) return section.wrong(entry.second, section.full(name), "cannot stand in a request");
    into.headers.push_back(std::move(header));
  }
  return {};
}

Result<void> read_request(Section section, Description& into) {
  MAGPIE_TRY_DO(section.check_is_map());
  MAGPIE_TRY(into.url, section.text("url"));
  const YAML::Node url = section.take("url");
  if (into.url.empty()) return section.wrong(url, section.full("url"), "is missing: the address that is asked");
  if (auto good = check_placeholders(into.url, true); !good) return section.wrong(url, section.full("url"), "{}", good.error().message);
  const auto parsed = Url::parse(into.url);
  if (!parsed || !parsed->is_http()) return section.wrong(url, section.full("url"), "'{}' is no http or https address", into.url);
  if (parsed->origin().find('{') != std::string::npos || parsed->host().find("%7B") != std::string_view::npos)
    return section.wrong(url, section.full("url"), "the host must stand as it is, without braces");

  const YAML::Node body = section.take("body");
  MAGPIE_TRY(const std::string method, section.text("method", body.IsDefined() ? "POST" : "GET"));
  const YAML::Node named = section.take("method");
  if (method != "GET" && method != "POST") return section.wrong(named, section.full("method"), "'{}' is neither GET nor POST", method);
  if (method == "GET" && body.IsDefined()) return section.wrong(body, section.full("body"), "goes with method POST only");
  if (method == "POST") {
    JsonWriter json;
    int left = kBodyValuesMax;
    if (!body.IsDefined()) json.begin_object().end_object();
    else if (auto written = write_json(body, json, 0, left); !written)
      return section.wrong(body, section.full("body"), "{}", written.error().message);
    into.body = json.take();
  }
  MAGPIE_TRY_DO(read_headers(section.section("headers"), into, section.take("headers")));
  return section.check_all_taken();
}

Result<void> read_categories(Section& root, Description& into) {
  const YAML::Node node = root.take("categories");
  const auto add = [&](const YAML::Node& at, std::string name, std::string label) -> Result<void> {
    if (name.empty()) return root.wrong(at, "categories", "has an empty name");
    const bool twice = std::ranges::any_of(into.categories, [&](const Category& other) { return other.name == name; });
    if (twice) return root.wrong(at, "categories", "'{}' stands there twice", name);
    if (into.categories.size() >= kCategoriesMax) return root.wrong(at, "categories", "has more than {}", kCategoriesMax);
    into.categories.push_back({std::move(name), std::move(label)});
    return {};
  };
  const std::string all = into.url + into.body;
  const bool asked_by_category = all.find("{category}") != std::string::npos;
  MAGPIE_TRY(const std::string label, root.text("label"));
  if (!node.IsDefined() || node.IsNull()) {
    if (asked_by_category) return root.wrong(node, "categories", "is missing: the request has {{category}}");
    into.categories.push_back({"", label});
    return {};
  }
  if (!asked_by_category) return root.wrong(node, "categories", "without {{category}} in the request");
  if (!node.IsMap() && !node.IsSequence()) return root.wrong(node, "categories", "must be a list of names, or names with labels");
  for (const auto& entry : node) {
    if (node.IsMap()) {
      if (!entry.second.IsScalar()) return root.wrong(entry.first, "categories", "a label must be one text");
      MAGPIE_TRY_DO(add(entry.first, entry.first.Scalar(), entry.second.Scalar()));
    } else {
      if (!entry.IsScalar()) return root.wrong(entry, "categories", "a name must be one text");
      MAGPIE_TRY_DO(add(entry, entry.Scalar(), label.empty() ? entry.Scalar() : label));
    }
  }
  if (into.categories.empty()) return root.wrong(node, "categories", "is empty");
  return {};
}

Result<void> read_paging(Section section, Description& into) {
  MAGPIE_TRY_DO(section.check_is_map());
  MAGPIE_TRY(const std::string kind, section.text("kind", "once"));
  const YAML::Node node = section.take("kind");
  constexpr std::pair<std::string_view, Paging> kKinds[] = {{"once", Paging::kOnce},
                                                            {"page", Paging::kPage},
                                                            {"offset", Paging::kOffset},
                                                            {"cursor", Paging::kCursor},
                                                            {"random", Paging::kRandom}};
  const auto found = std::ranges::find(kKinds, kind, [](const auto& known) { return known.first; });
  if (found == std::end(kKinds)) return section.wrong(node, "paging.kind", "'{}' is none of once, page, offset, cursor, random", kind);
  into.paging = found->second;
  MAGPIE_TRY(into.first, section.number<std::int64_t>("first", into.paging == Paging::kPage ? 1 : 0, 0, std::int64_t{1} << 40));
  MAGPIE_TRY(into.step, section.number<std::int64_t>("step", into.paging == Paging::kPage ? 1 : 0, 0, 1'000'000));
  MAGPIE_TRY(into.quiet_calls, section.number("quiet_calls", 10, 1, 100'000));
  MAGPIE_TRY(into.calls_max, section.number<std::int64_t>("calls_max", 10'000, 1, 100'000'000));
  MAGPIE_TRY(into.seen_max, section.number<std::size_t>("seen_max", 1'000, 1, 100'000));
  MAGPIE_TRY(into.next, section.path("next"));
  const std::string all = into.url + into.body;
  const auto has = [&](std::string_view name) { return all.find(fmt::format("{{{}}}", name)) != std::string::npos; };
  if (into.paging == Paging::kPage && !has("page")) return section.wrong(node, "paging.kind", "page needs {{page}} in the request");
  if (into.paging == Paging::kOffset && !has("offset")) return section.wrong(node, "paging.kind", "offset needs {{offset}} in the request");
  if (into.paging == Paging::kPage && into.step == 0) return section.wrong(node, "paging.step", "must be 1 or more with pages");
  if (into.paging == Paging::kCursor && !into.next)
    return section.wrong(node, "paging.next", "is missing: the path to the next cursor or address in an answer");
  if (into.paging != Paging::kCursor && into.next) return section.wrong(node, "paging.next", "goes with kind cursor only");
  return section.check_all_taken();
}

Result<void> read_fields(Section section, Description& into) {
  MAGPIE_TRY_DO(section.check_is_map());
  MAGPIE_TRY(into.fields.picture, section.path("picture"));
  MAGPIE_TRY(into.fields.label, section.path("label"));
  MAGPIE_TRY(into.fields.artist, section.path("artist"));
  MAGPIE_TRY(into.fields.artist_url, section.path("artist_url"));
  MAGPIE_TRY(into.fields.page, section.path("page"));
  MAGPIE_TRY(into.fields.licence, section.path("licence"));
  if (!into.fields.picture && !into.is_list())
    return section.wrong(section.take("picture"), "fields.picture", "is missing: the path from an item to its picture's address");
  return section.check_all_taken();
}

Result<void> read_limits(Section section, Limits& into) {
  MAGPIE_TRY_DO(section.check_is_map());
  MAGPIE_TRY(into.requests_per_second, section.number("requests_per_second", into.requests_per_second, 0.0001, 1'000.0));
  MAGPIE_TRY(into.retries, section.number("retries", into.retries, 0, 100));
  MAGPIE_TRY(into.remaining_header, section.text("remaining_header"));
  MAGPIE_TRY(into.reset_header, section.text("reset_header"));
  MAGPIE_TRY(into.items_max, section.number<std::size_t>("items_max", into.items_max, 1, 1'000'000));
  MAGPIE_TRY(const std::string wait, section.text("wait_max", "10m"));
  const auto wait_max = parse_duration(wait);
  if (!wait_max || *wait_max > std::chrono::hours(24 * 31))
    return section.wrong(section.take("wait_max"), "limits.wait_max", "must be a time as 30s, 10m or 2h, at most 31 days");
  into.wait_max = *wait_max;
  MAGPIE_TRY(const std::string bytes, section.text("answer_bytes_max", "8MiB"));
  const auto bytes_max = parse_size(bytes);
  if (!bytes_max || *bytes_max < 1'024 || *bytes_max > (256u << 20))
    return section.wrong(section.take("answer_bytes_max"), "limits.answer_bytes_max", "must be a size from 1KB to 256MB");
  into.answer_bytes_max = *bytes_max;
  return section.check_all_taken();
}

Result<Description> read(const YAML::Node& node, const fs::path& file) {
  Section root(node, "", file);
  if (!node.IsMap()) return fail(Code::kBadInput, "{} holds no description: 'source', 'request', 'items' and 'fields'", file.string());
  Description made;
  MAGPIE_TRY(made.source, root.text("source"));
  if (made.source.empty()) return root.wrong(root.take("source"), "source", "is missing: the name that labels are kept under");
  MAGPIE_TRY(made.licence, root.text("licence"));
  MAGPIE_TRY(made.about, root.text("about"));
  MAGPIE_TRY(const std::string list, root.text("list"));
  MAGPIE_TRY(const std::string folder, root.text("folder"));
  if (!folder.empty() && !list.empty()) return root.wrong(root.take("folder"), "folder", "goes without a list: a source is one of both");
  if (!folder.empty()) {
    MAGPIE_TRY(const std::string label, root.text("label"));
    const Description described = describe_folder(file.parent_path() / folder, label);  // an absolute folder stays as it is
    made.folder = described.folder;
    made.categories = described.categories;
  } else if (!list.empty()) {
    MAGPIE_TRY(const std::string label, root.text("label"));
    auto described = describe_list(fs::path(list).is_absolute() ? fs::path(list) : file.parent_path() / list, label);
    if (!described) return root.wrong(root.take("list"), "list", "{}", described.error().message);
    made.list = described->list;
    made.categories = described->categories;
  } else {
    MAGPIE_TRY_DO(read_request(root.section("request"), made));
    MAGPIE_TRY_DO(read_categories(root, made));
    MAGPIE_TRY_DO(read_paging(root.section("paging"), made));
    MAGPIE_TRY(const auto items, root.path("items"));
    if (items) made.items = *items;
    MAGPIE_TRY_DO(read_limits(root.section("limits"), made.limits));
  }
  if (!made.is_folder()) MAGPIE_TRY_DO(read_fields(root.section("fields"), made));
  MAGPIE_TRY_DO(root.check_all_taken());
  return made;
}

}  // namespace

std::string without_query(const Url& url) { return url.origin() + std::string(url.pathname()); }

Result<Description> parse_description(std::string_view text, const fs::path& file) {
  if (text.size() > kDescriptionBytesMax) return fail(Code::kTooLarge, "{} is over {} bytes", file.string(), kDescriptionBytesMax);
  try {
    return read(YAML::Load(std::string(text)), file);
  } catch (const YAML::Exception& problem) {
    return fail(Code::kBadInput, "{}:{}: this is no YAML: {}", file.string(), problem.mark.line + 1, problem.msg);
  }
}

Result<Description> describe_list(const fs::path& list, std::string label) {
  constexpr std::string_view kEndings[] = {".txt", ".csv", ".tsv", ".jsonl", ".ndjson"};
  if (std::ranges::find(kEndings, list.extension().string()) == std::end(kEndings))
    return fail(Code::kBadInput, "{} must end in .txt, .csv, .tsv or .jsonl, or be a folder of pictures", list.string());
  Description made;
  made.source = list.stem().string();
  made.list = list;
  made.categories.push_back({"", std::move(label)});
  return made;
}

Description describe_folder(const fs::path& folder, std::string label) {
  Description made;
  made.folder = folder.lexically_normal();
  if (!made.folder.has_filename()) made.folder = made.folder.parent_path();  // "cats/" is "cats"
  made.source = made.folder.filename().string();
  made.categories.push_back({"", std::move(label)});
  return made;
}

}  // namespace magpie::collect
