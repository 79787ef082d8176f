#include "app/shop_preview.h"

#include <algorithm>
#include <condition_variable>

#include "app/collection.h"
#include "app/manager.h"
#include "app/shop_yield.h"
#include "app/shops.h"
#include "base/log.h"

namespace magpie {
namespace {

constexpr std::chrono::seconds kSecondsMax{120};
constexpr std::chrono::milliseconds kLookEvery{250};
constexpr int kLooksPerReading = 4;  // the products are read each second

constexpr std::string_view kFolderPrefix = "magpie-preview-";
constexpr std::string_view kCollection = "preview";  // within such a folder
constexpr std::uint64_t kBytesMax = std::uint64_t{512} << 20;

/// What previews left behind whose program was killed: they are older than a preview gets, and nobody holds the lock of their collection.
void remove_left_folders(const fs::path& parent) {
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(parent, error)) {
    if (!entry.path().filename().string().starts_with(kFolderPrefix)) continue;
    const fs::file_time_type changed = fs::last_write_time(entry.path(), error);
    if (error || fs::file_time_type::clock::now() - changed < 2 * kSecondsMax) continue;
    const auto folder = CollectionFolder::open(entry.path() / kCollection);
    if (!folder || !folder->lock()) continue;
    fs::remove_all(entry.path(), error);
  }
}

/// A folder that is gone again with the scope.
class TemporaryFolder {
 public:
  static Result<std::unique_ptr<TemporaryFolder>> make() {
    remove_left_folders(fs::temp_directory_path());
    std::string path = (fs::temp_directory_path() / fmt::format("{}XXXXXX", kFolderPrefix)).string();
    if (::mkdtemp(path.data()) == nullptr) return fail_errno(path);
    return std::unique_ptr<TemporaryFolder>(new TemporaryFolder(path));
  }
  ~TemporaryFolder() {
    std::error_code error;
    fs::remove_all(path_, error);
  }
  const fs::path& path() const { return path_; }

 private:
  explicit TemporaryFolder(fs::path path) : path_(std::move(path)) {}
  fs::path path_;
};

Result<PreviewProduct> shown(const Catalog& catalog, const VariantStore& variants, const PageDetails& page) {
  const StoredProduct& stored = page.products.front();
  PreviewProduct one;
  one.url = page.page.url;
  one.product = stored.product;
  VariantPlace thumbnail;
  for (const ImageId id : stored.images) {
    MAGPIE_TRY(const std::optional<Image> image, catalog.image(id));
    if (!image || std::max(image->width, image->height) <= std::max(one.width, one.height)) continue;
    const bool lies = image->orientation >= 5;  // on its side
    one.width = lies ? image->height : image->width;
    one.height = lies ? image->width : image->height;
    thumbnail = image->thumbnail;
  }
  if (thumbnail.file == 0) return one;
  MAGPIE_TRY(std::string bytes, variants.get(thumbnail));
  one.thumbnail = std::make_shared<const std::string>(std::move(bytes));
  return one;
}

/// Why a crawl that read no page has read none, as far as that is known.
std::optional<std::string> why_nothing(const Catalog& catalog) {
  const auto failures = catalog.failures(std::nullopt, 1);
  if (!failures || failures->empty()) return std::nullopt;
  const Fetch& last = failures->front();
  return fmt::format("{}: {}{}", last.url, to_string(last.cause), last.detail.empty() ? "" : fmt::format(" ({})", last.detail));
}

}  // namespace

Result<std::unique_ptr<ShopPreview>> ShopPreview::start(const Shop& shop, const AppSettings& settings, const Clock& clock,
                                                        PreviewOptions options) {
  MAGPIE_TRY(Profile profile, load_profile(shop.profile));
  AppSettings own = settings;
  if (options.agent) own.crawl.agent.value = *options.agent;
  own.crawl.pictures.value = "describe";
  if (const auto agent = crawl::user_agent(own.crawl); !agent) return fail(Code::kForbidden, "{}", agent.error().message);
  std::unique_ptr<ShopPreview> preview(new ShopPreview(std::move(own), clock, std::move(profile), std::move(options)));
  preview->view_.id = preview->options_.id;
  preview->view_.shop = shop;
  preview->view_.created_at = clock.now();
  preview->view_.picture_side_min = preview->profile_.picture_side_min;
  preview->thread_ = std::jthread([raw = preview.get()](std::stop_token stop) { raw->run(stop); });
  return preview;
}

