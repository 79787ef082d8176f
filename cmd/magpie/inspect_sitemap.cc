// `magpie inspect sitemap`: {"xml" | "xml_b64", "url"} -> kind, urls [{loc, lastmod, images [{loc}]}], cut.
#include "crawl/sitemap.h"
#include "inspect.h"

namespace magpie::cmd {
namespace {

void write_entry(const crawl::SitemapEntry& entry, JsonWriter& json) {
  json.begin_object().field("loc", entry.loc).key("lastmod");
  if (entry.lastmod.empty()) json.null();
  else json.string(entry.lastmod);
  json.key("images").begin_array();
  for (const std::string& image : entry.images) json.begin_object().field("loc", image).end_object();
  json.end_array().end_object();
}

Result<void> answer(const Question& question, JsonWriter& json) {
  MAGPIE_TRY(const std::string xml, question.required("xml"));
  MAGPIE_TRY(const std::string address, question.required("url"));
  MAGPIE_TRY(const Url url, Url::parse(address));
  MAGPIE_TRY(const crawl::Sitemap sitemap, crawl::parse_sitemap(xml, url));
  json.field("kind", crawl::to_string(sitemap.kind)).key("urls").begin_array();
  for (const crawl::SitemapEntry& entry : sitemap.entries) write_entry(entry, json);
  json.end_array();
  if (sitemap.cut) json.field("cut", true);
  return {};
}

}  // namespace

int inspect_sitemap(InspectArgs) { return answer_questions(answer); }

}  // namespace magpie::cmd
