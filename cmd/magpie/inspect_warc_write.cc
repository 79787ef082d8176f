// magpie inspect warc-write OUT: one warcinfo record, then a response record for each question; gzip members when OUT ends in ".gz".
#include <fcntl.h>
#include <simdjson.h>

#include <cstdio>

#include "base/files.h"
#include "inspect.h"
#include "store/warc.h"

namespace magpie::cmd {
namespace {

constexpr int kGzipLevel = 6;

class Output {
 public:
  Output(UniqueFd fd, bool gzip) : fd_(std::move(fd)), gzip_(gzip) {}

  /// Appends one record and gives its offset.
  Result<std::uint64_t> write(const WarcFields& fields) {
    MAGPIE_TRY(std::string bytes, encode_warc_record(fields));
    if (gzip_) { MAGPIE_TRY(bytes, gzip_member(bytes, kGzipLevel)); }
    MAGPIE_TRY_DO(write_all(fd_.get(), bytes));
    return std::exchange(size_, size_ + bytes.size());
  }

 private:
  UniqueFd fd_;
  bool gzip_;
  std::uint64_t size_ = 0;
};

bool breaks_line(std::string_view text) { return text.find_first_of("\r\n") != std::string_view::npos; }

Result<std::string> header_block(const Question& question) {
  const auto status = question.number("status");
  if (!status || *status < 100 || *status > 999) return fail(Code::kBadInput, "'status' must be a number from 100 to 999");
  std::string block = fmt::format("HTTP/1.1 {} {}\r\n", static_cast<int>(*status), *status == 200 ? "OK" : "");
  simdjson::dom::parser parser;
  simdjson::dom::array headers;
  const std::string raw = question.raw("headers");
  if (!raw.empty() && raw != "null" && parser.parse(raw).get(headers) != simdjson::SUCCESS)
    return fail(Code::kBadInput, "'headers' must be a list of [name, value]");
  if (raw.empty() || raw == "null") return block + "\r\n";
  for (const simdjson::dom::element pair : headers) {
    std::string_view name, value;
    if (pair.at(0).get(name) != simdjson::SUCCESS || pair.at(1).get(value) != simdjson::SUCCESS)
      return fail(Code::kBadInput, "'headers' must be a list of [name, value]");
    if (name.empty() || name.find(':') != std::string_view::npos || breaks_line(name) || breaks_line(value))
      return fail(Code::kBadInput, "a header must not hold a line break");
    block.append(name).append(": ").append(value).append("\r\n");
  }
  return block + "\r\n";
}

Result<void> answer(Output& out, const std::string& warcinfo_id, const Question& question, JsonWriter& json) {
  MAGPIE_TRY(const std::string url, question.required("url"));
  MAGPIE_TRY(const std::string date, question.required("date"));
  MAGPIE_TRY_DO(parse_warc_date(date));
  MAGPIE_TRY(std::string block, header_block(question));
  MAGPIE_TRY(const std::optional<std::string> body, question.text("body"));
  block += body.value_or("");
  MAGPIE_TRY(const std::uint64_t offset,
             out.write({.type = WarcType::kResponse, .target_uri = url, .date = date, .warcinfo_id = warcinfo_id, .block = block}));
  json.field("offset", offset);
  return {};
}

Result<int> run(const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!fd) return fail_errno(path);
  Output out(std::move(fd), path.ends_with(".gz"));
  const std::string id = new_warc_record_id();
  const std::string date = warc_date(std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now()));
  MAGPIE_TRY_DO(out.write(
      {.type = WarcType::kWarcinfo, .date = date, .record_id = id, .block = "software: Magpie\r\nformat: WARC File Format 1.1\r\n"}));
  return answer_questions([&](const Question& question, JsonWriter& json) { return answer(out, id, question, json); });
}

}  // namespace

int inspect_warc_write(InspectArgs args) {
  if (args.size() != 1) {
    std::fputs("magpie inspect warc-write OUT: name the file to write, ending in .warc or .warc.gz\n", stderr);
    return 2;
  }
  const auto done = run(args[0]);
  if (done) return *done;
  std::fprintf(stderr, "magpie: %s\n", done.error().message.c_str());
  return 3;
}

}  // namespace magpie::cmd
