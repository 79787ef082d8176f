// What every Catalog promises: what pages and pictures say is joined, kept up to date, and lost by no crash.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <ctime>
#include <functional>
#include <thread>

#include "base/hash.h"
#include "contract_folder.h"
#include "core/price.h"
#include "embedded/catalog.h"
#include "store/sqlite.h"

namespace magpie {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

struct CatalogBackend {
  std::string name;
  std::function<Result<std::unique_ptr<Catalog>>(const fs::path& folder)> open;
};

Fetch fetch_of(std::string url, UrlKind kind = UrlKind::kPage) {
  Fetch fetch;
  fetch.url = std::move(url);
  fetch.kind = kind;
  fetch.status = 200;
  fetch.content_type = kind == UrlKind::kPage ? "text/html" : "image/jpeg";
  fetch.fetched_at = Timestamp(std::chrono::milliseconds(1'795'000'000'120));
  fetch.took = std::chrono::milliseconds(12);
  fetch.body_bytes = 345;
  fetch.place = {1, 100, 50};
  return fetch;
}

Fetch failed(std::string url, Cause cause, UrlKind kind = UrlKind::kImage) {
  Fetch fetch = fetch_of(std::move(url), kind);
  fetch.cause = cause;
  fetch.detail = "words";
  fetch.place = {};
  return fetch;
}

ImageRef ref_to(std::string url, std::vector<std::string> alternatives = {}, std::string alt = "a chair") {
  ImageRef ref;
  ref.url = std::move(url);
  ref.alternatives = std::move(alternatives);
  ref.alt = std::move(alt);
  return ref;
}

/// A product page with one picture, http://shop.test:8080/img/red-chair.jpg.
Page chair_page() {
  Page page;
  page.url = "http://shop.test:8080/chair";
  page.title = "Chair | Shop";
  page.description = "All about the chair";
  page.language = "en-GB";
  page.keywords = {"seat", "oak \"solid\"\n"};
  page.images = {ref_to("http://shop.test:8080/img/red-chair.jpg")};
  page.images[0].of_product = true;
  Product product;
  product.name = "Red chair";
  product.brand = "Sitwell";
  product.description = "Comfortable";
  product.category = "Chairs";
  product.offer = {.price = "129.95", .currency = "EUR", .old_price = "150", .availability = "InStock"};
  product.images = {page.images[0].url};
  product.evidence = {{.field = "price", .origin = FieldOrigin::kMicrodata, .sure_percent = 85, .otherwise = "139 \"net\""},
                      {.field = "brand", .origin = FieldOrigin::kLearnt, .sure_percent = 65, .otherwise = ""}};
  product.variants = {{.options = {{"Seat", "oak \"solid\""}, {"", "tall"}},
                       .sku = "C-1",
                       .gtin = "4006381333931",
                       .offer = {.price = "139.95", .currency = "EUR", .old_price = "", .availability = "OutOfStock"},
                       .image = "http://shop.test:8080/img/oak.jpg"},
                      {.options = {}, .sku = "C-2", .gtin = "", .offer = {}, .image = ""}};
  page.images[0].language = "de";
  page.products = {product};
  return page;
}

Image image_of(std::string_view bytes) {
  Image image;
  image.sha256 = sha256(bytes);
  image.format = "jpeg";
  image.width = 640;
  image.height = 480;
  image.bytes = bytes.size();
  image.phash = 0xF000'0000'0000'0001;
  image.frames = 24;
  image.duration = std::chrono::milliseconds(2'000);
  image.plays = 3;
  image.pdq[0] = 7;
  image.brightness = 99.5F;
  image.colours = {{.rgb = 0xFF0000, .share = 0.75F, .name = "red"}, {.rgb = 0x00FF00, .share = 0.25F, .name = "green"}};
  image.original = {1, 2, 3};
  image.thumbnail = {1, 5, 6};
  image.fetched_at = Timestamp(std::chrono::milliseconds(1'795'000'001'000));
  return image;
}

class CatalogContract : public testing::TestWithParam<CatalogBackend> {
 protected:
  CatalogContract() { reopen(); }
  void reopen() {
    catalog.reset();
    auto opened = GetParam().open(folder_.path());
    ASSERT_TRUE(opened) << opened.error().message;
    catalog = std::move(*opened);
  }
  /// Runs `work` in a transaction and commits it.
  template <class Work>
  auto write(Work&& work) {
    auto transaction = catalog->begin();
    EXPECT_TRUE(transaction) << transaction.error().message;
    auto done = work(**transaction);
    EXPECT_TRUE(done) << done.error().message;
    const auto committed = (*transaction)->commit();
    EXPECT_TRUE(committed) << committed.error().message;
    if constexpr (!std::is_void_v<typename decltype(done)::value_type>) return *done;
  }
  RecordedPage add_page(const Page& page) {
    return write([&](CatalogTransaction& t) { return t.record_page(fetch_of(page.url), page, 1); });
  }
  ImageId add_image(const std::string& url, std::string_view bytes) {
    return write([&](CatalogTransaction& t) { return t.record_image(fetch_of(url, UrlKind::kImage), image_of(bytes), {}, 1); }).id;
  }
  NextCandidates fail_image(const std::string& url, Cause cause = Cause::kNotFound) {
    return write([&](CatalogTransaction& t) { return t.record_failure(failed(url, cause), 1); });
  }
  std::vector<ImageId> dirty() {
    std::vector<ImageId> ids;
    const auto taken = *catalog->take_dirty(1'000);
    for (const DirtyImage& one : taken) ids.push_back(one.id);
    return ids;
  }
  void clear_all_dirty() {
    const auto taken = *catalog->take_dirty(100'000);
    write([&](CatalogTransaction& t) { return t.clear_dirty(taken); });
  }

  ContractFolder folder_;
  std::unique_ptr<Catalog> catalog;
};

TEST_P(CatalogContract, APageComesBackAsItWas) {
  const Page page = chair_page();
  const RecordedPage recorded = add_page(page);
  EXPECT_THAT(recorded.images_wanted, ElementsAre(page.images[0].url));
  reopen();
  const auto back = *catalog->page(recorded.id);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->page.url, page.url);
  EXPECT_EQ(back->page.title, page.title);
  EXPECT_EQ(back->page.keywords, page.keywords);
  EXPECT_EQ(back->shop, "shop.test:8080");
  EXPECT_EQ(back->place, (ArchivePlace{1, 100, 50}));
  ASSERT_EQ(back->products.size(), 1u);
  EXPECT_EQ(back->products[0].product.name, "Red chair");
  EXPECT_EQ(back->products[0].product.images, page.products[0].images);
  const auto& evidence = back->products[0].product.evidence;
  ASSERT_EQ(evidence.size(), 2u);
  EXPECT_EQ(evidence[0].field, "price");
  EXPECT_EQ(evidence[0].origin, FieldOrigin::kMicrodata);
  EXPECT_EQ(evidence[0].sure_percent, 85);
  EXPECT_EQ(evidence[0].otherwise, "139 \"net\"");
  EXPECT_EQ(evidence[1].origin, FieldOrigin::kLearnt);
  const auto& variants = back->products[0].product.variants;
  ASSERT_EQ(variants.size(), 2u);
  EXPECT_EQ(variants[0].options, page.products[0].variants[0].options);
  EXPECT_EQ(variants[0].gtin, "4006381333931");
  EXPECT_EQ(variants[0].offer.price, "139.95");
  EXPECT_EQ(variants[0].offer.availability, "OutOfStock");
  EXPECT_EQ(variants[0].image, "http://shop.test:8080/img/oak.jpg");
  EXPECT_EQ(variants[1].sku, "C-2");
  EXPECT_EQ(back->refs[0].ref.language, "de");
  EXPECT_EQ(back->products[0].price_micros, 129'950'000);
  ASSERT_EQ(back->refs.size(), 1u);
  EXPECT_EQ(back->refs[0].ref.alt, "a chair");
  EXPECT_EQ(back->refs[0].product, back->products[0].id);
  EXPECT_EQ(*catalog->page_by_url(page.url), recorded.id);
  EXPECT_FALSE(catalog->page(recorded.id + 1'000)->has_value());
}

TEST_P(CatalogContract, APicturesDocumentJoinsWhatItsPagesSay) {
  add_page(chair_page());
  Page listing;
  listing.url = "http://other.test/list";
  listing.title = "All seats";
  listing.images = {ref_to("http://shop.test:8080/img/red-chair.jpg", {}, "from the list")};
  add_page(listing);
  const ImageId id = add_image("http://shop.test:8080/img/red-chair.jpg", "bytes");
  const auto document = *catalog->index_document(id);
  ASSERT_TRUE(document);
  EXPECT_EQ(document->id, id);
  EXPECT_EQ(document->title, "Red chair\nChair | Shop\nAll seats");
  EXPECT_EQ(document->alt, "a chair\nfrom the list");
  EXPECT_EQ(document->keywords, "seat\noak \"solid\"\n\nimg\nred\nchair");
  EXPECT_THAT(document->description, HasSubstr("Comfortable"));
  EXPECT_EQ(document->language, "en");
  EXPECT_EQ(document->shop, "shop.test:8080");
  EXPECT_EQ(document->category, "Chairs");
  EXPECT_EQ(document->brand, "Sitwell");
  EXPECT_EQ(document->price_micros, 129'950'000);
  EXPECT_EQ(document->currency, "EUR");
  EXPECT_THAT(document->colours, ElementsAre("red", "green"));
  EXPECT_EQ(document->copy_group, id);
  EXPECT_EQ(document->pixels, 640u * 480u);
  EXPECT_EQ(document->fetched_at_seconds, 1'795'000'001);
}

TEST_P(CatalogContract, APictureComesBackAsItWas) {
  const std::vector<float> vector = {0.6F, -0.8F};
  const std::vector<ImageEmbedding> embeddings = {{"lite0@1", vector}};
  const auto recorded = write([&](CatalogTransaction& t) {
    return t.record_image(fetch_of("http://a.test/1.jpg", UrlKind::kImage), image_of("bytes"), embeddings, 1);
  });
  EXPECT_TRUE(recorded.is_new);
  reopen();
  const auto back = *catalog->image(recorded.id);
  ASSERT_TRUE(back);
  const Image image = image_of("bytes");
  EXPECT_EQ(back->sha256, image.sha256);
  EXPECT_EQ(back->phash, image.phash);
  EXPECT_EQ(back->frames, 24u);
  EXPECT_EQ(back->duration, std::chrono::milliseconds(2'000));
  EXPECT_EQ(back->plays, 3u);
  EXPECT_EQ(back->pdq, image.pdq);
  EXPECT_EQ(back->brightness, image.brightness);
  ASSERT_EQ(back->colours.size(), 2u);
  EXPECT_EQ(back->colours[1].name, "green");
  EXPECT_EQ(back->original, image.original);
  EXPECT_EQ(back->thumbnail, image.thumbnail);
  EXPECT_EQ(back->copy_group, recorded.id);
  EXPECT_EQ(*catalog->embedding(recorded.id, "lite0@1"), vector);
  EXPECT_FALSE(catalog->embedding(recorded.id, "other")->has_value());
  EXPECT_EQ(*catalog->image_by_sha256(image.sha256), recorded.id);
}

TEST_P(CatalogContract, KnownBytesKeepTheirPictureUnderASecondAddress) {
  const ImageId first = add_image("http://a.test/1.jpg", "bytes");
  const auto second = write(
      [&](CatalogTransaction& t) { return t.record_image(fetch_of("http://a.test/2.jpg", UrlKind::kImage), image_of("bytes"), {}, 1); });
  EXPECT_EQ(second.id, first);
  EXPECT_FALSE(second.is_new);
  EXPECT_THAT((*catalog->image_details(first))->urls, ElementsAre("http://a.test/1.jpg", "http://a.test/2.jpg"));
}

TEST_P(CatalogContract, InBriefAPictureHasTheFirstOfItsShowings) {
  const auto expect_first = [&](ImageId id) {
    const ImageDetails details = **catalog->image_details(id), brief = catalog->images_in_brief(std::span(&id, 1))->at(0);
    EXPECT_EQ(brief.image.id, id);
    EXPECT_EQ(brief.urls, details.urls);
    ASSERT_EQ(brief.showings.size(), std::min<std::size_t>(details.showings.size(), 1));
    if (brief.showings.empty()) return;
    const Showing &is = brief.showings.front(), &wanted = details.showings.front();
    EXPECT_EQ(std::tie(is.page, is.page_url, is.alt, is.image_url, is.shop),
              std::tie(wanted.page, wanted.page_url, wanted.alt, wanted.image_url, wanted.shop));
    EXPECT_EQ(is.product ? is.product->id : 0, wanted.product ? wanted.product->id : 0);
  };
  const ImageId nowhere = add_image("http://a.test/nowhere.jpg", "nowhere");
  expect_first(nowhere);
  Page page = chair_page();
  const ImageId chair = add_image(page.images.front().url, "chair");
  Page plain = page;
  plain.url = "http://shop.test:8080/a-list";
  plain.products.clear();
  add_page(plain);
  expect_first(chair);
  add_page(page);
  expect_first(chair);
  EXPECT_TRUE(catalog->images_in_brief(std::vector{chair})->at(0).showings.front().product);
  plain.url = "http://shop.test:8080/another";
  plain.images.push_back(ref_to("http://a.test/second.jpg"));
  add_page(plain);
  EXPECT_EQ(add_image("http://a.test/second.jpg", "chair"), chair);
  expect_first(chair);
  const std::vector<ImageDetails> some = *catalog->images_in_brief(std::vector{chair, chair + 100, nowhere});
  ASSERT_EQ(some.size(), 2u);
  EXPECT_EQ(some[1].image.id, nowhere);
}

TEST_P(CatalogContract, AFailedPictureFallsBackToItsNextCandidate) {
  Page page = chair_page();
  page.images = {ref_to("http://a.test/large", {"http://a.test/medium", "http://a.test/small"})};
  page.products.clear();
  const RecordedPage recorded = add_page(page);
  EXPECT_THAT(recorded.images_wanted, ElementsAre("http://a.test/large"));
  EXPECT_THAT(fail_image("http://a.test/large"), ElementsAre("http://a.test/medium"));
  EXPECT_THAT(fail_image("http://a.test/medium", Cause::kDecode), ElementsAre("http://a.test/small"));
  const ImageId id = add_image("http://a.test/small", "small");
  EXPECT_TRUE((*catalog->index_document(id)).has_value());
  // Another page with the same candidates goes to the one that works at once.
  page.url = "http://shop.test:8080/other";
  EXPECT_THAT(add_page(page).images_wanted, IsEmpty());
  EXPECT_EQ(catalog->image_details(id)->value().showings.size(), 2u);
}

TEST_P(CatalogContract, AllCandidatesFailedLeavesNothingWanted) {
  Page page = chair_page();
  page.images = {ref_to("http://a.test/large", {"http://a.test/small"})};
  const RecordedPage recorded = add_page(page);
  fail_image("http://a.test/large");
  EXPECT_THAT(fail_image("http://a.test/small"), IsEmpty());
  EXPECT_THAT(add_page(page).images_wanted, IsEmpty());
  EXPECT_THAT(*catalog->images_shown_by(recorded.id), IsEmpty());
}

TEST_P(CatalogContract, ARedirectedPictureIsFoundAtItsTarget) {
  add_page(chair_page());
  Fetch redirect = fetch_of("http://shop.test:8080/img/red-chair.jpg", UrlKind::kImage);
  redirect.status = 301;
  redirect.redirect = "http://cdn.test/x.jpg";
  EXPECT_THAT(write([&](CatalogTransaction& t) { return t.record_fetch(redirect, 1); }), ElementsAre("http://cdn.test/x.jpg"));
  const ImageId id = add_image("http://cdn.test/x.jpg", "bytes");
  EXPECT_THAT((*catalog->index_document(id))->title, HasSubstr("Red chair"));
  Page later = chair_page();
  later.url = "http://shop.test:8080/again";
  EXPECT_THAT(add_page(later).images_wanted, IsEmpty());
}

TEST_P(CatalogContract, PagesThatForbidItDoNotMakeAPictureFindable) {
  Page page = chair_page();
  page.robots.noimageindex = true;
  add_page(page);
  const ImageId id = add_image(page.images[0].url, "bytes");
  EXPECT_FALSE((*catalog->index_document(id)).has_value());
  EXPECT_FALSE((*catalog->image_details(id))->indexable);
  Page other = chair_page();
  other.url = "http://shop.test:8080/permits";
  other.title = "Permits";
  add_page(other);
  const auto document = *catalog->index_document(id);
  ASSERT_TRUE(document);
  EXPECT_THAT(document->title, Not(HasSubstr("Chair | Shop")));
  EXPECT_TRUE((*catalog->image_details(id))->indexable);
}

TEST_P(CatalogContract, ASmallPictureUnderManyAddressesOfAHostStandsInForNone) {
  Page page = chair_page();
  for (int i = 0; i < 12; ++i) page.images.push_back(ref_to(fmt::format("http://shop.test:8080/no-image/{}.png", i)));
  add_page(page);
  const auto add = [&](int number, std::uint32_t side) {
    Image image = image_of(fmt::format("{} pixels", side));
    image.width = image.height = side;
    const Fetch fetch = fetch_of(page.images[static_cast<std::size_t>(number + 1)].url, UrlKind::kImage);
    return write([&](CatalogTransaction& t) { return t.record_image(fetch, image, {}, 1); }).id;
  };
  ImageId small = kNoId;
  for (int i = 0; i < 9; ++i) small = add(i, 100);
  EXPECT_TRUE((*catalog->index_document(small)).has_value());
  EXPECT_EQ(add(9, 100), small);
  EXPECT_FALSE((*catalog->index_document(small)).has_value());
  EXPECT_FALSE((*catalog->image_details(small))->indexable);
  EXPECT_THAT(dirty(), testing::Contains(small)) << "it has to leave the index";
  ImageId large = kNoId;
  for (int i = 0; i < 12; ++i) large = add(i, 600);
  EXPECT_TRUE((*catalog->index_document(large)).has_value());
}

TEST_P(CatalogContract, APictureNobodyShowsIsFoundOnlyWhenASeedNamedIt) {
  const ImageId id = add_image("http://a.test/cat.jpg", "bytes");
  EXPECT_FALSE((*catalog->index_document(id)).has_value());
  write([&](CatalogTransaction& t) { return t.name_image("http://a.test/cat.jpg"); });
  const auto document = *catalog->index_document(id);
  ASSERT_TRUE(document);
  EXPECT_EQ(document->shop, "a.test");
  EXPECT_EQ(document->keywords, "cat");
}

PictureLabel label_of(std::string url, std::string label) {
  return {.url = std::move(url),
          .source = "cats",
          .label = std::move(label),
          .api = "http://api.test/cats?amount=20",
          .artist = "Ada",
          .artist_url = "http://ada.test/",
          .page_url = "http://ada.test/1",
          .licence = "CC0",
          .job = 3,
          .at = Timestamp(std::chrono::milliseconds(1'795'000'000'120))};
}

TEST_P(CatalogContract, LabelsSayWhereTheyComeFromAndMakeAPictureFindable) {
  const std::string url = "http://a.test/1.jpg";
  EXPECT_TRUE(write([&](CatalogTransaction& t) { return t.add_label(label_of(url, "sitting")); }));
  EXPECT_TRUE(write([&](CatalogTransaction& t) { return t.add_label(label_of(url, "black")); }));
  EXPECT_THAT(*catalog->label_counts("cats"), ElementsAre(LabelCount{"black", 0, 1, 0}, LabelCount{"sitting", 0, 1, 0}));
  const ImageId id = add_image(url, "bytes");
  clear_all_dirty();
  PictureLabel better = label_of(url, "black");
  better.artist = "Grace";
  EXPECT_FALSE(write([&](CatalogTransaction& t) { return t.add_label(better); })) << "known, and said anew";
  EXPECT_THAT(dirty(), ElementsAre(id));
  reopen();
  const auto labels = (*catalog->image_details(id))->labels;
  ASSERT_EQ(labels.size(), 2u);
  EXPECT_EQ(labels[0].label, "black");
  EXPECT_EQ(labels[0].artist, "Grace");
  EXPECT_EQ(labels[1].label, "sitting");
  EXPECT_EQ(labels[1].url, url);
  EXPECT_EQ(labels[1].source, "cats");
  EXPECT_EQ(labels[1].api, "http://api.test/cats?amount=20");
  EXPECT_EQ(labels[1].artist_url, "http://ada.test/");
  EXPECT_EQ(labels[1].page_url, "http://ada.test/1");
  EXPECT_EQ(labels[1].licence, "CC0");
  EXPECT_EQ(labels[1].job, 3u);
  EXPECT_EQ(labels[1].at, better.at);
  EXPECT_EQ((*catalog->index_document(id))->keywords, "black\nGrace\nsitting\nAda");
  EXPECT_THAT(*catalog->label_counts("cats"), ElementsAre(LabelCount{"black", 1, 0, 0}, LabelCount{"sitting", 1, 0, 0}));
  EXPECT_THAT(*catalog->label_counts("dogs"), IsEmpty());
}

TEST_P(CatalogContract, APagesWordOfALicenceIsALabelUntilThePageSaysOtherwise) {
  Page page = chair_page();
  const std::string first = page.images.front().url;
  page.images.front().alternatives = {"http://shop.test:8080/img/small.jpg"};
  page.images.front().licence = {"https://creativecommons.org/licenses/by/4.0/deed.de", "Ada", "http://shop.test:8080/buy"};
  write([&](CatalogTransaction& t) { return t.record_page(fetch_of(page.url), page, 1); });
  fail_image(first);  // the next candidate stands for it, and has what was said
  const ImageId id = add_image("http://shop.test:8080/img/small.jpg", "bytes");
  const auto labels = (*catalog->image_details(id))->labels;
  ASSERT_EQ(labels.size(), 1u);
  EXPECT_EQ(labels[0].source, page.url);
  EXPECT_EQ(labels[0].api, page.url);
  EXPECT_EQ(labels[0].label, "");
  EXPECT_EQ(labels[0].artist, "Ada");
  EXPECT_EQ(labels[0].page_url, "http://shop.test:8080/buy");
  EXPECT_EQ(labels[0].licence, "https://creativecommons.org/licenses/by/4.0/deed.de");
  const auto document = *catalog->index_document(id);
  EXPECT_THAT(document->licences, ElementsAre("CC BY 4.0"));
  EXPECT_THAT(document->labels, IsEmpty());
  EXPECT_THAT(document->keywords, HasSubstr("Ada"));
  write([&](CatalogTransaction& t) { return t.add_label({.url = labels[0].url, .source = "zoo", .label = "seat"}); });
  EXPECT_EQ((*catalog->image_details(id))->labels[0].label, "seat") << "however many pages speak of the licence";

  clear_all_dirty();
  page.images.front().licence = {"All rights reserved", "", ""};
  EXPECT_TRUE(write([&](CatalogTransaction& t) { return t.record_page(fetch_of(page.url), page, 1); }).changed);
  EXPECT_THAT((*catalog->index_document(id))->licences, ElementsAre("All rights reserved"));
  EXPECT_THAT(dirty(), ElementsAre(id));
  page.images.front().licence = {};
  write([&](CatalogTransaction& t) { return t.record_page(fetch_of(page.url), page, 1); });
  EXPECT_EQ((*catalog->image_details(id))->labels.size(), 1u) << "what was collected stays";
}

TEST_P(CatalogContract, ARedirectHandsItsLabelsOn) {
  write([&](CatalogTransaction& t) { return t.add_label(label_of("http://a.test/old.jpg", "black")); });
  Fetch moved = fetch_of("http://a.test/old.jpg", UrlKind::kImage);
  moved.redirect = "http://a.test/new.jpg";
  EXPECT_THAT(write([&](CatalogTransaction& t) { return t.record_fetch(moved, 1); }), ElementsAre(moved.redirect));
  const ImageId id = add_image(moved.redirect, "bytes");
  EXPECT_EQ((*catalog->image_details(id))->labels.size(), 1u);
  EXPECT_TRUE((*catalog->image_details(id))->indexable);
  EXPECT_THAT(*catalog->label_counts("cats"), ElementsAre(LabelCount{"black", 1, 0, 0})) << "counted once";
}

TEST_P(CatalogContract, LabelsOfPicturesThatFailedAreCountedAndListedNewestFirst) {
  for (const char* url : {"http://a.test/1.jpg", "http://a.test/2.jpg", "http://a.test/3.jpg"})
    write([&](CatalogTransaction& t) { return t.add_label(label_of(url, "black")); });
  fail_image("http://a.test/2.jpg");
  EXPECT_THAT(*catalog->label_counts("cats"), ElementsAre(LabelCount{"black", 0, 2, 1}));
  EXPECT_THAT(*catalog->labelled_urls("cats", "black", 2), ElementsAre("http://a.test/3.jpg", "http://a.test/2.jpg"));
}

TEST_P(CatalogContract, AListingStandsWhereItWasLeft) {
  write([&](CatalogTransaction& t) { return t.set_listing(1, "cats", "page 3"); });
  write([&](CatalogTransaction& t) { return t.set_listing(1, "dogs", "page 1"); });
  write([&](CatalogTransaction& t) { return t.set_listing(2, "cats", "page 9"); });
  write([&](CatalogTransaction& t) { return t.set_listing(1, "dogs", ""); });
  reopen();
  EXPECT_EQ(*catalog->listings(1), (std::map<std::string, std::string>{{"cats", "page 3"}}));
}

TEST_P(CatalogContract, EveryChangeOfADocumentIsListedUntilItIsIndexed) {
  const Page page = chair_page();
  add_page(page);
  EXPECT_THAT(dirty(), IsEmpty());
  const ImageId id = add_image(page.images[0].url, "bytes");
  EXPECT_THAT(dirty(), ElementsAre(id));
  clear_all_dirty();
  EXPECT_THAT(dirty(), IsEmpty());
  EXPECT_FALSE(add_page(page).changed);  // the same again: nothing to do
  EXPECT_THAT(dirty(), IsEmpty());
  Page changed = page;
  changed.products[0].offer.price = "99";
  EXPECT_TRUE(add_page(changed).changed);
  EXPECT_THAT(dirty(), ElementsAre(id));
  clear_all_dirty();
  changed.images.clear();  // no longer shown: it must leave the index
  add_page(changed);
  EXPECT_THAT(dirty(), ElementsAre(id));
  EXPECT_FALSE((*catalog->index_document(id)).has_value());
}

TEST_P(CatalogContract, AProductIsNewOnce) {
  Page page = chair_page();
  const std::size_t count = page.products.size();
  EXPECT_EQ(add_page(page).products_new, count);
  EXPECT_EQ(add_page(page).products_new, 0u) << "unchanged";
  page.products[0].offer.price = "99";
  EXPECT_EQ(add_page(page).products_new, 0u) << "dearer, and the same";
  page.products.push_back({.name = "Stool"});
  EXPECT_EQ(add_page(page).products_new, 1u);
  page.products.erase(page.products.begin());
  EXPECT_EQ(add_page(page).products_new, 0u) << "one less, and one at another rank";
  page.products[0].name = "Bench";
  page.products[0].sku.clear();
  EXPECT_EQ(add_page(page).products_new, 1u) << "another in its place";
}

TEST_P(CatalogContract, AChangeDuringIndexingIsNotForgotten) {
  add_page(chair_page());
  const ImageId id = add_image(chair_page().images[0].url, "bytes");
  const auto taken = *catalog->take_dirty(10);
  Page changed = chair_page();
  changed.title = "New title";
  add_page(changed);  // while the indexer works on what it took
  write([&](CatalogTransaction& t) { return t.clear_dirty(taken); });
  EXPECT_THAT(dirty(), ElementsAre(id));
}

TEST_P(CatalogContract, AProductKeepsItsIdWhenItsPageIsReadAgain) {
  const PageId page = add_page(chair_page()).id;
  const ProductId before = (*catalog->page(page))->products[0].id;
  Page changed = chair_page();
  changed.products[0].name = "Redder chair";
  changed.products.push_back(changed.products[0]);
  add_page(changed);
  EXPECT_EQ((*catalog->page(page))->products[0].id, before);
  EXPECT_EQ((*catalog->product(before))->product.name, "Redder chair");
  changed.products.clear();
  add_page(changed);
  EXPECT_FALSE(catalog->product(before)->has_value());
}

TEST_P(CatalogContract, VisitsOfAHostAreKeptAndItsRestsKnown) {
  const Timestamp start(std::chrono::milliseconds(1'795'000'000'000));
  const auto put = [&](std::string host, JobId job, std::chrono::seconds run, std::chrono::seconds next, std::string report) {
    write([&](CatalogTransaction& t) { return t.put_host_visit({std::move(host), job, start + run, start + next, std::move(report)}); });
  };
  using namespace std::chrono_literals;
  put("a.test:8080", 2, 100s, 500s, R"({"requests":2})");
  put("a.test:8080", 1, 0s, 10s, R"({"requests":1})");
  put("a.test:8080", 1, 0s, 20s, R"({"requests":3})");  // the same run, later
  put("b.test", 1, 0s, 50s, "{}");
  reopen();
  const auto visits = *catalog->host_visits("a.test:8080");
  ASSERT_EQ(visits.size(), 2u);
  EXPECT_EQ(visits[0].report_json, R"({"requests":3})");
  EXPECT_EQ(visits[0].next_allowed_at, start + 20s);
  EXPECT_EQ(visits[1].job, 2u);
  EXPECT_EQ(visits[1].run_started_at, start + 100s);
  EXPECT_THAT(*catalog->host_visits("a.test"), IsEmpty());
  EXPECT_EQ(*catalog->resting_hosts(start + 50s), (std::map<std::string, Timestamp>{{"a.test:8080", start + 500s}}));
}

TEST_P(CatalogContract, ALogoOnThePagesOfManyProductsIsNotToBeFound) {
  const std::string site = "http://shop.test:8080";
  ImageId logo = kNoId, neighbour = kNoId, banner = kNoId, own = kNoId;
  const auto fetched = [&](const std::string& path) {
    ImageId id = kNoId;
    write([&](CatalogTransaction& t) -> Result<void> {
      MAGPIE_TRY(const RecordedImage recorded, t.record_image(fetch_of(site + path, UrlKind::kImage), image_of(path), {}, 1));
      id = recorded.id;
      return {};
    });
    return id;
  };
  const auto page = [&](const std::string& name, const std::vector<std::string>& pictures, bool of_product) {
    Page one = chair_page();
    one.url = site + "/" + name;
    one.images.clear();
    for (const std::string& path : pictures) one.images.push_back(ref_to(site + path));
    if (of_product) {
      one.images.push_back(ref_to(site + "/own/" + name));
      one.images.back().of_product = true;
      one.products[0].images = {site + "/own/" + name};
    } else {
      one.products.clear();
    }
    write([&](CatalogTransaction& t) -> Result<void> {
      MAGPIE_TRY_DO(t.record_page(fetch_of(one.url), one, 1));
      return {};
    });
  };
  for (int i = 0; i < 30; ++i) {
    std::vector<std::string> pictures = {"/logo.png"};
    if (i < 13) pictures.push_back("/beside.jpg");  // "others bought"
    page("p" + std::to_string(i), pictures, true);
    page("blog" + std::to_string(i), {"/banner.jpg"}, false);
    if (i == 10) logo = fetched("/logo.png"), neighbour = fetched("/beside.jpg"), banner = fetched("/banner.jpg"), own = fetched("/own/p3");
    if (i == 10) { EXPECT_TRUE(catalog->index_document(logo)->has_value()) << "eleven pages say little"; }
  }
  EXPECT_FALSE(catalog->index_document(logo)->has_value());
  EXPECT_FALSE((*catalog->image_details(logo))->indexable);
  EXPECT_TRUE(catalog->index_document(neighbour)->has_value()) << "on less than half of the pages";
  EXPECT_TRUE(catalog->index_document(banner)->has_value()) << "not on pages of products";
  EXPECT_TRUE(catalog->index_document(own)->has_value());
  write([&](CatalogTransaction& t) { return t.name_image(site + "/logo.png"); });
  EXPECT_TRUE(catalog->index_document(logo)->has_value()) << "somebody asked for it";
}

TEST_P(CatalogContract, SelectorsOfAHostAreReplacedAsAWhole) {
  const auto selector = [](std::string field, std::string path, std::uint32_t agreed) {
    return LearntSelector{{.field = std::move(field), .path = std::move(path), .words = "SKU: ", .value = "x"}, agreed, 1};
  };
  const auto put = [&](std::string_view host, const std::vector<LearntSelector>& selectors) {
    write([&](CatalogTransaction& t) { return t.set_selectors(host, selectors); });
  };
  put("a.test:8080", {selector("price", "b<div.p", 3), selector("price", "b", 9)});
  put("b.test", {selector("name", "h1", 1)});
  put("a.test:8080", {selector("sku", "em", 4)});
  reopen();
  EXPECT_EQ(*catalog->selectors("a.test:8080"), std::vector<LearntSelector>({selector("sku", "em", 4)}));
  EXPECT_EQ(catalog->selectors("b.test")->size(), 1u);
  EXPECT_THAT(*catalog->selectors("a.test"), IsEmpty());
}

// Visits of pages of one job, each told by its time, with what is due later.
class CatalogVisits : public CatalogContract {
 protected:
  static constexpr std::chrono::hours kDay{24};
  void visit(const std::string& url, Timestamp at, const std::string& title, std::uint16_t depth = 3) {
    Page page = chair_page();
    page.url = url;
    page.title = title;
    Fetch fetch = fetch_of(url);
    fetch.fetched_at = at;
    write([&](CatalogTransaction& t) -> Result<void> {
      MAGPIE_TRY(const RecordedPage recorded, t.record_page(fetch, page, 1));
      return t.schedule_visit(recorded.id, recorded.changed, depth, {});
    });
  }
  void fails(const std::string& url, Timestamp at, Cause cause) {
    Fetch fetch = failed(url, cause, UrlKind::kPage);
    fetch.fetched_at = at;
    write([&](CatalogTransaction& t) { return t.record_failure(fetch, 1); });
  }
  bool lists(const std::string& url, Timestamp lastmod, Timestamp now) {
    return write([&](CatalogTransaction& t) { return t.note_lastmod(url, lastmod, now, {}); });
  }
  std::vector<std::string> due(Timestamp now, bool all = false) {
    std::vector<std::string> urls;
    const std::vector<UrlRecord> found = *catalog->due(1, now, all, 100);
    for (const UrlRecord& one : found) urls.push_back(one.url);
    return urls;
  }
  const Timestamp start{std::chrono::milliseconds(1'795'000'000'000)};
};

TEST_P(CatalogVisits, APageIsDueSoonerWhenItChangesAndLaterWhenNot) {
  const std::string still = "http://a.test/still", lively = "http://a.test/lively";
  visit(still, start, "same");
  visit(lively, start, "one");
  EXPECT_THAT(due(start + kDay - std::chrono::minutes(1)), IsEmpty());
  EXPECT_THAT(due(start + kDay), testing::UnorderedElementsAre(still, lively));
  EXPECT_EQ(catalog->due(1, start + kDay, false, 1)->size(), 1u);
  EXPECT_EQ(catalog->due(1, start + kDay, false, 1)->at(0).depth, 3u);
  EXPECT_TRUE(catalog->due(2, start + kDay, false, 10)->empty()) << "another job's";
  visit(still, start + kDay, "same");
  visit(lively, start + kDay, "two");
  EXPECT_THAT(due(start + kDay + kDay / 2), ElementsAre(lively));
  EXPECT_THAT(due(start + kDay + kDay * 3 / 2), ElementsAre(lively, still));
  for (int i = 0; i < 20; ++i) visit(lively, start + kDay * 2, std::to_string(i));
  EXPECT_THAT(due(start + kDay * 2 + std::chrono::minutes(59)), Not(testing::Contains(lively))) << "never sooner than after an hour";
  EXPECT_THAT(due(start + kDay * 2 + std::chrono::minutes(60)), testing::Contains(lively));
  for (int i = 0; i < 20; ++i) visit(still, start + kDay * 3, "same");
  EXPECT_THAT(due(start + kDay * 11 / 2), testing::Contains(still)) << "twenty looks in one moment prove no more than one";
  Timestamp last = start;
  for (int i = 1; i < 20; ++i) visit(still, last = start + kDay * 60 * i, "same");
  EXPECT_THAT(due(last + kDay * 30 - std::chrono::minutes(1)), Not(testing::Contains(still)));
  EXPECT_THAT(due(last + kDay * 30), testing::Contains(still)) << "never later than after thirty days";
  EXPECT_THAT(due(start, /*all=*/true), testing::UnorderedElementsAre(still, lively));
}

TEST_P(CatalogVisits, AFailureKeepsItsPaceAndAPageThatIsGoneHasNone) {
  const std::string page = "http://a.test/page";
  visit(page, start, "same");
  fails(page, start + kDay, Cause::kThrottled);
  EXPECT_THAT(due(start + kDay * 2 - std::chrono::minutes(1)), IsEmpty());
  EXPECT_THAT(due(start + kDay * 2), ElementsAre(page));
  fails(page, start + kDay * 2, Cause::kNotFound);
  EXPECT_THAT(due(start + kDay * 99), IsEmpty());
}

TEST_P(CatalogVisits, ASitemapIsBelievedOnceItProvedRight) {
  const auto page = [](int i) { return fmt::format("http://a.test/{}", i); };
  EXPECT_FALSE(lists(page(0), start, start)) << "never fetched";
  for (int i = 0; i < 12; ++i) visit(page(i), start, "one");
  EXPECT_FALSE(lists(page(0), start - kDay, start));
  EXPECT_FALSE(lists(page(1), start + kDay / 4, start + kDay / 2)) << "nothing is proved yet";
  EXPECT_THAT(due(start + kDay / 2), IsEmpty());
  EXPECT_EQ(due(start + kDay).size(), 12u);
  for (int i = 1; i < 12; ++i) {
    lists(page(i), start + kDay / 2, start + kDay);
    visit(page(i), start + kDay, "two");
  }
  EXPECT_FALSE(lists(page(0), start - kDay, start + kDay));
  for (int i = 1; i < 12; ++i) EXPECT_FALSE(lists(page(i), start + kDay / 2, start + kDay));
  EXPECT_THAT(due(start + kDay * 20), IsEmpty()) << "eleven times right: what it calls unchanged is left alone";
  EXPECT_EQ(due(start + kDay * 31).size(), 12u) << "but not for ever";
  const auto hour = std::chrono::hours(1);
  EXPECT_FALSE(lists(page(3), start + kDay * 9, start + kDay * 2)) << "a time to come says nothing";
  EXPECT_FALSE(lists(page(3), start + kDay + hour / 4, start + kDay + hour / 2)) << "visited half an hour ago";
  EXPECT_TRUE(lists(page(3), start + kDay + hour, start + kDay * 2));
  EXPECT_THAT(due(start + kDay * 2), ElementsAre(page(3)));
  visit(page(3), start + kDay * 3, "two");  // not changed after all: wrong once in twelve
  EXPECT_FALSE(lists(page(4), start + kDay * 3, start + kDay * 3)) << "no longer believed";
}

TEST_P(CatalogContract, AHostIsSummedUp) {
  Page page = chair_page();
  page.robots.noindex = true;
  add_page(page);
  page.url = "http://shop.test:80801/other";  // another port, as a longer number
  add_page(page);
  add_image("http://shop.test:8080/img/red-chair.jpg", "chair");
  write([&](CatalogTransaction& t) { return t.record_failure(failed("https://shop.test:8080/gone", Cause::kNotFound), 1); });
  write([&](CatalogTransaction& t) { return t.record_failure(failed("http://shop.test/gone", Cause::kDns), 1); });
  const HostSummary summary = *catalog->host_summary("shop.test:8080");
  EXPECT_EQ(summary.pages, 1u);
  EXPECT_EQ(summary.images, 1u);
  EXPECT_EQ(summary.noindex, 1u);
  EXPECT_EQ(summary.noai, 0u);
  EXPECT_EQ(summary.failures_by_cause, (std::map<Cause, std::uint64_t>{{Cause::kNotFound, 1}}));
}

TEST_P(CatalogContract, ChangesOfAKnownProductAreKept) {
  Page page = chair_page();
  add_page(page);
  EXPECT_THAT(*catalog->changes(0, 10), IsEmpty());
  page.products[0].offer.price = "99.95";
  page.products[0].offer.availability = "OutOfStock";
  page.products[0].variants[0].offer.availability = "InStock";
  page.products[0].images.push_back("http://shop.test:8080/img/side.jpg");
  const auto visit = [&](std::chrono::hours later) {
    Fetch fetch = fetch_of(page.url);
    fetch.fetched_at += later;
    write([&](CatalogTransaction& t) -> Result<void> {
      MAGPIE_TRY_DO(t.record_page(fetch, page, 1));
      return {};
    });
  };
  visit(std::chrono::hours(1));
  visit(std::chrono::hours(2));  // says the same again
  page.products[0].offer.price = "1.00";
  visit(std::chrono::hours(2));  // read in another way, and no change of the shop's
  page.products[0].offer.price = "99.95";
  visit(std::chrono::hours(2));
  const auto changes = *catalog->changes(0, 10);
  ASSERT_EQ(changes.size(), 4u);
  EXPECT_EQ(changes[0].field + ": " + changes[0].before + " -> " + changes[0].after, "price: 129.95 EUR -> 99.95 EUR");
  EXPECT_EQ(changes[1].field + ": " + changes[1].before + " -> " + changes[1].after, "availability: InStock -> OutOfStock");
  EXPECT_EQ(changes[2].field + ": " + changes[2].before + " -> " + changes[2].after, "variants: C-2 -> oak \"solid\" / tall, C-2");
  EXPECT_EQ(changes[3].field + ": " + changes[3].after, "images: +1");
  EXPECT_EQ(changes[0].name, "Red chair");
  EXPECT_EQ(changes[0].page_url, page.url);
  EXPECT_GT(changes[0].product, 0u);
  // Another product before it changes its rank, not what it costs.
  Product other = page.products[0];
  other.name = "Blue chair";
  other.offer.price = "1";
  page.products.insert(page.products.begin(), other);
  add_page(page);
  EXPECT_THAT(*catalog->changes(changes[3].id, 10), IsEmpty());
  write([&](CatalogTransaction& t) { return t.record_failure(failed(page.url, Cause::kNotFound, UrlKind::kPage), 1); });
  const auto gone = *catalog->changes(changes[3].id, 10);
  ASSERT_EQ(gone.size(), 2u);
  EXPECT_EQ(gone[0].field + ": " + gone[0].before, "gone: 1 EUR");
  EXPECT_EQ(gone[0].product, 0u);
  EXPECT_EQ(catalog->changes(0, 1)->size(), 1u);
}

TEST_P(CatalogContract, ProductsOfOneNameAreNotTakenForEachOther) {
  Page page = chair_page();
  page.products.push_back(page.products[0]);
  page.products[1].offer.price = "12";
  add_page(page);
  page.title = "Two chairs";
  add_page(page);
  EXPECT_THAT(*catalog->changes(0, 10), IsEmpty());
}

TEST_P(CatalogContract, AGonePageIsForgottenAndAnUnreachableOneKept) {
  const RecordedPage page = add_page(chair_page());
  const ImageId id = add_image(chair_page().images[0].url, "bytes");
  write([&](CatalogTransaction& t) { return t.record_failure(failed(chair_page().url, Cause::kTimeout, UrlKind::kPage), 1); });
  EXPECT_TRUE((*catalog->index_document(id)).has_value());
  write([&](CatalogTransaction& t) { return t.record_failure(failed(chair_page().url, Cause::kNotFound, UrlKind::kPage), 1); });
  EXPECT_FALSE((*catalog->index_document(id)).has_value());
  EXPECT_FALSE(catalog->page(page.id)->has_value());
}

TEST_P(CatalogContract, APictureKeepsItsBytesThroughANetworkFailure) {
  add_page(chair_page());
  const std::string url = chair_page().images[0].url;
  const ImageId id = add_image(url, "bytes");
  fail_image(url, Cause::kTimeout);
  EXPECT_TRUE((*catalog->index_document(id)).has_value());
  fail_image(url, Cause::kNotFound);
  EXPECT_FALSE((*catalog->index_document(id)).has_value());
  add_image(url, "bytes");
  EXPECT_TRUE((*catalog->index_document(id)).has_value());
  fail_image(url, Cause::kOptedOut);
  EXPECT_FALSE((*catalog->index_document(id)).has_value());
}

TEST_P(CatalogContract, NewBytesAtAnAddressTakeThePlaceOfTheOld) {
  add_page(chair_page());
  const std::string url = chair_page().images[0].url;
  const ImageId before = add_image(url, "before");
  clear_all_dirty();
  const ImageId after = add_image(url, "after");
  EXPECT_NE(before, after);
  EXPECT_THAT(dirty(), testing::UnorderedElementsAre(before, after));
  EXPECT_FALSE((*catalog->index_document(before)).has_value());
  EXPECT_TRUE((*catalog->index_document(after)).has_value());
}

/// Two products of a shop with a picture each, a list that links and shows both, a logo on all three, and the first picture in another
/// shop.
struct Shelf {
  static Page product(const std::string& name) {
    Page page = chair_page();
    page.url = fmt::format("http://shop.test:8080/{}", name);
    page.images.clear();
    page.images.push_back(
        ref_to(fmt::format("http://shop.test:8080/img/{}.jpg", name), {fmt::format("http://shop.test:8080/img/{}-s.jpg", name)}));
    page.images.push_back(ref_to("http://shop.test:8080/logo.png"));
    page.images[0].of_product = true;
    page.products[0].name = name;
    page.products[0].variants.clear();
    page.products[0].images = {page.images[0].url};
    return page;
  }
  static Page list() {
    Page page;
    page.url = "http://shop.test:8080/all";
    page.title = "All, such as http://shop.test:8080/red";
    for (const char* name : {"red", "blue"}) {
      page.images.push_back(ref_to(fmt::format("http://shop.test:8080/img/{}.jpg", name)));
      Product entry;
      entry.name = name;
      entry.url = fmt::format("http://shop.test:8080/{}", name);
      page.products.push_back(entry);
    }
    page.images.push_back(ref_to("http://shop.test:8080/logo.png"));
    return page;
  }
};

TEST_P(CatalogContract, AForgottenPageTakesItsProductAndItsPictureAndNothingElse) {
  add_page(Shelf::product("red"));
  add_page(Shelf::product("blue"));
  add_page(Shelf::list());
  const ImageId red = add_image("http://shop.test:8080/img/red.jpg", "red"), blue = add_image("http://shop.test:8080/img/blue.jpg", "blue");
  const ImageId logo = add_image("http://shop.test:8080/logo.png", "logo");
  EXPECT_EQ(catalog->plan_forgetting({.kind = ForgetKind::kPage, .name = "http://shop.test:8080/none"}).error().code, Code::kNotFound);
  EXPECT_EQ(catalog->plan_forgetting({.kind = ForgetKind::kPage, .name = "no address"}).error().code, Code::kBadInput);
  const ForgetPlan plan = *catalog->plan_forgetting({.kind = ForgetKind::kPage, .name = "http://shop.test:8080/red"});
  EXPECT_THAT(plan.images, ElementsAre(red));
  EXPECT_THAT(plan.urls, ElementsAre("http://shop.test:8080/img/red.jpg", "http://shop.test:8080/red"));
  clear_all_dirty();
  for (int twice = 0; twice < 2; ++twice) {
    const ForgetCounts counts = write([&](CatalogTransaction& t) { return t.forget(plan); });
    EXPECT_EQ(counts.pages, twice == 0 ? 1u : 0u);
    EXPECT_EQ(counts.products, twice == 0 ? 2u : 0u) << "its own, and the list's entry for it";
    EXPECT_FALSE((*catalog->image(red)).has_value());
    EXPECT_TRUE((*catalog->image(blue)).has_value());
    EXPECT_TRUE((*catalog->image(logo)).has_value());
    EXPECT_FALSE((*catalog->page_by_url("http://shop.test:8080/red")).has_value());
    EXPECT_FALSE((*catalog->why("http://shop.test:8080/img/red.jpg")).has_value());
  }
  const auto dirtied = dirty();
  EXPECT_TRUE(std::find(dirtied.begin(), dirtied.end(), red) != dirtied.end()) << "or the index would keep it";
  const PageDetails list = *(*catalog->page(*(*catalog->page_by_url("http://shop.test:8080/all"))));
  EXPECT_EQ(list.refs.size(), 2u);
  EXPECT_EQ(list.products.size(), 1u);
  EXPECT_EQ(list.page.title.find("red"), std::string::npos);

  const auto refusals = catalog->refusals();
  EXPECT_TRUE(refusals->refuses("http://shop.test:8080/red"));
  EXPECT_TRUE(refusals->refuses(sha256("red")));
  EXPECT_FALSE(refusals->refuses("http://shop.test:8080/blue"));
  EXPECT_EQ(write([&](CatalogTransaction& t) { return t.allow(plan); }), 3u);
  EXPECT_TRUE(catalog->refusals()->empty());
}

TEST_P(CatalogContract, AForgottenHostLeavesWhatOthersHaveOfIt) {
  add_page(Shelf::product("red"));
  const ImageId red = add_image("http://shop.test:8080/img/red.jpg", "red");
  Page other = Shelf::product("red");
  other.url = "http://other.test/red";
  other.images.clear();
  other.images.push_back(ref_to("http://other.test/same.jpg"));
  other.images.push_back(ref_to("http://shop.test:8080/img/red.jpg"));
  other.products[0].images = {"http://other.test/same.jpg"};
  add_page(other);
  EXPECT_EQ(add_image("http://other.test/same.jpg", "red"), red) << "the same bytes";
  write([&](CatalogTransaction& t) { return t.put_host_visit({.host = "shop.test:8080", .job = 1}); });
  const ForgetPlan plan = *catalog->plan_forgetting({.kind = ForgetKind::kHost, .name = "shop.test:8080"});
  EXPECT_EQ(plan.host, "shop.test:8080");
  EXPECT_THAT(plan.images, IsEmpty());
  const ForgetCounts counts = write([&](CatalogTransaction& t) { return t.forget(plan); });
  EXPECT_EQ(counts.pages, 1u);
  EXPECT_EQ(counts.visits, 1u);
  const ImageDetails kept = *(*catalog->image_details(red));
  EXPECT_THAT(kept.urls, ElementsAre("http://other.test/same.jpg"));
  EXPECT_EQ((*catalog->page(*(*catalog->page_by_url("http://other.test/red"))))->refs.size(), 1u);
  EXPECT_TRUE(catalog->refusals()->refuses("http://shop.test:8080/anything"));
  EXPECT_FALSE(catalog->refusals()->refuses("http://other.test/red"));
}

TEST_P(CatalogContract, AGroupThatLosesItsFirstPictureStaysAGroup) {
  std::vector<ImageId> ids;
  for (const char* bytes : {"a", "b", "c"}) ids.push_back(add_image(fmt::format("http://a.test/{}", bytes), bytes));
  write([&](CatalogTransaction& t) -> Result<void> {
    for (const ImageId id : ids) MAGPIE_TRY_DO(t.set_copy_group(id, ids[0]));
    return {};
  });
  const ForgetPlan plan = *catalog->plan_forgetting({.kind = ForgetKind::kPicture, .name = std::to_string(ids[0])});
  write([&](CatalogTransaction& t) { return t.forget(plan); });
  EXPECT_THAT(*catalog->copies(ids[1]), ElementsAre(ids[1], ids[2]));
  const ForgetPlan both = *catalog->plan_forgetting({.kind = ForgetKind::kPicture, .name = "http://a.test/b", .copies = true});
  EXPECT_THAT(both.images, ElementsAre(ids[1], ids[2]));
}

TEST_P(CatalogContract, AForgottenArtistsPicturesGoWithTheirLabels) {
  const ImageId image = add_image("http://a.test/1.png", "work");
  write(
      [&](CatalogTransaction& t) { return t.add_label({.url = "http://a.test/1.png", .source = "api", .label = "cat", .artist = "Ann"}); });
  const ImageId other = add_image("http://a.test/2.png", "other");
  write(
      [&](CatalogTransaction& t) { return t.add_label({.url = "http://a.test/2.png", .source = "api", .label = "cat", .artist = "Ben"}); });
  EXPECT_THAT((*catalog->plan_forgetting({.kind = ForgetKind::kLabel, .name = "api/cat"})).images, ElementsAre(image, other));
  const ForgetPlan plan = *catalog->plan_forgetting({.kind = ForgetKind::kArtist, .name = "Ann"});
  const ForgetCounts counts = write([&](CatalogTransaction& t) { return t.forget(plan); });
  EXPECT_EQ(counts.labels, 1u);
  EXPECT_FALSE((*catalog->image(image)).has_value());
  EXPECT_TRUE((*catalog->image(other)).has_value());
  EXPECT_TRUE(catalog->refusals()->has(RefusedKind::kArtist, "Ann"));
}

TEST_P(CatalogContract, PlacesFollowAFileThatIsWrittenAnew) {
  add_page(chair_page());
  const ImageId image = add_image(chair_page().images[0].url, "chair");
  EXPECT_TRUE(*catalog->refers_to(Store::kArchive, 1));
  const std::vector<MovedPlace> records = {{{1, 100, 50}, {7, 8, 51}}, {{1, 2, 3}, {7, 90, 3}}};
  write([&](CatalogTransaction& t) { return t.move_places(Store::kArchive, records); });
  write([&](CatalogTransaction& t) { return t.move_places(Store::kVariants, {{{1, 5, 6}, {4, 16, 6}}}); });
  EXPECT_EQ((*catalog->why(chair_page().url))->fetch.place, (ArchivePlace{7, 8, 51}));
  EXPECT_EQ((*catalog->image(image))->original, (ArchivePlace{7, 90, 3}));
  EXPECT_EQ((*catalog->image(image))->thumbnail, (VariantPlace{4, 16, 6}));
  EXPECT_FALSE(*catalog->refers_to(Store::kArchive, 1));
  EXPECT_TRUE(*catalog->refers_to(Store::kVariants, 4));
  EXPECT_TRUE(catalog->compact());
  EXPECT_EQ((*catalog->why(chair_page().url))->fetch.place, (ArchivePlace{7, 8, 51}));
}

TEST_P(CatalogContract, CopyGroupsAreListedForIndexing) {
  const ImageId a = add_image("http://a.test/1", "one"), b = add_image("http://a.test/2", "two");
  clear_all_dirty();
  write([&](CatalogTransaction& t) { return t.set_copy_group(b, a); });
  EXPECT_THAT(dirty(), ElementsAre(b));
  EXPECT_THAT(*catalog->copies(a), ElementsAre(a, b));
  auto transaction = *catalog->begin();
  EXPECT_EQ(transaction->set_copy_group(999, a).error().code, Code::kNotFound);
}

TEST_P(CatalogContract, WhyTellsTheLastFetchAndWhoShowsIt) {
  add_page(chair_page());
  const std::string url = chair_page().images[0].url;
  EXPECT_FALSE((*catalog->why(url))->fetched);
  fail_image(url, Cause::kTooLarge);
  const auto why = *catalog->why(url);
  EXPECT_TRUE(why->fetched);
  EXPECT_EQ(why->fetch.cause, Cause::kTooLarge);
  EXPECT_EQ(why->fetch.detail, "words");
  EXPECT_THAT(why->shown_by, ElementsAre(chair_page().url));
  EXPECT_EQ((*catalog->why(chair_page().url))->page, *catalog->page_by_url(chair_page().url));
  EXPECT_FALSE(catalog->why("http://nobody.test/")->has_value());
}

TEST_P(CatalogContract, StatsAndFailuresCount) {
  add_page(chair_page());
  add_image("http://a.test/1", "one");
  fail_image("http://a.test/2", Cause::kDns);
  fail_image("http://a.test/3", Cause::kDns);
  const CatalogStats stats = *catalog->stats();
  EXPECT_EQ(stats.pages, 1u);
  EXPECT_EQ(stats.products, 1u);
  EXPECT_EQ(stats.images, 1u);
  EXPECT_EQ(stats.failures, 2u);
  EXPECT_EQ(stats.failures_by_cause.at(Cause::kDns), 2u);
  EXPECT_EQ(stats.pages_by_shop.at("shop.test:8080"), 1u);
  EXPECT_EQ(catalog->failures(Cause::kDns, 10)->size(), 2u);
  EXPECT_EQ(catalog->failures(std::nullopt, 1)->size(), 1u);
  EXPECT_TRUE(catalog->failures(Cause::kTls, 10)->empty());
}

TEST_P(CatalogContract, PicturesThatWereOnlyArchivedWait) {
  const auto archive_image = [&](const std::string& url) {
    Fetch fetch = fetch_of(url);
    fetch.kind = UrlKind::kImage;
    write([&](CatalogTransaction& t) { return t.record_fetch(fetch, 7); });
  };
  archive_image("http://a.test/1");
  archive_image("http://a.test/2");
  add_image("http://a.test/3", "analysed");
  fail_image("http://a.test/4", Cause::kDecode);
  Fetch moved = fetch_of("http://a.test/5");
  moved.kind = UrlKind::kImage;
  moved.redirect = "http://a.test/1";
  write([&](CatalogTransaction& t) { return t.record_fetch(moved, 7); });

  const std::vector<WaitingImage> one = *catalog->waiting_images(0, 1);
  ASSERT_EQ(one.size(), 1u);
  EXPECT_EQ(one[0].fetch.url, "http://a.test/1");
  EXPECT_EQ(one[0].job, 7u);
  EXPECT_NE(one[0].fetch.place.file, 0u);
  const std::vector<WaitingImage> rest = *catalog->waiting_images(one[0].id, 10);
  ASSERT_EQ(rest.size(), 1u);
  EXPECT_EQ(rest[0].fetch.url, "http://a.test/2");
  add_image("http://a.test/2", "looked at since");
  EXPECT_TRUE(catalog->waiting_images(one[0].id, 10)->empty());
}

TEST_P(CatalogContract, PicturesWithoutEmbeddingAreKnown) {
  const ImageId first = add_image("http://a.test/1", "one"), second = add_image("http://a.test/2", "two");
  const std::vector<float> vector = {1, 0};
  const ImageId third = add_image("http://a.test/3", "three");
  write([&](CatalogTransaction& t) { return t.set_embedding(second, {"here", vector}); });
  const auto ids_of = [](const std::vector<Image>& images) {
    std::vector<ImageId> ids;
    for (const Image& image : images) ids.push_back(image.id);
    return ids;
  };
  EXPECT_EQ(ids_of(*catalog->images_without("here", 0, 10)), (std::vector<ImageId>{first, third}));
  EXPECT_EQ(ids_of(*catalog->images_without("here", first, 10)), (std::vector<ImageId>{third}));
  EXPECT_EQ(catalog->images_without("elsewhere", 0, 2)->size(), 2u);
}

TEST_P(CatalogContract, RegionsAreKeptWithTheirVectors) {
  const ImageId id = add_image("http://a.test/look.jpg", "look");
  const ImageId other = add_image("http://a.test/other.jpg", "other");
  const std::vector<float> whole = {1, 0}, moved = {0, 1};
  const Region shoe{0.25F, 0.5F, 0.75F, 1, 0.875F, "shoe", {{0xFF0000, 0.75F, "red"}, {0, 0.25F, "black"}}};
  const Region coat{0, 0, 1, 0.5F, 0.5F, "coat", {}};
  const std::vector<EmbeddedRegion> found = {{shoe, {0.6F, 0.8F}}, {coat, {0.8F, 0.6F}}};
  write([&](CatalogTransaction& t) { return t.set_embedding(id, {"one", whole}); });
  write([&](CatalogTransaction& t) { return t.set_embedding(other, {"one", whole}); });
  EXPECT_EQ(catalog->images_undetected("eyes@1", "one", 0, 10)->size(), 2u);
  EXPECT_TRUE(catalog->images_undetected("eyes@1", "two", 0, 10)->empty()) << "only embedded ones are looked at";
  write([&](CatalogTransaction& t) { return t.set_regions(id, {"eyes@1", "one", found}); });
  write([&](CatalogTransaction& t) { return t.set_regions(other, {"eyes@1", "one", {}}); });
  EXPECT_TRUE(catalog->images_undetected("eyes@1", "one", 0, 10)->empty()) << "nothing found is an answer";
  EXPECT_EQ(catalog->images_undetected("eyes@2", "one", 0, 10)->size(), 2u);

  const auto regions = *catalog->regions(id, "one");
  ASSERT_EQ(regions.size(), 2u);
  EXPECT_EQ(regions[0].region.label, "shoe");
  EXPECT_EQ(regions[0].region.score, 0.875F);
  EXPECT_EQ(regions[0].region.top, 0.5F);
  ASSERT_EQ(regions[0].region.colours.size(), 2u);
  EXPECT_EQ(regions[0].region.colours[0].name, "red");
  EXPECT_EQ(regions[0].embedding, found[0].embedding);
  EXPECT_EQ(regions[1].region.right, 1);
  EXPECT_EQ((*catalog->image_details(id))->regions.size(), 2u);
  write([&](CatalogTransaction& t) { return t.name_image("http://a.test/look.jpg"); });
  EXPECT_EQ((*catalog->index_document(id))->classes, (std::vector<std::string>{"shoe", "coat"}));

  // Another model's vectors of the same regions stand beside the first; another detector's regions are others.
  const std::vector<EmbeddedRegion> again = {{shoe, moved}, {coat, moved}};
  write([&](CatalogTransaction& t) { return t.set_embedding(id, {"two", whole}); });
  ASSERT_EQ(catalog->images_without("two", 0, 10)->size(), 2u);
  EXPECT_EQ(catalog->images_without("two", 0, 10)->front().id, id) << "its regions have no vectors there";
  EXPECT_TRUE(catalog->images_without("one", 0, 10)->empty());
  write([&](CatalogTransaction& t) { return t.set_regions(id, {"", "two", again}); });
  EXPECT_EQ(catalog->images_without("two", 0, 10)->size(), 1u);
  EXPECT_TRUE(catalog->images_undetected("eyes@1", "two", 0, 10)->empty()) << "they are that detector's still";
  EXPECT_EQ((*catalog->regions(id, "one"))[1].embedding, found[1].embedding);
  EXPECT_EQ((*catalog->regions(id, "two"))[1].embedding, moved);
  const std::vector<EmbeddedRegion> one = {{coat, moved}};
  write([&](CatalogTransaction& t) { return t.set_regions(id, {"eyes@2", "two", one}); });
  ASSERT_EQ(catalog->regions(id, "one")->size(), 1u);
  EXPECT_TRUE((*catalog->regions(id, "one"))[0].embedding.empty());
  const std::vector<EmbeddedRegion> many(kRegionsMax + 1, {coat, moved});
  const auto transaction = *catalog->begin();
  EXPECT_EQ(transaction->set_regions(id, {"eyes@2", "two", many}).error().code, Code::kTooLarge);
  EXPECT_EQ(transaction->set_regions(9'999, {"eyes@2", "two", one}).error().code, Code::kNotFound);
}

TEST_P(CatalogContract, ProductsThatMayBeTheSameArticleAreFound) {
  const auto sell = [&](const std::string& shop, const std::string& gtin, const std::string& sku, const std::string& picture) {
    Page page = chair_page();
    page.url = fmt::format("http://{}/chair", shop);
    page.products.at(0).gtin = gtin;
    page.products.at(0).sku = sku;
    page.products.at(0).images = {picture};
    page.images = {ref_to(picture)};
    page.images[0].of_product = true;
    const PageId id = write([&](CatalogTransaction& t) { return t.record_page(fetch_of(page.url), page, 1); }).id;
    return catalog->page(id)->value().products.at(0).id;
  };
  const auto mine = sell("a.test", "4006381333931", "WH-1000", "http://a.test/1.jpg");
  const auto by_gtin = sell("b.test", "0 4006381-333931", "other", "http://b.test/1.jpg");
  const auto by_number = sell("c.test", "", "wh1000", "http://c.test/1.jpg");
  const auto by_picture = sell("d.test", "", "", "http://d.test/1.jpg");
  sell("e.test", "4005556050178", "WH-1001", "http://e.test/1.jpg");
  const ImageId picture = add_image("http://a.test/1.jpg", "one"), copy = add_image("http://d.test/1.jpg", "two");
  write([&](CatalogTransaction& t) { return t.set_copy_group(copy, picture); });

  const auto like = *catalog->products_like(catalog->product(mine)->value(), 10);
  ASSERT_EQ(like.size(), 3u);
  EXPECT_EQ(like[0].product.id, by_gtin);
  EXPECT_EQ(like[1].product.id, by_number);
  EXPECT_EQ(like[2].product.id, by_picture);
  EXPECT_FALSE(like[0].shares_a_picture);
  EXPECT_TRUE(like[2].shares_a_picture);
  // A number that many have does not crowd out the GTIN.
  for (int i = 0; i < 3; ++i) sell(fmt::format("z{}.test", i), "", "WH 1000", fmt::format("http://z.test/{}.jpg", i));
  const auto few = *catalog->products_like(catalog->product(mine)->value(), 1);
  EXPECT_EQ(few.size(), 3u);
  EXPECT_EQ(few[0].product.id, by_gtin);
}

TEST_P(CatalogContract, TheLatestChangesOfAPriceAreToldOldestFirst) {
  Page page = chair_page();
  Offer& offer = page.products.at(0).offer;
  Fetch fetch = fetch_of(page.url);
  const auto visit = [&] {
    fetch.fetched_at += std::chrono::hours(1);
    write([&](CatalogTransaction& t) { return t.record_page(fetch, page, 1); });
  };
  for (const char* price : {"1.00", "2.00", "3.00", "4.00"}) {
    offer.price = price;
    visit();
    offer.availability = offer.availability == "InStock" ? "OutOfStock" : "InStock";
    visit();
  }
  const ProductId id = catalog->page(catalog->page_by_url(page.url)->value())->value().products.at(0).id;
  const auto latest = *catalog->price_changes(id, 2);
  ASSERT_EQ(latest.size(), 2u);
  EXPECT_EQ(latest[0].before, "2.00 EUR");
  EXPECT_EQ(latest[1].before, "3.00 EUR");
  EXPECT_EQ(catalog->price_changes(id, 10)->size(), 3u);
  EXPECT_TRUE(catalog->price_changes(id + 1, 10)->empty());
}

TEST_P(CatalogContract, PicturesAreComparedOnceTheyAreFindable) {
  write([&](CatalogTransaction& t) { return t.record_page(fetch_of("http://a.test/"), chair_page(), 1); });
  const ImageId id = write([&](CatalogTransaction& t) {
                       return t.record_image(fetch_of("http://a.test/p.jpg", UrlKind::kImage), image_of("p"), {}, 1);
                     }).id;
  const std::vector<float> vector = {1, 0};
  EXPECT_EQ(catalog->last_images()->known, id);
  EXPECT_EQ(catalog->last_images()->compared, kNoId);
  write([&](CatalogTransaction& t) { return t.set_embedding(id, {"one", vector}); });
  EXPECT_TRUE(catalog->images_uncompared("one", 0, 10)->empty()) << "nothing can be found beside it yet";
  write([&](CatalogTransaction& t) { return t.clear_dirty(*catalog->take_dirty(10)); });
  ASSERT_EQ(catalog->images_uncompared("one", 0, 10)->size(), 1u);
  EXPECT_EQ(catalog->images_uncompared("one", 0, 10)->at(0).id, id);
  EXPECT_TRUE(catalog->images_uncompared("one", id, 10)->empty());
  EXPECT_TRUE(catalog->images_uncompared("two", 0, 10)->empty());
  EXPECT_FALSE(catalog->copy_sketch(id)->has_value());

  write([&](CatalogTransaction& t) { return t.set_copy_sketch(id, "lines"); });
  EXPECT_EQ(*catalog->copy_sketch(id), "lines");
  EXPECT_TRUE(catalog->images_uncompared("one", 0, 10)->empty());
  EXPECT_EQ(catalog->last_images()->compared, id);
  write([&](CatalogTransaction& t) { return t.set_copy_sketch(id, ""); });
  EXPECT_EQ(*catalog->copy_sketch(id), "");
  EXPECT_EQ((*catalog->begin())->set_copy_sketch(9'999, "x").error().code, Code::kNotFound);
}

TEST_P(CatalogContract, InheritedWordsAreFoundAndGoWithTheirSource) {
  write([&](CatalogTransaction& t) { return t.record_page(fetch_of(chair_page().url), chair_page(), 1); });
  const ImageId source = write([&](CatalogTransaction& t) {
                           return t.record_image(fetch_of(chair_page().images[0].url, UrlKind::kImage), image_of("p"), {}, 1);
                         }).id;
  write([&](CatalogTransaction& t) { return t.name_image("http://a.test/q.jpg"); });
  const ImageId heir = write([&](CatalogTransaction& t) {
                         return t.record_image(fetch_of("http://a.test/q.jpg", UrlKind::kImage), image_of("q"), {}, 1);
                       }).id;
  const std::vector<float> vector = {1, 0};
  for (const ImageId id : {source, heir}) write([&](CatalogTransaction& t) { return t.set_embedding(id, {"one", vector}); });
  const auto index = [&] { write([&](CatalogTransaction& t) { return t.clear_dirty(*catalog->take_dirty(10)); }); };
  EXPECT_TRUE(catalog->images_to_surround("one", 0, 10)->empty()) << "they wait for the index";
  index();
  EXPECT_EQ(*catalog->images_to_surround("one", 0, 10), (std::vector<ImageId>{source, heir}));
  EXPECT_FALSE(catalog->own_words(source)->empty());
  EXPECT_TRUE(catalog->own_words(heir)->empty());

  const Onlooker from{heir, heir, {}};
  const Surroundings found{"one", 0.25F, 3, 0, {{"red", 0.75F, source}, {"chair", 0.5F, source}}};
  Surroundings with_unsaid = found;
  with_unsaid.words.push_back({"unsaid", 0.25F, source});
  write([&](CatalogTransaction& t) { return t.set_surroundings(from, with_unsaid); });
  EXPECT_EQ(*catalog->surroundings(heir), found) << "without what its source does not say";
  EXPECT_EQ(*catalog->heirs(source), std::vector<ImageId>{heir});
  EXPECT_EQ(catalog->take_dirty(10)->size(), 1u);
  EXPECT_EQ((*catalog->index_document(heir))->inherited, (std::vector<std::string>{"red", "chair"}));
  const auto features = **catalog->noteworthy_features(heir);
  EXPECT_EQ(features.inherited_words, 2u);
  EXPECT_EQ(features.look_alikes, 3u);
  EXPECT_FLOAT_EQ(features.rarity, 0.25F);
  EXPECT_EQ((*catalog->noteworthy_features(source))->pages, 1u);
  EXPECT_FALSE(catalog->noteworthy_features(9'999)->has_value());
  index();
  write([&](CatalogTransaction& t) { return t.set_surroundings(from, found); });
  EXPECT_TRUE(catalog->take_dirty(10)->empty()) << "the same again changes nothing";
  EXPECT_EQ(*catalog->images_to_surround("one", 0, 10), std::vector<ImageId>{source});
  EXPECT_EQ(catalog->images_to_surround("two", 0, 10)->size(), 0u) << "no vectors";

  const std::vector<ImageId> marked = {heir};
  write([&](CatalogTransaction& t) { return t.mark_dirty(marked); });
  EXPECT_FALSE(catalog->surroundings(heir)->has_value()) << "to be looked at again";
  EXPECT_EQ(catalog->inherited_words(heir)->size(), 2u) << "until then it keeps its words";
  index();
  write([&](CatalogTransaction& t) { return t.set_surroundings(from, found); });

  for (const Onlooker& before : {Onlooker{heir, heir, {"red"}}, Onlooker{heir, source, {}}}) {
    index();
    write([&](CatalogTransaction& t) { return t.set_surroundings(before, found); });
    EXPECT_FALSE(catalog->surroundings(heir)->has_value()) << "another by now";
    EXPECT_EQ(catalog->take_dirty(10)->size(), 1u);
  }
  write([&](CatalogTransaction& t) { return t.set_surroundings(from, found); });

  const std::vector<ImageId> gone = {source};
  write([&](CatalogTransaction& t) { return t.disinherit(gone); });
  EXPECT_TRUE(catalog->inherited_words(heir)->empty());
  EXPECT_FALSE(catalog->surroundings(heir)->has_value());
  EXPECT_EQ(catalog->take_dirty(10)->size(), 1u);
  EXPECT_EQ((*catalog->begin())->set_surroundings({.image = 9'999, .copy_group = kNoId, .own_words = {}}, found).error().code,
            Code::kNotFound);
}

TEST_P(CatalogContract, A304KeepsWhatIsKnown) {
  Fetch first = fetch_of("http://a.test/");
  first.etag = "\"v1\"";
  write([&](CatalogTransaction& t) { return t.record_fetch(first, 1); });
  Fetch unchanged = fetch_of("http://a.test/");
  unchanged.status = 304;
  unchanged.place = {};
  write([&](CatalogTransaction& t) { return t.record_fetch(unchanged, 2); });
  const Fetch kept = (*catalog->why("http://a.test/"))->fetch;
  EXPECT_EQ(kept.status, 304);
  EXPECT_EQ(kept.etag, "\"v1\"");
  EXPECT_EQ(kept.place, first.place);
}

TEST_P(CatalogContract, JobsGoThroughTheirStates) {
  Job job;
  job.name = "shops";
  job.seeds = {"http://a.test/", "http://b.test/\"q\""};
  job.settings_json = R"({"delay": 1})";
  job.created_at = Timestamp(std::chrono::milliseconds(5));
  job.id = write([&](CatalogTransaction& t) { return t.add_job(job); });
  job.state = JobState::kFinished;
  job.finished_at = Timestamp(std::chrono::milliseconds(9));
  job.counters_json = R"({"pages": 3})";
  write([&](CatalogTransaction& t) { return t.update_job(job); });
  reopen();
  const auto back = *catalog->job(job.id);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->seeds, job.seeds);
  EXPECT_EQ(back->state, JobState::kFinished);
  EXPECT_EQ(back->finished_at, job.finished_at);
  EXPECT_FALSE(back->started_at);
  EXPECT_EQ(back->counters_json, job.counters_json);
  EXPECT_EQ(catalog->jobs()->size(), 1u);
}

TEST_P(CatalogContract, WhatIsNotCommittedNeverWas) {
  {
    auto transaction = *catalog->begin();
    ASSERT_TRUE(transaction->record_page(fetch_of(chair_page().url), chair_page(), 1));
    EXPECT_EQ(catalog->stats()->pages, 0u);  // readers do not see it, nor wait for it
    EXPECT_EQ(catalog->begin().error().code, Code::kBusy);
  }
  EXPECT_EQ(catalog->stats()->pages, 0u);
  add_page(chair_page());
  EXPECT_EQ(catalog->stats()->pages, 1u);
}

TEST_P(CatalogContract, IdentityIsMadeOnce) {
  const std::uint64_t seed = catalog->url_seed();
  const std::string id = catalog->collection_id();
  EXPECT_EQ(id.size(), 16u);
  reopen();
  EXPECT_EQ(catalog->url_seed(), seed);
  EXPECT_EQ(catalog->collection_id(), id);
}

TEST_P(CatalogContract, ReadersSeeWholeTransactionsWhileTheWriterWorks) {
  std::jthread reader([&](std::stop_token stop) {
    while (!stop.stop_requested()) {
      const auto stats = catalog->stats();
      ASSERT_TRUE(stats) << stats.error().message;
      ASSERT_EQ(stats->pages % 10, 0u);
    }
  });
  for (int batch = 0; batch < 30; ++batch) {
    write([&](CatalogTransaction& t) -> Result<void> {
      for (int i = 0; i < 10; ++i) {
        Page page = chair_page();
        page.url = fmt::format("http://a.test/{}/{}", batch, i);
        MAGPIE_TRY_DO(t.record_page(fetch_of(page.url), page, 1));
      }
      return {};
    });
  }
}

TEST_P(CatalogContract, AKilledWriterLosesNothingThatWasCommitted) {
  const auto write_until_killed = [&](int report) {
    auto mine = GetParam().open(folder_.path());
    for (int i = 0;; ++i) {
      auto transaction = *(*mine)->begin();
      Page page = chair_page();
      page.url = fmt::format("http://a.test/{}", i);
      page.images = {ref_to(fmt::format("http://a.test/{}.jpg", i))};
      if (!transaction->record_page(fetch_of(page.url), page, 1)) ::_exit(1);
      if (!transaction->record_image(fetch_of(page.images[0].url, UrlKind::kImage), image_of(page.url), {}, 1)) ::_exit(1);
      if (!transaction->commit()) ::_exit(1);
      if (::write(report, &i, sizeof i) != sizeof i) ::_exit(1);
    }
  };
  catalog.reset();
  int pipe_ends[2];
  ASSERT_EQ(::pipe(pipe_ends), 0);
  const pid_t child = ::fork();
  if (child == 0) write_until_killed(pipe_ends[1]);
  ::close(pipe_ends[1]);
  int last = -1;
  while (last < 40) ASSERT_EQ(::read(pipe_ends[0], &last, sizeof last), static_cast<ssize_t>(sizeof last));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  for (int i = 0; ::read(pipe_ends[0], &i, sizeof i) == sizeof i;) last = i;
  ::close(pipe_ends[0]);
  reopen();
  const auto committed = static_cast<std::uint64_t>(last) + 1;
  const CatalogStats stats = *catalog->stats();
  EXPECT_GE(stats.pages, committed);
  EXPECT_LE(stats.pages, committed + 1);    // one commit may have gone unreported
  EXPECT_EQ(stats.images, stats.pages);     // never half a transaction
  EXPECT_EQ(stats.to_index, stats.images);  // and the index can catch up
}

TEST_P(CatalogContract, PagesAreWrittenQuickly) {
  const auto began = std::chrono::steady_clock::now();
  const std::clock_t began_cpu = std::clock();
  constexpr int kBatches = 20, kBatch = 100;
  for (int batch = 0; batch < kBatches; ++batch) {
    write([&](CatalogTransaction& t) -> Result<void> {
      for (int i = 0; i < kBatch; ++i) {
        Page page = chair_page();
        page.url = fmt::format("http://shop.test/product/{}/{}", batch, i);
        page.images.clear();
        for (int picture = 0; picture < 4; ++picture)
          page.images.push_back(ref_to(fmt::format("http://shop.test/img/{}/{}/{}.jpg", batch, i, picture)));
        MAGPIE_TRY_DO(t.record_page(fetch_of(page.url), page, 1));
      }
      return {};
    });
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  const double rate = kBatches * kBatch / took.count();
  const double cpu_rate = kBatches * kBatch / (static_cast<double>(std::clock() - began_cpu) / CLOCKS_PER_SEC);
  std::printf("record_page with 4 pictures and a product, batches of %d: %.0f pages/s, %.0f per CPU second\n", kBatch, rate, cpu_rate);
  RecordProperty("pages_per_second", static_cast<int>(rate));
  RecordProperty("pages_per_cpu_second", static_cast<int>(cpu_rate));
  EXPECT_EQ(catalog->stats()->pages, static_cast<std::uint64_t>(kBatches * kBatch));
}

const auto kBackends =
    testing::Values(CatalogBackend{"embedded", [](const fs::path& folder) { return open_catalog(folder / "catalog.db"); }});
constexpr auto kBackendName = [](const auto& backend) { return backend.param.name; };
INSTANTIATE_TEST_SUITE_P(Backends, CatalogContract, kBackends, kBackendName);
INSTANTIATE_TEST_SUITE_P(Backends, CatalogVisits, kBackends, kBackendName);

TEST(SqliteCatalog, PagesOfAnOlderCatalogAreDueADayAfterTheirFetch) {
  ContractFolder folder;
  const fs::path file = folder.path() / "catalog.db";
  const Page page = chair_page();
  const Fetch fetch = fetch_of(page.url);
  {
    const auto catalog = *open_catalog(file);
    const auto transaction = *catalog->begin();
    ASSERT_TRUE(transaction->record_page(fetch, page, 1));
    ASSERT_TRUE(transaction->commit());
  }
  {  // as version 3 had it
    Database database = *Database::open(file, {});
    ASSERT_TRUE(
        database.execute("DROP INDEX urls_by_due; DROP TABLE lastmod_proofs; DROP TABLE labels; DROP TABLE listings; "
                         "DROP TABLE selectors; ALTER TABLE products DROP COLUMN evidence; "
                         "ALTER TABLE products DROP COLUMN variants; ALTER TABLE image_refs DROP COLUMN language; "
                         "DROP TABLE region_embeddings; DROP TABLE regions; ALTER TABLE images DROP COLUMN detector; "
                         "DROP TABLE copy_links; DROP TABLE copy_verdicts; DROP TABLE copy_reviews; DROP TABLE refusals;"
                         "ALTER TABLE images DROP COLUMN duration_ms; ALTER TABLE images DROP COLUMN plays; DROP TABLE copy_sketches; DROP "
                         "TABLE surroundings; DROP TABLE inherited_words; DROP INDEX products_by_gtin; DROP INDEX products_by_sku;"));
    for (const char* column : {"visited_at", "interval_s", "due_at", "lastmod", "depth"})
      ASSERT_TRUE(database.execute(fmt::format("ALTER TABLE urls DROP COLUMN {}", column))) << column;
    ASSERT_TRUE(database.execute("PRAGMA user_version = 3"));
  }
  const auto catalog = *open_catalog(file);
  EXPECT_TRUE(catalog->due(1, fetch.fetched_at + std::chrono::hours(23), false, 10)->empty());
  EXPECT_EQ(catalog->due(1, fetch.fetched_at + std::chrono::hours(24), false, 10)->size(), 1u);
}

TEST(SqliteCatalog, PicturesOfAnOlderCatalogWaitToBeLookedAt) {
  ContractFolder folder;
  const fs::path file = folder.path() / "catalog.db";
  const Page page = chair_page();
  const std::vector<float> vector = {1, 0};
  ImageId id = kNoId;
  {
    const auto catalog = *open_catalog(file);
    const auto transaction = *catalog->begin();
    ASSERT_TRUE(transaction->record_page(fetch_of(page.url), page, 1));
    id = transaction->record_image(fetch_of("http://a.test/p.jpg", UrlKind::kImage), image_of("p"), {}, 1)->id;
    ASSERT_TRUE(transaction->set_embedding(id, {"one", vector}));
    ASSERT_TRUE(transaction->commit());
  }
  {  // as version 7 had it
    Database database = *Database::open(file, {});
    ASSERT_TRUE(
        database.execute("DROP TABLE region_embeddings; DROP TABLE regions; ALTER TABLE images DROP COLUMN detector; "
                         "DROP TABLE copy_links; DROP TABLE copy_verdicts; DROP TABLE copy_reviews; DROP TABLE refusals; ALTER TABLE "
                         "images DROP COLUMN duration_ms; ALTER TABLE images DROP COLUMN plays; DROP TABLE copy_sketches; DROP "
                         "TABLE surroundings; DROP TABLE inherited_words; DROP INDEX products_by_gtin; DROP INDEX products_by_sku; PRAGMA "
                         "user_version = 7"));
  }
  const auto catalog = *open_catalog(file);
  EXPECT_TRUE(catalog->regions(id, "one")->empty());
  ASSERT_EQ(catalog->images_undetected("eyes@1", "one", 0, 10)->size(), 1u);
  const auto transaction = *catalog->begin();
  const std::vector<EmbeddedRegion> found = {{{0, 0, 1, 1, 0.5F, "hat", {}}, vector}};
  ASSERT_TRUE(transaction->set_regions(id, {"eyes@1", "one", found}));
  ASSERT_TRUE(transaction->commit());
  EXPECT_EQ((*catalog->image_details(id))->regions.at(0).label, "hat");
}

TEST(SqliteCatalog, LinksOfAnOlderCatalogStay) {
  ContractFolder folder;
  const fs::path file = folder.path() / "catalog.db";
  {
    const auto catalog = *open_catalog(file);
    const auto transaction = *catalog->begin();
    for (const char* name : {"p", "q"})
      ASSERT_TRUE(transaction->record_image(fetch_of(fmt::format("http://a.test/{}.jpg", name), UrlKind::kImage), image_of(name), {}, 1));
    ASSERT_TRUE(transaction->put_copy_link({2, 1, CopyCause::kLooks, "alike", Tone{90, -30}, std::nullopt}));
    ASSERT_TRUE(transaction->set_copy_group(2, 1));
    ASSERT_TRUE(transaction->commit());
    const auto links = *catalog->copy_links(1);
    ASSERT_EQ(links.size(), 1u);
    EXPECT_EQ(links[0].tone->red, 90);
    EXPECT_EQ(links[0].tone->blue, -30);
    EXPECT_FALSE(links[0].other_tone);
  }
  {  // as version 11 had it
    Database database = *Database::open(file, {});
    ASSERT_TRUE(database.execute(
        "ALTER TABLE copy_links DROP COLUMN tone; ALTER TABLE copy_links DROP COLUMN other_tone; DROP TABLE copy_sketches; "
        "DROP TABLE surroundings; DROP TABLE inherited_words; DROP INDEX products_by_gtin; DROP INDEX products_by_sku; PRAGMA user_version "
        "= 11"));
  }
  const auto catalog = *open_catalog(file);
  const auto links = *catalog->copy_links(1);
  ASSERT_EQ(links.size(), 1u);
  EXPECT_EQ(links[0].words, "alike");
  EXPECT_FALSE(links[0].tone);
}

TEST(SqliteCatalog, OtherProcessesReadWithoutTheWriter) {
  ContractFolder folder;
  const fs::path file = folder.path() / "catalog.db";
  EXPECT_EQ(open_catalog(file, {.read_only = true}).error().code, Code::kNotFound);
  const auto writer = *open_catalog(file);
  const auto reader = *open_catalog(file, {.read_only = true});
  EXPECT_EQ(reader->begin().error().code, Code::kForbidden);
  auto transaction = *writer->begin();
  ASSERT_TRUE(transaction->set_meta("k", "v"));
  EXPECT_FALSE(reader->meta("k")->has_value());
  ASSERT_TRUE(transaction->commit());
  EXPECT_EQ(*reader->meta("k"), "v");
}

TEST(SqliteCatalog, BytesThatAreNoCatalogAreRefused) {
  ContractFolder folder;
  const fs::path file = folder.path() / "catalog.db";
  ASSERT_TRUE(write_file_atomic(file, std::string(8'192, 'x')));
  EXPECT_EQ(open_catalog(file).error().code, Code::kCorrupt);
}

TEST(PriceMicros, DecimalsBecomeMillionths) {
  EXPECT_EQ(price_micros("1299.95"), 1'299'950'000);
  EXPECT_EQ(price_micros("7"), 7'000'000);
  EXPECT_EQ(price_micros(".5"), 500'000);
  EXPECT_EQ(price_micros("0.1234567"), 123'456);
  EXPECT_EQ(price_micros("9000000000000"), 9'000'000'000'000'000'000);
  for (const std::string_view bad : {"", ".", "-1", "1,5", "1.2.3", "9000000000001", "99999999999999999999999", "EUR 1"})
    EXPECT_FALSE(price_micros(bad)) << bad;
}

}  // namespace
}  // namespace magpie
