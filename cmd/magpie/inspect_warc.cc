// magpie inspect warc FILE...: a line for each record, and an error line for each damage.
#include <cstdio>

#include "inspect.h"
#include "store/warc.h"

namespace magpie::cmd {
namespace {

void print_record(const WarcRecord& record) {
  JsonWriter json;
  json.begin_object().field("type", record.type).key("target_uri");
  if (record.target_uri.empty()) json.null();  // warcinfo has none
  else json.string(record.target_uri);
  json.field("offset", record.offset).field("length", record.length).key("http_status");
  if (record.http_status) json.number(*record.http_status);
  else json.null();
  json.field("date", record.date).field("record_id", record.record_id).field("content_type", record.content_type).end_object();
  print_line(json.text());
}

void print_error(const std::string& file, std::optional<std::uint64_t> offset, std::string_view words) {
  JsonWriter json;
  json.begin_object().field("file", file);
  if (offset) json.field("offset", *offset);
  json.field("error", words).end_object();
  print_line(json.text());
}

/// False when anything in the file does not read.
bool list_records(const std::string& file) {
  auto reader = WarcReader::open(file);
  if (!reader) {
    print_error(file, std::nullopt, reader.error().message);
    return false;
  }
  bool good = true;
  while (true) {
    const auto item = reader->next();
    if (!item) {
      print_error(file, std::nullopt, item.error().message);
      return false;
    }
    if (!*item) return good;
    if ((*item)->damage.empty()) {
      print_record((*item)->record);
    } else {
      print_error(file, (*item)->record.offset, (*item)->damage);
      good = false;
    }
  }
}

}  // namespace

int inspect_warc(InspectArgs args) {
  if (args.empty()) {
    std::fputs("magpie inspect warc FILE...: name at least one WARC file\n", stderr);
    return 2;
  }
  bool good = true;
  for (const std::string& file : args) good = list_records(file) && good;
  return good ? 0 : 3;
}

}  // namespace magpie::cmd
