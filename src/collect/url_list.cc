#include "collect/url_list.h"

#include <algorithm>
#include <array>
#include <optional>

#include "collect/answer.h"

namespace magpie::collect {
namespace {

using Names = std::vector<std::string_view>;

/// The fields in the order of kUsual, and where each goes.
enum Field { kPicture, kLabel, kArtist, kArtistUrl, kPage, kLicence, kFieldCount };
const std::array<Names, kFieldCount> kUsual = {Names{"url", "picture", "image", "image_url"},
                                               Names{"label", "class", "category"},
                                               Names{"artist", "author"},
                                               Names{"artist_url", "author_url"},
                                               Names{"page", "page_url", "source", "source_url"},
                                               Names{"licence", "license"}};

std::array<const std::optional<JsonPath>*, kFieldCount> paths_of(const Fields& fields) {
  return {&fields.picture, &fields.label, &fields.artist, &fields.artist_url, &fields.page, &fields.licence};
}

/// A record of a delimited file, split as RFC 4180 has it: quotes hold delimiters, line ends and doubled quotes.
std::vector<std::string> split(std::string_view record, char delimiter) {
  std::vector<std::string> cells(1);
  bool quoted = false;
  for (std::size_t i = 0; i < record.size(); ++i) {
    const char c = record[i];
    if (quoted && c == '"' && i + 1 < record.size() && record[i + 1] == '"') cells.back() += record[++i];
    else if (c == '"' && (quoted || cells.back().empty())) quoted = !quoted;
    else if (c == delimiter && !quoted) cells.emplace_back();
    else cells.back() += c;
  }
  return cells;
}

class FileReader {
 public:
  static Result<FileReader> open(const fs::path& file) {
    std::error_code error;
    if (!fs::is_regular_file(file, error)) return fail(Code::kNotFound, "{} is not there, or is no file", file.string());
    FileReader reader;
    reader.in_.open(file, std::ios::binary);
    if (!reader.in_) return fail(Code::kForbidden, "{} cannot be read", file.string());
    return reader;
  }
  void seek(std::uint64_t to) {
    in_.clear();
    in_.seekg(static_cast<std::streamoff>(to));
    at_ = to;
  }
  std::uint64_t at() const { return at_; }

  /// The next line without its end, or with `quotes` the next record, whose quotes may hold line ends. Nothing at the end of the file.
  Result<std::optional<std::string>> line(bool quotes) {
    std::string text;
    bool quoted = false;
    const std::uint64_t begin = at_;
    for (int c = in_.get(); c != std::char_traits<char>::eof(); c = in_.get()) {
      ++at_;
      if (c == '"' && quotes) quoted = !quoted;
      if (c == '\n' && !quoted) return std::optional(without_return(std::move(text)));
      if (text.size() >= kListLineBytesMax)
        return fail(Code::kTooLarge, "the line at byte {} is over {} bytes; is a quote left open?", begin, kListLineBytesMax);
      text += static_cast<char>(c);
    }
    if (in_.bad()) return fail(Code::kUnavailable, "reading stopped at byte {}", at_);
    return text.empty() ? std::optional<std::string>() : std::optional(without_return(std::move(text)));
  }

 private:
  static std::string without_return(std::string text) {
    if (text.ends_with('\r')) text.pop_back();
    return text;
  }
  std::ifstream in_;
  std::uint64_t at_ = 0;
};

std::string http_address(std::string_view text) {
  const auto url = Url::parse(text);
  return url && url->is_http() && url->href().size() <= kItemTextBytesMax ? url->href() : std::string();
}

/// Reads lines, and leaves to its kinds what they say.
class LineList : public UrlList {
 public:
  LineList(FileReader file, const Description& description) : file_(std::move(file)), description_(description) {}

  Result<Piece> read(std::uint64_t from, std::size_t items_max) override {
    Piece piece;
    file_.seek(std::max(from, body_));
    while (piece.items.items.size() + piece.items.malformed < items_max) {
      auto line = file_.line(has_quotes());
      if (!line) return fail(line.error(), description_.list.string());
      piece.end = !line->has_value();
      if (piece.end) break;
      const bool blank = (*line)->find_first_not_of(" \t") == std::string::npos;
      if (!blank) take(**line, piece.items);
    }
    piece.next = file_.at();
    return piece;
  }

 protected:
  virtual bool has_quotes() const { return false; }
  virtual void take(std::string_view line, Items& items) = 0;

  Item blank_item() const {
    Item item{.licence = description_.licence};
    if (const std::string& label = description_.categories.front().label; !label.empty()) item.labels.push_back(label);
    return item;
  }

