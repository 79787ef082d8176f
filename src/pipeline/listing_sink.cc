#include "pipeline/listing_sink.h"

#include <algorithm>

#include "collect/folder.h"
#include "crawl/local_client.h"

namespace magpie::pipeline {
namespace {

class Sink final : public collect::ListingSink {
 public:
  Sink(ListingSinkParts parts, std::string source) : parts_(parts), source_(std::move(source)) {}

  Result<collect::Taken> take(const collect::Batch& batch, const std::function<std::string(const collect::Taken&)>& state) override {
    collect::Taken taken;
    auto done = parts_.recorder.transact([&](CatalogTransaction& transaction) { return write(transaction, batch, state, taken); });
    if (!done) return Failure(std::move(done.error()));
    return taken;
  }

  Result<std::map<std::string, std::string>> states() override { return parts_.catalog.listings(parts_.rules.job()); }

  Result<std::vector<std::string>> seen(std::string_view label, std::size_t limit) override {
    return parts_.catalog.labelled_urls(source_, label, limit);
  }

 private:
  Result<void> write(CatalogTransaction& transaction, const collect::Batch& batch,
                     const std::function<std::string(const collect::Taken&)>& state, collect::Taken& taken) {
    std::vector<UrlRecord> found;
    for (const collect::Item& item : batch.items) {
      taken.cut = taken.news >= batch.news_max;
      if (taken.cut) break;
      MAGPIE_TRY_DO(take_item(transaction, batch, item, taken, found));
    }
    MAGPIE_TRY_DO(parts_.frontier.add(found));
    return transaction.set_listing(parts_.rules.job(), batch.list, state(taken));
  }

  Result<void> take_item(CatalogTransaction& transaction, const collect::Batch& batch, const collect::Item& item, collect::Taken& taken,
                         std::vector<UrlRecord>& found) {
    const auto url = Url::parse(item.picture);
    crawl::Admission admission;
    if (url) admission = parts_.rules.admit(*url, UrlKind::kImage, 0);
    if (!admission.record || is_forgotten(item)) {
      ++taken.refused;
      return {};
    }
    PictureLabel label{.url = admission.record->url,
                       .source = source_,
                       .api = std::string(batch.api),
                       .artist = item.artist,
                       .artist_url = item.artist_url,
                       .page_url = item.page,
                       .licence = item.licence,
                       .job = parts_.rules.job(),
                       .at = parts_.clock.now()};
    bool news = false;
    for (const std::string& words : item.labels.empty() ? std::vector<std::string>{""} : item.labels) {
      label.label = words;
      MAGPIE_TRY(const bool is_new, transaction.add_label(label));
      news = news || is_new;
    }
    ++(news ? taken.news : taken.known);
    found.push_back(std::move(*admission.record));
    return {};
  }

  bool is_forgotten(const collect::Item& item) const {
    const Refusals& refusals = parts_.rules.refusals();
    if (!item.artist.empty() && refusals.has(RefusedKind::kArtist, item.artist)) return true;
    return std::any_of(item.labels.begin(), item.labels.end(),
                       [&](const std::string& label) { return refusals.has(RefusedKind::kLabel, fmt::format("{}/{}", source_, label)); });
  }

  ListingSinkParts parts_;
  const std::string source_;
};

}  // namespace

std::unique_ptr<collect::ListingSink> make_listing_sink(ListingSinkParts parts, std::string source) {
  return std::make_unique<Sink>(parts, std::move(source));
}

crawl::CrawlSettings collect_settings(crawl::CrawlSettings settings, const collect::Description& description) {
  if (description.is_folder()) return crawl::local_settings(std::move(settings));
  settings.images_off_host.value = true;  // there is no host of its own
  return settings;
}

crawl::CrawlRules collect_rules(JobId job, const crawl::CrawlSettings& settings, const collect::Description& description) {
  if (!description.is_folder()) return crawl::CrawlRules(job, settings, std::vector<Url>());
  return crawl::CrawlRules(job, settings, [root = collect::root_of(description)](std::string_view address) {
    const auto url = Url::parse(address);
    return url && collect::is_in_folder(*url, root);
  });
}

}  // namespace magpie::pipeline
