// The shared cases: other projects' page samples, and real shop pages.
#include <gtest/gtest.h>
#include <zlib.h>

#include <algorithm>
#include <ctime>
#include <iostream>
#include <map>

#include "base/hash.h"
#include "base/json_writer.h"
#include "extract/extract_page.h"
#include "net/url.h"
#include "text/html_tree.h"
#include "text/shared_cases_for_test.h"

namespace magpie {
namespace {

using simdjson::dom::element;
using testing::each_case;
using testing::text_at;

std::string gunzipped(const std::string& path) {
  std::string out;
  gzFile file = gzopen(path.c_str(), "rb");
  char buffer[65536];
  for (int got = 0; file != nullptr && (got = gzread(file, buffer, sizeof buffer)) > 0;) out.append(buffer, static_cast<std::size_t>(got));
  if (file != nullptr) gzclose(file);
  return out;
}

bool same_text(std::string_view expected, std::string_view got, const std::string& base) {
  if (squeeze(expected) == squeeze(got)) return true;
  auto url = Url::parse(base);
  auto absolute = Url::parse(expected, *url);
  return absolute && absolute->href() == got;
}

bool same(const element& expected, const element& got, const std::string& base) {
  if (expected.type() != got.type()) return simdjson::minify(expected) == simdjson::minify(got);
  if (expected.is_array()) {
    const simdjson::dom::array a = expected.get_array(), b = got.get_array();
    return a.size() == b.size() &&
           std::equal(a.begin(), a.end(), b.begin(), [&](const element& x, const element& y) { return same(x, y, base); });
  }
  if (expected.is_object()) {
    const simdjson::dom::object a = expected.get_object(), b = got.get_object();
    if (a.size() != b.size()) return false;
    for (const auto field : a) {
      element other;
      if (b[field.key].get(other) != simdjson::SUCCESS || !same(field.value, other, base)) return false;
    }
    return true;
  }
  if (expected.is_string()) return same_text(expected.get_string().value(), got.get_string().value(), base);
  return simdjson::minify(expected) == simdjson::minify(got);
}

std::string joined(const std::vector<std::string>& values) {
  std::string out = "[";
  for (const std::string& value : values) out += (out.size() > 1 ? "," : "") + value;
  return out + "]";
}

void expect_same(const element& root, std::string_view key, const std::string& got, const std::string& base) {
  element expected;
  if (root["expect"][key].get(expected) != simdjson::SUCCESS) return;
  simdjson::dom::parser parser;
  EXPECT_TRUE(same(expected, parser.parse(got), base))
      << root["id"] << "\n  expected " << simdjson::minify(expected).substr(0, 3000) << "\n  got " << got.substr(0, 3000);
}

TEST(SharedCases, PagesGiveTheirMarkupAndCharset) {
  std::size_t all = 0;
  const bool found = each_case("page", [&](const element& root) {
    const element input = root["input"];
    PageContext context{.url = text_at(input, "url").value_or(""), .content_type = text_at(input, "content_type").value_or("")};
    const std::optional<std::string> encoded = text_at(input, "html_b64");
    if (!encoded) context.content_type = "text/html; charset=utf-8";
    const std::string html = encoded ? *base64_decode(*encoded) : text_at(input, "html").value_or("");
    auto markup = extract_page_markup(html, context);
    ASSERT_TRUE(markup) << markup.error().message;
    expect_same(root, "jsonld", joined(markup->json_ld), context.url);
    expect_same(root, "microdata", joined(markup->microdata), context.url);
    expect_same(root, "charset", json_quoted(markup->page.charset), context.url);
    std::string opengraph = "[";
    for (const auto& [property, content] : markup->opengraph) {
      opengraph += (opengraph.size() > 1 ? ",[" : "[") + json_quoted(property) + "," + json_quoted(content) + "]";
    }
    expect_same(root, "opengraph", opengraph + "]", context.url);
    ++all;
  });
  if (!found) GTEST_SKIP() << "shared cases are not here; set MAGPIE_SHARED to their folder";
  EXPECT_GT(all, 50u);
}

// A value is right when it is one of those listed; decimals and letter case aside.
std::string plain(std::string text, bool is_price) {
  if (is_price && text.find('.') != std::string::npos) {
    text.erase(text.find_last_not_of('0') + 1);
    if (text.ends_with('.')) text.pop_back();
  }
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c); });
  return text;
}

struct Count {
  int right = 0, wrong = 0, missed = 0;
  double f1() const { return right == 0 ? 0 : 2.0 * right / (2.0 * right + 2 * wrong + missed); }
};

TEST(SharedCases, RealShopPagesGiveTheirProduct) {
  std::map<std::string, Count> counts;
  // Processor time, so that other work on the machine does not count.
  std::clock_t took = 0, worst = 0;
  std::size_t bytes = 0, pages = 0;
  const bool found = each_case("products", [&](const element& root) {
    const element input = root["input"];
    const std::string html = gunzipped(testing::shared_folder() + "/cases/products/" + text_at(input, "html_gz_file").value_or(""));
    const PageContext context{.url = text_at(input, "url").value_or("")};
    const std::clock_t begin = std::clock();
    auto page = extract_page(html, context);
    const std::clock_t spent = std::clock() - begin;
    took += spent;
    worst = std::max(worst, spent);
    bytes += html.size();
    ++pages;
    ASSERT_TRUE(page) << page.error().message;
    EXPECT_EQ(page->verdict.cause, Cause::kNone) << context.url << ": " << page->verdict.evidence;
    const Product product = page->products.empty() ? Product{} : page->products.front();
    const std::map<std::string, std::string> got = {
        {"price", product.offer.price},
        {"currency", product.offer.currency},
        {"brand", product.brand},
        {"sku", product.sku},
        {"availability", product.offer.availability.empty() ? "InStock" : product.offer.availability}};
    for (const auto field : root["expect_any_of"].get_object()) {
      const std::string key(field.key);
      const std::string value = plain(got.at(key), key == "price");
      bool right = false;
      for (const element any : field.value.get_array())
        right = right || plain(std::string(any.get_string().value()), key == "price") == value;
      Count& count = counts[key];
      ++(right ? count.right : value.empty() ? count.missed : count.wrong);
      if (!right && std::getenv("MAGPIE_SHOW_MISSES") != nullptr) {
        std::cerr << root["id"] << " " << context.url << " " << key << " wanted " << simdjson::minify(field.value).substr(0, 80) << " got '"
                  << got.at(key) << "' (" << product.name << ")\n";
      }
    }
  });
  if (!found) GTEST_SKIP() << "shared cases are not here; set MAGPIE_SHARED to their folder";
  for (const auto& [key, count] : counts) {
    std::cout << key << ": F1 " << count.f1() << " (right " << count.right << ", wrong " << count.wrong << ", missed " << count.missed
              << ")\n";
  }
  const double seconds = static_cast<double>(took) / CLOCKS_PER_SEC;
  std::cout << pages << " pages of " << bytes / std::max<std::size_t>(pages, 1) / 1024 << " KB, " << static_cast<double>(pages) / seconds
            << " a second, worst " << static_cast<double>(worst) / CLOCKS_PER_SEC << " s\n";
  EXPECT_GE(counts["price"].f1(), 0.92);
  EXPECT_GE(counts["currency"].f1(), 0.92);
  EXPECT_GE(counts["availability"].f1(), 0.92);
  EXPECT_GE(counts["sku"].f1(), 0.84);
  EXPECT_GE(counts["brand"].f1(), 0.77);
}

}  // namespace
}  // namespace magpie