ShopPreview::~ShopPreview() { cancel(); }

PreviewView ShopPreview::view() const {
  const std::lock_guard lock(mutex_);
  return view_;
}

void ShopPreview::cancel() {
  {
    const std::lock_guard lock(mutex_);
    if (!has_ended(view_.state)) view_.state = CrawlState::kCancelling;
  }
  thread_.request_stop();
}

void ShopPreview::run(const std::stop_token& stop) {
  const auto done = crawl(stop);
  const std::lock_guard lock(mutex_);
  if (!done) {
    view_.state = CrawlState::kFailed;
    view_.message = done.error().message;
  } else if (!has_ended(view_.state)) {
    view_.state = CrawlState::kCancelled;
  }
  log::info("preview.ended", {{"address", view_.shop.address}, {"state", to_string(view_.state)}, {"products", view_.products.size()}});
}

Result<void> ShopPreview::crawl(const std::stop_token& stop) {
  MAGPIE_TRY(const auto scratch, TemporaryFolder::make());
  MAGPIE_TRY(const CollectionFolder folder, CollectionFolder::create(scratch->path() / kCollection));
  MAGPIE_TRY(const auto collection, Collection::open_to_manage(folder));
  MetricsRegistry metrics;
  MAGPIE_TRY(const auto manager, Manager::start(*collection, settings_, clock_, metrics, {.embeds = false}));
  CrawlOptions options = crawl_options(view_.shop);
  options.pages_per_host_max = static_cast<std::uint64_t>(4 * options_.count + 10);
  options.seconds_max = kSecondsMax;
  MAGPIE_TRY(CrawlJobView job, manager->start({view_.shop.address}, options));
  std::mutex sleeping;
  std::condition_variable_any timer;
  for (int looks = 0; !has_ended(job.state); ++looks) {
    std::unique_lock rest(sleeping);
    if (!stop.stop_requested()) timer.wait_for(rest, stop, kLookEvery, [] { return false; });
    else timer.wait_for(rest, kLookEvery);
    if (stop.stop_requested()) MAGPIE_TRY_DO(manager->cancel(job.id));
    MAGPIE_TRY(job, manager->get(job.id));
    if (job.progress.bytes > kBytesMax && !has_ended(job.state)) MAGPIE_TRY_DO(manager->cancel(job.id));
    if (looks % kLooksPerReading == 0) MAGPIE_TRY_DO(read_products(collection->catalog(), collection->variants()));
    const std::lock_guard lock(mutex_);
    view_.pages = job.progress.pages_fetched;
    view_.failed = job.progress.failed;
  }
  MAGPIE_TRY_DO(read_products(collection->catalog(), collection->variants()));
  MAGPIE_TRY(const ShopYield yield, shop_yield(collection->catalog(), view_.shop, profile_));
  const std::optional<std::string> why = yield.pages == 0 ? why_nothing(collection->catalog()) : std::nullopt;
  const std::lock_guard lock(mutex_);
  view_.yield = yield;
  view_.message = job.message ? job.message : why;
  // That its time or its pages are over is how a preview ends.
  const bool enough = job.state == CrawlState::kCancelled && !stop.stop_requested();
  if (enough) view_.message.reset();
  view_.state = enough ? CrawlState::kFinished : job.state;
  return {};
}

// What is shown already keeps its place; its picture may have come since.
Result<void> ShopPreview::read_products(const Catalog& catalog, const VariantStore& variants) {
  std::vector<PreviewProduct> products = view().products;
  MAGPIE_TRY_DO(catalog.each_page([&](PageId id, const std::string& url) -> Result<void> {
    const auto known = std::find_if(products.begin(), products.end(), [&](const PreviewProduct& one) { return one.url == url; });
    if (known == products.end() && products.size() >= options_.count) return {};
    MAGPIE_TRY(const std::optional<PageDetails> page, catalog.page(id));
    // A listing's products have pages of their own, which say where they have each field from.
    if (!page || page->products.empty() || page->products.front().product.evidence.empty()) return {};
    MAGPIE_TRY(PreviewProduct one, shown(catalog, variants, *page));
    if (known == products.end()) products.push_back(std::move(one));
    else *known = std::move(one);
    return {};
  }));
  const std::lock_guard lock(mutex_);
  view_.products = std::move(products);
  return {};
}

}  // namespace magpie
