#include "inspect.h"
#include "net/url.h"
#include "text/charset.h"

namespace magpie::cmd {
namespace {

Result<QueryEncoder> query_encoder(const std::optional<std::string>& label) {
  if (!label) return QueryEncoder();
  const std::string charset = charset_from_label(*label);
  if (charset.empty()) return fail(Code::kBadInput, "'{}' is no encoding", *label);
  if (charset == "utf-8") return QueryEncoder();
  return QueryEncoder([charset](std::string_view utf8) { return encode_for_url_query(utf8, charset); });
}

void write_parts(const Url& url, JsonWriter& json) {
  json.field("href", url.href()).field("origin", url.origin()).field("protocol", url.protocol());
  json.field("username", url.username()).field("password", url.password());
  json.field("host", url.host()).field("hostname", url.hostname()).field("port", url.port());
  json.field("pathname", url.pathname()).field("search", url.search()).field("hash", url.hash());
}

Result<void> answer(const Question& question, JsonWriter& json) {
  MAGPIE_TRY(const std::string text, question.required("url"));
  MAGPIE_TRY(const std::optional<std::string> base_text, question.text("base"));
  MAGPIE_TRY(const std::optional<std::string> encoding, question.text("encoding"));
  MAGPIE_TRY(const QueryEncoder encoder, query_encoder(encoding));
  std::optional<Url> base;
  if (base_text) { MAGPIE_TRY(base, Url::parse(*base_text)); }
  MAGPIE_TRY(const Url url, Url::parse(text, base ? &*base : nullptr, encoder));
  write_parts(url, json);
  return {};
}

}  // namespace

int inspect_url(InspectArgs) { return answer_questions(answer); }

}  // namespace magpie::cmd
