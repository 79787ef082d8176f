#pragma once
// For tests: a collection in a folder of its own, and its recorder.
#include <gtest/gtest.h>

#include "embedded/archive.h"
#include "embedded/catalog.h"
#include "embedded/frontier.h"
#include "embedded/index.h"
#include "embedded/variants.h"
#include "pipeline/recorder.h"

namespace magpie::pipeline {

class RecorderFixture : public testing::Test {
 protected:
  static constexpr std::string_view kSpace = "a";

  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "magpie-recorder-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
    archive_ = *open_archive(folder_ / "archive");
    variants_ = *open_variant_store(folder_ / "variants");
    catalog_ = *open_catalog(folder_ / "catalog.db");
    frontier_ = *open_frontier(folder_ / "frontier");
    index_ = *embedded::open_index(folder_ / "index");
    RecorderOptions options;
    options.space = kSpace;
    options.on_indexed = [this](const std::vector<ImageId>& images) { indexed(images); };
    recorder_ = *Recorder::start({*archive_, archive_writing_, *variants_, *catalog_, *frontier_, index_->text(), index_->vectors()},
                                 std::move(options));
  }
  void TearDown() override {
    recorder_.reset();
    index_.reset();
    frontier_.reset();
    catalog_.reset();
    fs::remove_all(folder_);
  }
  /// On the recorder's thread.
  virtual void indexed(const std::vector<ImageId>&) {}

  static std::string url_of(const std::string& name) { return "http://a.test/" + name + ".jpg"; }
  /// A page that shows one picture and says this of it.
  static Result<void> say(CatalogTransaction& transaction, const std::string& name, const std::string& words) {
    Page page;
    page.url = "http://a.test/" + name;
    page.images.push_back({.url = url_of(name), .alt = words});
    Fetch fetch;
    fetch.url = page.url;
    MAGPIE_TRY_DO(transaction.record_page(fetch, page, 1));
    return {};
  }
  /// A picture on a page of its own.
  ImageId add(const std::string& name, std::span<const float> vector, const std::string& words = "") {
    ImageId id = kNoId;
    write([&](CatalogTransaction& transaction) -> Result<void> {
      MAGPIE_TRY_DO(say(transaction, name, words));
      Image image;
      image.sha256 = sha256(name);
      image.width = image.height = 500;
      Fetch fetch;
      fetch.url = url_of(name);
      fetch.kind = UrlKind::kImage;
      const ImageEmbedding embedding{kSpace, vector};
      MAGPIE_TRY(const RecordedImage recorded, transaction.record_image(fetch, image, std::span(&embedding, 1), 1));
      id = recorded.id;
      return {};
    });
    return id;
  }
  void write(const std::function<Result<void>(CatalogTransaction&)>& what) {
    const auto done = recorder_->transact(what);
    ASSERT_TRUE(done) << done.error().message;
  }

  fs::path folder_;
  std::mutex archive_writing_;
  std::unique_ptr<Archive> archive_;
  std::unique_ptr<VariantStore> variants_;
  std::unique_ptr<Catalog> catalog_;
  std::unique_ptr<Frontier> frontier_;
  std::unique_ptr<embedded::Index> index_;
  std::unique_ptr<Recorder> recorder_;
};

}  // namespace magpie::pipeline
