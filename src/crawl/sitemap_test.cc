#include "crawl/sitemap.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include "crawl/shared_cases_for_test.h"

namespace magpie::crawl {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Result<Sitemap> parse(std::string_view text, SitemapLimits limits = {}) {
  return parse_sitemap(text, *Url::parse("http://a.test/maps/sitemap.xml"), limits);
}
std::vector<std::string> locs(std::string_view text) {
  std::vector<std::string> out;
  const auto sitemap = parse(text);
  EXPECT_TRUE(sitemap) << sitemap.error().message;
  if (sitemap)
    for (const auto& entry : sitemap->entries) out.push_back(entry.loc);
  return out;
}

std::string gzip(std::string_view bytes) {
  std::string out(bytes.size() / 100 + 1'000, '\0');
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

TEST(Sitemap, UrlSetGivesLocationsDatesAndImages) {
  const auto sitemap = parse(R"(<?xml version="1.0"?><urlset xmlns="x" xmlns:i="y"><url><loc> http://a.test/1?a&amp;b </loc>
    <lastmod>2026-01-02</lastmod><i:image><i:loc>/p.jpg</i:loc><i:title>t</i:title></i:image></url><url><loc>/2</loc></url></urlset>)");
  ASSERT_TRUE(sitemap);
  EXPECT_EQ(sitemap->kind, SitemapKind::kUrlSet);
  ASSERT_EQ(sitemap->entries.size(), 2u);
  EXPECT_EQ(sitemap->entries[0].loc, "http://a.test/1?a&b");
  EXPECT_EQ(sitemap->entries[0].lastmod, "2026-01-02");
  EXPECT_THAT(sitemap->entries[0].images, ElementsAre("http://a.test/p.jpg"));
  EXPECT_EQ(sitemap->entries[1].loc, "http://a.test/2");
  EXPECT_EQ(sitemap->entries[1].lastmod, "");
  EXPECT_FALSE(sitemap->cut);
}

TEST(Sitemap, IndexNamesFurtherSitemaps) {
  const auto sitemap = parse("<sitemapindex><sitemap><loc>http://a.test/1.xml</loc></sitemap></sitemapindex>");
  ASSERT_TRUE(sitemap);
  EXPECT_EQ(sitemap->kind, SitemapKind::kIndex);
  EXPECT_EQ(sitemap->entries.size(), 1u);
}

TEST(Sitemap, BrokenMarkupCostsItsOwnEntryAtMost) {
  EXPECT_THAT(locs("<urlset><url><loc>http://a.test/1</loc><url><loc>http://a.test/2<loc></url><url></url>"
                   "<url><loc>http://a.test/3</lc></url><url><loc>mailto:x</loc></url><url><loc>http://a.test/4</loc>"),
              ElementsAre("http://a.test/1", "http://a.test/2", "http://a.test/3", "http://a.test/4"));
  EXPECT_THAT(locs("<urlset><url><loc>http://a.test/1</loc></url><url><loc>http://a.test/half"), ElementsAre("http://a.test/1"));
  EXPECT_THAT(locs("<urlset attr=\"x><url><loc>http://a.test/1</loc></url>"), ElementsAre("http://a.test/1"));
}

TEST(Sitemap, CdataCommentsAndNumericReferences) {
  EXPECT_THAT(locs("<urlset><!-- <url><loc>http://a.test/no</loc></url> --><url><loc><![CDATA[http://a.test/?a&b]]></loc></url>"
                   "<url><loc>http://a.test/&#x41;&#66;</loc></url><url><loc>http://a.test/?x=1&y=2</loc></url></urlset>"),
              ElementsAre("http://a.test/?a&b", "http://a.test/AB", "http://a.test/?x=1&y=2"));
}

TEST(Sitemap, EntitiesOfTheDoctypeAreNotExpanded) {
  EXPECT_THAT(locs("<!DOCTYPE x [<!ENTITY e \"http://a.test/e\"><!ENTITY f SYSTEM \"file:///etc/passwd\">]>"
                   "<urlset><url><loc>&e;</loc></url><url><loc>http://a.test/&f;</loc></url></urlset>"),
              IsEmpty());
}

TEST(Sitemap, TextRssAndAtom) {
  EXPECT_EQ(parse("\xEF\xBB\xBFhttp://a.test/1\r\nhttps://a.test/2\n\nnothing\n")->kind, SitemapKind::kText);
  EXPECT_THAT(locs("http://a.test/1\r\nhttps://a.test/2\n\nnothing\n"), ElementsAre("http://a.test/1", "https://a.test/2"));
  EXPECT_THAT(locs("<rss><channel><link>http://a.test/</link><image><url>http://a.test/i</url><link>http://a.test/</link></image>"
                   "<item><link>http://a.test/1</link></item><item><guid>http://a.test/2</guid></item></channel></rss>"),
              ElementsAre("http://a.test/1", "http://a.test/2"));
  const auto atom = parse(
      "<feed xml:base='http://b.test/x/'><link href='http://a.test/'/><entry><link rel='edit' href='/no'/>"
      "<link href='y'/><updated>2026-02-03T00:00:00Z</updated></entry></feed>");
  ASSERT_TRUE(atom);
  EXPECT_EQ(atom->kind, SitemapKind::kAtom);
  ASSERT_EQ(atom->entries.size(), 1u);
  EXPECT_EQ(atom->entries[0].loc, "http://b.test/x/y");
  EXPECT_EQ(atom->entries[0].lastmod, "2026-02-03T00:00:00Z");
}

TEST(Sitemap, WhatIsNoneOfTheseIsRefused) {
  for (const std::string_view text : {"<!doctype html><html><body>404</body></html>", "", "hello", "{\"a\":1}", "<x><y/></x>"}) {
    const auto sitemap = parse(text);
    ASSERT_FALSE(sitemap) << text;
    EXPECT_EQ(sitemap.error().code, Code::kBadInput);
  }
}

TEST(Sitemap, GzipIsTakenOffWithinTheLimit) {
  std::string text = "<urlset><url><loc>http://a.test/1</loc></url>";
  text.append(5'000'000, ' ');
  text += "<url><loc>http://a.test/2</loc></url></urlset>";
  EXPECT_EQ(parse(gzip(text))->entries.size(), 2u);
  const auto limited = parse(gzip(text), {.bytes_max = 100'000});
  ASSERT_TRUE(limited);
  EXPECT_EQ(limited->entries.size(), 1u);
  EXPECT_TRUE(limited->cut);
  const auto torn = parse(std::string_view(gzip(text)).substr(0, 60));
  EXPECT_TRUE(!torn || torn->cut);
}

TEST(Sitemap, EntriesAndImagesAreLimited) {
  std::string text = "<urlset>";
  for (int i = 0; i < 10; ++i)
    text +=
        "<url><loc>/x</loc><image:image><image:loc>/a</image:loc></image:image><image:image><image:loc>/b</image:loc></image:image></url>";
  const auto sitemap = parse(text, {.entries_max = 3, .images_per_entry_max = 1});
  ASSERT_TRUE(sitemap);
  EXPECT_EQ(sitemap->entries.size(), 3u);
  EXPECT_EQ(sitemap->entries[0].images.size(), 1u);
  EXPECT_TRUE(sitemap->cut);
}

TEST(Sitemap, OtherEncodingsAreRead) {
  const std::string ascii = "<urlset><url><loc>http://a.test/1</loc></url></urlset>";
  std::string utf16 = "\xFF\xFE";
  for (const char c : ascii) utf16 += {c, '\0'};
  EXPECT_THAT(locs(utf16), ElementsAre("http://a.test/1"));
  EXPECT_THAT(locs("<urlset><url><loc>http://a.test/\xE9</loc></url></urlset>"), ElementsAre("http://a.test/\xC3\xA9"));
}

void check_case(const simdjson::dom::element& root) {
  SCOPED_TRACE(cases::text_of(root, "id"));
  const auto input = root["input"].value();
  const auto expect = root["expect"].value();
  const auto sitemap = parse_sitemap(cases::text_of(input, "xml"), *Url::parse(cases::text_of(input, "url")));
  if (bool error; expect["error"].get(error) == simdjson::SUCCESS && error) {
    EXPECT_TRUE(!sitemap || sitemap->entries.empty());
    return;
  }
  ASSERT_TRUE(sitemap) << sitemap.error().message;
  if (std::string_view kind; expect["kind"].get(kind) == simdjson::SUCCESS) {
    EXPECT_EQ(sitemap->kind == SitemapKind::kIndex, kind == "index");
  }
  if (std::uint64_t count; expect["n"].get(count) == simdjson::SUCCESS) { EXPECT_EQ(sitemap->entries.size(), count); }
  const auto entry_of = [&](std::string_view loc) -> const SitemapEntry* {
    const auto found = std::find_if(sitemap->entries.begin(), sitemap->entries.end(), [&](const auto& e) { return e.loc == loc; });
    return found == sitemap->entries.end() ? nullptr : &*found;
  };
  if (simdjson::dom::array wanted; expect["locs"].get(wanted) == simdjson::SUCCESS) {
    for (const auto loc : wanted) EXPECT_NE(entry_of(loc.get_string().value()), nullptr) << loc.get_string().value();
  }
  if (simdjson::dom::object dates; expect["lastmods"].get(dates) == simdjson::SUCCESS) {
    for (const auto& [loc, date] : dates) {
      ASSERT_NE(entry_of(loc), nullptr) << loc;
      const std::string begin(date.is_null() ? "" : date.get_string().value());
      EXPECT_EQ(entry_of(loc)->lastmod.substr(0, begin.empty() ? 1 : begin.size()), begin);
    }
  }
  if (simdjson::dom::object images; expect["images"].get(images) == simdjson::SUCCESS) {
    for (const auto& [loc, wanted] : images) {
      ASSERT_NE(entry_of(loc), nullptr) << loc;
      const simdjson::dom::array list = wanted.get_array().value();
      for (const auto image : list) { EXPECT_THAT(entry_of(loc)->images, ::testing::Contains(std::string(image.get_string().value()))); }
    }
  }
}

TEST(Sitemap, SharedCases) {
  std::size_t checked = 0;
  const bool found = cases::for_each_case("sitemap", [&](const simdjson::dom::element& root) {
    check_case(root);
    ++checked;
  });
  if (!found) GTEST_SKIP() << "the shared cases are not here; set MAGPIE_SHARED to their folder";
  EXPECT_GE(checked, 14u);
}

}  // namespace
}  // namespace magpie::crawl