  FileReader file_;
  const Description& description_;
  std::uint64_t body_ = 0;  // where items begin
};

class TextList final : public LineList {
 public:
  using LineList::LineList;

 private:
  void take(std::string_view line, Items& items) override {
    if (line.starts_with('#')) return;
    Item item = blank_item();
    item.picture = http_address(line);
    if (item.picture.empty()) ++items.malformed;
    else items.items.push_back(std::move(item));
  }
};

class TableList final : public LineList {
 public:
  TableList(FileReader file, const Description& description)
      : LineList(std::move(file), description), delimiter_(description.list.extension() == ".tsv" ? '\t' : ',') {}

  Result<void> read_header() {
    MAGPIE_TRY(const auto line, file_.line(true));
    const std::vector<std::string> names = split(line.value_or(""), delimiter_);
    body_ = file_.at();
    const auto paths = paths_of(description_.fields);
    for (std::size_t field = 0; field < kFieldCount; ++field) {
      const Names named = *paths[field] ? Names{(*paths[field])->text()} : kUsual[field];
      for (const std::string_view name : named) {
        const auto found = std::ranges::find(names, name, [](const std::string& column) { return one_line(column); });
        if (found != names.end() && !columns_[field]) columns_[field] = static_cast<std::size_t>(found - names.begin());
      }
      if (*paths[field] && !columns_[field])
        return fail(Code::kBadInput, "{} has no column '{}'", description_.list.string(), (*paths[field])->text());
    }
    if (columns_[kPicture]) return {};
    return fail(Code::kBadInput, "{} has no column url, picture, image or image_url; name one in fields.picture",
                description_.list.string());
  }

 private:
  bool has_quotes() const override { return true; }
  void take(std::string_view line, Items& items) override {
    const std::vector<std::string> cells = split(line, delimiter_);
    const auto cell = [&](Field field) {
      return columns_[field] && *columns_[field] < cells.size() ? one_line(cells[*columns_[field]]) : std::string();
    };
    Item item = blank_item();
    item.picture = http_address(cell(kPicture));
    if (item.picture.empty()) {
      ++items.malformed;
      return;
    }
    if (std::string label = cell(kLabel); !label.empty()) item.labels = {std::move(label)};
    item.artist = cell(kArtist);
    item.artist_url = http_address(cell(kArtistUrl));
    item.page = http_address(cell(kPage));
    if (std::string licence = cell(kLicence); !licence.empty()) item.licence = std::move(licence);
    items.items.push_back(std::move(item));
  }

  char delimiter_;
  std::array<std::optional<std::size_t>, kFieldCount> columns_;
};

class JsonList final : public LineList {
 public:
  JsonList(FileReader file, const Description& description) : LineList(std::move(file), description), by_name_(description) {
    by_name_.items = JsonPath();
  }

  void take(std::string_view line, Items& items) override {
    const auto given = paths_of(description_.fields);
    Fields& fields = by_name_.fields;
    const std::array<std::optional<JsonPath>*, kFieldCount> into = {&fields.picture,    &fields.label, &fields.artist,
                                                                    &fields.artist_url, &fields.page,  &fields.licence};
    for (std::size_t field = 0; field < kFieldCount; ++field)
      *into[field] = *given[field] ? *given[field] : usual_path(line, kUsual[field]);
    auto read = read_answer(line, base_, by_name_, description_.categories.front());
    items.malformed += read ? read->malformed : 1;
    if (read) std::ranges::move(read->items, std::back_inserter(items.items));
  }

 private:
  /// The first name that the line seems to have as a member; the first one where it has none.
  static std::optional<JsonPath> usual_path(std::string_view line, const Names& names) {
    const auto found = std::ranges::find_if(
        names, [&](std::string_view name) { return line.find(fmt::format("\"{}\"", name)) != std::string_view::npos; });
    return *JsonPath::parse(found == names.end() ? names.front() : *found);
  }

  Description by_name_;
  Url base_ = *Url::parse("file:///");  // an address that is not whole leads nowhere
};

}  // namespace

Result<std::unique_ptr<UrlList>> UrlList::open(const Description& description) {
  MAGPIE_TRY(FileReader file, FileReader::open(description.list));
  const fs::path ending = description.list.extension();
  if (ending == ".jsonl" || ending == ".ndjson") return std::unique_ptr<UrlList>(std::make_unique<JsonList>(std::move(file), description));
  if (ending == ".txt") return std::unique_ptr<UrlList>(std::make_unique<TextList>(std::move(file), description));
  auto table = std::make_unique<TableList>(std::move(file), description);
  MAGPIE_TRY_DO(table->read_header());
  return std::unique_ptr<UrlList>(std::move(table));
}

}  // namespace magpie::collect
