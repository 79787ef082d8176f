#pragma once
// A small real collection (embedded catalog, archive, variants and index in a folder of its own) behind a real server on loopback,
// with stand-ins for what only the whole program has: crawls and decoders.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <map>
#include <optional>

#include "core/price.h"
#include "embedded/archive.h"
#include "embedded/catalog.h"
#include "embedded/index.h"
#include "embedded/variants.h"
#include "net/http_headers.h"
#include "serve/api.h"

namespace magpie {

inline Timestamp test_time() { return Timestamp(std::chrono::milliseconds(1'795'302'845'120)); }  // 2026-11-21T23:14:05Z

class TestClock final : public Clock {
 public:
  Timestamp now() const override { return test_time(); }
  std::chrono::steady_clock::time_point steady() const override {
    return std::chrono::steady_clock::time_point(std::chrono::milliseconds(steady_ms_.load()));
  }
  void advance(std::chrono::milliseconds by) { steady_ms_ += by.count(); }

 private:
  std::atomic<std::int64_t> steady_ms_{1'000'000};
};

/// Keeps jobs in a map and tells the listener what the test wants it told.
class TestJobs final : public JobControl {
 public:
  bool can_start() const override { return enabled; }
  Result<CrawlJobView> start(std::vector<std::string> seeds, CrawlOptions options) override {
    for (const std::string& seed : seeds) {
      if (seed.find("127.0.0.1") != std::string::npos) return fail(Code::kForbidden, "the address 127.0.0.1 is loopback");
    }
    CrawlJobView job{.id = jobs.size() + 1,
                     .state = CrawlState::kRunning,
                     .seeds = std::move(seeds),
                     .options = options,
                     .created_at = test_time(),
                     .started_at = test_time()};
    job.progress = {.job = job.id, .state = job.state, .pages_fetched = 41};
    job.progress.failures = {{"timeout", 2}};
    job.progress.hosts = {{.host = "shop.test", .fetched = 41, .waiting = std::chrono::milliseconds(900)}};
    jobs[job.id] = job;
    return job;
  }
  Result<CrawlJobView> collect(const std::string& source, const std::string& label, CrawlOptions options) override {
    if (source == "nobody") return fail(Code::kNotFound, "'nobody' is no source");
    return start({fmt::format("collect:label={}:{}", label, source)}, options);
  }
  Result<std::vector<CrawlJobView>> list() override {
    std::vector<CrawlJobView> all;
    for (auto it = jobs.rbegin(); it != jobs.rend(); ++it) all.push_back(it->second);
    return all;
  }
  Result<CrawlJobView> get(JobId id) override {
    const auto found = jobs.find(id);
    if (found == jobs.end()) return fail(Code::kNotFound, "no job {}", id);
    return found->second;
  }
  Result<CrawlJobView> cancel(JobId id) override {
    MAGPIE_TRY(CrawlJobView job, get(id));
    job.state = job.progress.state = CrawlState::kCancelling;
    jobs[id] = job;
    return job;
  }
  Result<CrawlJobView> retry(JobId id, std::vector<Cause> causes) override {
    MAGPIE_TRY(CrawlJobView job, get(id));
    if (job.state == CrawlState::kRunning) return fail(Code::kBusy, "job {} is under way", id);
    if (causes == std::vector{Cause::kTls}) return fail(Code::kNotFound, "nothing failed so");
    job.state = job.progress.state = CrawlState::kQueued;
    jobs[id] = job;
    return job;
  }
  Result<CrawlJobView> revisit(JobId id, bool all) override {
    if (!all) return fail(Code::kNotFound, "nothing is due");
    return retry(id, {});
  }
  std::uint64_t queued() const override { return 17; }
  void listen(CrawlListener& told) override { listener = &told; }
  void stop_telling(const CrawlListener& told) override {
    if (listener == &told) listener = nullptr;
  }

  bool enabled = true;
  std::map<JobId, CrawlJobView> jobs;
  CrawlListener* listener = nullptr;
};

/// Says what it was told.
class TestCopies final : public CopyControl {
 public:
  Result<CopyReview> review_copies(CopyAction action, std::vector<ImageId> images) override {
    if (images.size() == 3) return fail(Code::kBadInput, "all 3 pictures of the group are named");
    if (images.size() == 4) return fail(Code::kNotFound, "picture 1 has no copies");
    return CopyReview{.id = 7, .action = action, .images = std::move(images), .at = test_time()};
  }
  Result<CopyReview> undo_copy_review(std::uint64_t id) override {
    if (id != 7) return fail(Code::kNotFound, "there is no review {}", id);
    return CopyReview{.id = 7, .action = CopyAction::kSplit, .images = {1}, .at = test_time(), .undone = true};
  }
};

/// Keeps shops in a map; judges only what a test asks it to.
class TestShops final : public ShopControl {
 public:
  explicit TestShops(TestJobs& jobs) : jobs_(jobs) {}
  Result<List> list() override {
    List list{.problems = {"shops/broken.yaml is not YAML"}, .profiles = {{"any", "Anything", 500}, {"fashion", "Clothes", 600}}};
    for (const auto& [name, view] : shops) list.shops.push_back(view);
    return list;
  }
  Result<ShopView> get(const std::string& name) override {
    const auto found = shops.find(name);
    if (found == shops.end()) return fail(Code::kNotFound, "there is no shop '{}'", name);
    return found->second;
  }
  Result<ShopView> add(const std::string& name, const ShopChange& said) override {
    if (shops.contains(name)) return fail(Code::kBusy, "there is a shop '{}' already", name);
    shops[name] = {.shop = {.name = name, .address = "https://" + *said.address + "/"}, .picture_side_min = 500};
    return change(name, said);
  }
  Result<ShopView> change(const std::string& name, const ShopChange& change) override {
    Shop shop = shops[name].shop;
    if (change.profile == "cars") return fail(Code::kNotFound, "there is no profile 'cars'");
    if (change.state == "asleep") return fail(Code::kBadInput, "state: 'asleep' is none");
    if (change.profile) shop.profile = *change.profile;
    if (change.state == "active") shop.state = ShopState::kActive, shops[name].next_at = test_time();
    if (change.schedule && !change.schedule->every.empty()) shop.every = *parse_duration(change.schedule->every);
    if (change.schedule && !change.schedule->at.empty()) shop.at = {365, 1'110};
    if (change.render) shop.render = change.render->empty() ? std::nullopt : change.render;
    if (change.delay) shop.delay = *parse_duration(*change.delay);
    if (change.pages_max) shop.pages_max = std::stoull(*change.pages_max);
    shops[name].shop = shop;
    return shops[name];
  }
  Result<void> remove(const std::string& name) override {
    shops.erase(name);
    return {};
  }
  Result<CrawlJobView> run(const std::string& name, const ShopChange& change, std::optional<std::string> agent) override {
    if (shops[name].job) return fail(Code::kBusy, "a crawl of these addresses is under way already");
    if (agent == "two words") return fail(Code::kForbidden, "crawl.agent must be one word");
    CrawlOptions options;
    options.profile = shops[name].shop.profile;
    if (change.pages_max) options.pages_per_host_max = std::stoull(*change.pages_max);
    MAGPIE_TRY(shops[name].job, jobs_.start({shops[name].shop.address}, options));
    return *shops[name].job;
  }
  Result<PreviewView> start_preview(const NewPreview& wish) override {
    if (wish.change.delay == "9s") return fail(Code::kBusy, "the host is being crawled");
    PreviewView view{.id = previews.size() + 1, .created_at = test_time(), .pages = 3, .picture_side_min = 500};
    view.shop.name = wish.name;
    view.shop.address = "https://" + wish.change.address.value_or(wish.name) + "/";
    view.products.resize(std::min<std::size_t>(wish.count, 2));
    view.products.front() = {.url = "https://shop.test/chair", .width = 1'000, .height = 2'000};
    view.products.front().product = {.name = "Red chair", .brand = "Sitwell"};
    view.products.front().product.offer = {.price = "129.95", .currency = "EUR", .availability = "InStock"};
    view.products.front().thumbnail = std::make_shared<const std::string>("\xFF\xD8 thumbnail");
    previews[view.id] = view;
    return view;
  }
  Result<PreviewView> preview(PreviewId id) override {
    const auto found = previews.find(id);
    if (found == previews.end()) return fail(Code::kNotFound, "no preview {}", id);
    return found->second;
  }
  Result<PreviewView> cancel_preview(PreviewId id) override {
    MAGPIE_TRY(PreviewView view, preview(id));
    view.state = CrawlState::kCancelled;
    view.yield = ShopYield{.pages = 3, .products = 2, .with_price = 1, .classes = {{"", 1}, {"chair", 1}}};
    previews[id] = view;
    return view;
  }

  std::map<std::string, ShopView> shops;
  std::map<PreviewId, PreviewView> previews;

 private:
  TestJobs& jobs_;
};

/// Knows a host, and forgets by saying so.
class TestForget final : public ForgetControl {
 public:
  Result<ForgetReport> preview(const ForgetTarget& target) override {
    MAGPIE_TRY_DO(check(target));
    return ForgetReport{.target = target, .dry_run = true, .catalog = {.pages = 3}};
  }
  Result<ForgetView> forget(const ForgetTarget& target) override {
    MAGPIE_TRY_DO(check(target));
    if (busy) return fail(Code::kBusy, "something is being forgotten");
    view = {.id = 7, .target = target, .state = ForgetState::kFinished, .report = ForgetReport{.target = target, .searched = true}};
    view.report->found = {"catalog.db: http://shop.test/"};
    return ForgetView{.id = 7, .target = target};
  }
  Result<std::uint64_t> allow(const ForgetTarget& target) override {
    MAGPIE_TRY_DO(check(target));
    return 2;
  }
  Result<ForgetView> forgetting(ForgetId id) override {
    if (id != view.id) return fail(Code::kNotFound, "no forgetting {}", id);
    return view;
  }
  bool busy = false;
  ForgetView view;

 private:
  static Result<void> check(const ForgetTarget& target) {
    if (target.name == "nobody.test") return fail(Code::kNotFound, "nothing is known of the host 'nobody.test'");
    if (target.name == "::") return fail(Code::kBadInput, "'::' is no host");
    return {};
  }
};

/// Changes to any model but two.
class TestModels final : public ModelControl {
 public:
  Result<ModelChangeView> change_model(const std::string& model, bool dry_run) override {
    if (model == "nowhere") return fail(Code::kNotFound, "there is no model nowhere");
    if (model == "words") return fail(Code::kBadInput, "words is a model for text, not for embedding");
    if (busy) return fail(Code::kBusy, "change 5 is under way");
    view = {.id = 5, .model = model, .dry_run = dry_run, .change = {.before = "old@1", .after = model + "@1", .pictures = 9}};
    return view;
  }
  Result<ModelChangeView> model_change(ModelChangeId id) override {
    if (id != view.id) return fail(Code::kNotFound, "no change {}", id);
    return view;
  }
  Result<ModelChangeView> cancel_model_change(ModelChangeId id) override {
    if (id == view.id) view.state = ModelChangeState::kCancelled;
    return model_change(id);
  }
  bool busy = false;
  ModelChangeView view;
};

/// "Decodes" pictures that begin with a letter: 'c' looks like the chair, 'h' like the horse.
class TestPictures final : public PictureAnalyser {
 public:
  Result<Embedding> embed(std::string_view bytes, Deadline) override {
    ++embedded;
    if (bytes.front() == 'c') return Embedding{1, 0, 0, 0};
    if (bytes.front() == 'h') return Embedding{0, 1, 0, 0};
    if (bytes.front() == 'w') return fail(Code::kUnavailable, "no worker came free");
    return fail(Code::kBadInput, "this is no picture: unknown format");
  }
  /// The left half of anything is a horse.
  Result<Embedding> embed_part(std::string_view bytes, const PicturePart& part, Deadline deadline) override {
    ++parts;
    if (part.width < 100) return fail(Code::kBadInput, "the part has 4 x 4 pixels; it must have 16 on either side");
    return part.left == 0 ? Result<Embedding>(Embedding{0, 1, 0, 0}) : embed(bytes, deadline);
  }
  Result<std::string> scale(std::string_view original, std::uint32_t side_max, Deadline) override {
    ++scaled;
    return fmt::format("\xFF\xD8 {} at {}", original, side_max);
  }
  std::atomic<int> embedded{0}, scaled{0}, parts{0};
};

struct TestReply {
  int status = 0;
  HttpHeaders headers;
  std::string body;
  std::string header(std::string_view name) const { return std::string(find_header(headers, name).value_or("")); }
};

class TestFolder {
 public:
  TestFolder() : path_(fs::temp_directory_path() / fmt::format("magpie-serve-{}-{}", ::getpid(), next_++)) {
    fs::create_directories(path_);
  }
  ~TestFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  const fs::path& path() const { return path_; }

 private:
  static inline std::atomic<int> next_{0};
  fs::path path_;
};

/// Two shops: a chair with a near copy on shop.test, a horse without a product on toys.test, and a picture nobody may find.
class TestCollection {
 public:
  explicit TestCollection(ApiOptions options = {}) : searcher_(index_->text(), index_->vectors(), settings_) {
    fill();
    options.embedding_space = "test-4";
    options.version = "0.1.0";
    api_ = std::make_unique<Api>(ApiPorts{*catalog_, *archive_, *variants_, index_->text(), searcher_, jobs, shops, copies, forget, models,
                                          pictures, metrics, clock},
                                 std::move(options));
    auto server = HttpServer::start({.body_bytes_max = Api::kBodyBytesMax}, *api_);
    EXPECT_TRUE(server);
    server_ = std::move(*server);
  }
  ~TestCollection() {
    api_->close_streams();
    server_->stop(Deadline::after(std::chrono::seconds(5)));
  }

  /// One connection to the server.
  UniqueFd connect_now() const {
    UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(server_->port());
    EXPECT_EQ(connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    const timeval patience{.tv_sec = 20, .tv_usec = 0};
    setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    return fd;
  }

  TestReply ask(std::string_view method, std::string_view target, HttpHeaders headers = {}, std::string_view body = "") const {
    std::string request = fmt::format("{} {} HTTP/1.1\r\nConnection: close\r\nContent-Length: {}\r\n", method, target, body.size());
    if (!find_header(headers, "host")) request += "Host: localhost:8080\r\n";
    for (const HttpHeader& header : headers) request += header.name + ": " + header.value + "\r\n";
    request.append("\r\n").append(body);
    const UniqueFd fd = connect_now();
    EXPECT_TRUE(write_all(fd.get(), request));
    std::string all;
    char buffer[16 * 1024];
    for (ssize_t got; (got = ::recv(fd.get(), buffer, sizeof buffer, 0)) > 0;) all.append(buffer, static_cast<std::size_t>(got));
    const std::size_t end = all.find("\r\n\r\n");
    if (end == std::string::npos) return {};
    return {.status = std::atoi(all.c_str() + 9), .headers = parse_header_block(all.substr(0, end + 2)), .body = all.substr(end + 4)};
  }
  TestReply get(std::string_view target, HttpHeaders headers = {}) const { return ask("GET", target, std::move(headers)); }

  /// As the owner's commands ask, over the Unix socket.
  HttpServerReply ask_on_socket(std::string path, std::string body) const {
    return api_->answer({.method = HttpMethod::kPost,
                         .method_name = "POST",
                         .path = std::move(path),
                         .headers = {{"Content-Type", "application/json"}},
                         .body = std::move(body),
                         .on_unix_socket = true});
  }

  /// Adds copies of the chair that nobody may find.
  void add_copies(std::size_t count) {
    auto transaction = catalog_->begin();
    ASSERT_TRUE(transaction);
    for (std::size_t i = 0; i < count; ++i) {
      const std::string name = "copy " + std::to_string(i);
      const ImageId id = add_image(**transaction, "https://shop.test/" + name, name, {1, 0, 0, 0}, 400);
      ASSERT_TRUE((*transaction)->put_copy_link({.image = id, .other = kChair, .cause = CopyCause::kHashes, .words = name}));
      ASSERT_TRUE((*transaction)->set_copy_group(id, kChair));
    }
    ASSERT_TRUE((*transaction)->commit());
  }

  static constexpr ImageId kChair = 1, kChairCopy = 2, kHorse = 3, kHidden = 4;

  TestClock clock;
  TestJobs jobs;
  TestCopies copies;
  TestShops shops{jobs};
  TestForget forget;
  TestModels models;
  TestPictures pictures;
  MetricsRegistry metrics;

 private:
  Fetch fetch_of(std::string url, UrlKind kind, ArchivePlace place) {
    Fetch fetch;
    fetch.url = std::move(url);
    fetch.kind = kind;
    fetch.status = 200;
    fetch.fetched_at = test_time();
    fetch.took = std::chrono::milliseconds(12);
    fetch.body_bytes = 345;
    fetch.place = place;
    return fetch;
  }

  static ImageRef ref_to(std::string url, std::string alt) {
    ImageRef ref;
    ref.url = std::move(url);
    ref.alt = std::move(alt);
    return ref;
  }

  static Page chair_page() {
    Page page;
    page.url = "https://shop.test/chair";
    page.title = "Chair | Shop";
    page.language = "en";
    page.keywords = {"seat", "oak"};
    page.images = {ref_to("https://shop.test/chair.jpg", "A red chair"), ref_to("https://shop.test/chair-small.jpg", "The same chair")};
    Product product{.name = "Red chair", .brand = "Sitwell", .description = "Comfortable", .category = "Chairs"};
    product.offer = {.price = "129.95", .currency = "EUR", .old_price = "159.95", .availability = "InStock"};
    for (const char* size : {"Small", "Large"}) product.variants.push_back({.options = {{"Size", size}}});
    product.evidence = {{.field = "price", .origin = FieldOrigin::kJsonLd, .sure_percent = 75, .otherwise = "119.95"},
                        {.field = "availability", .origin = FieldOrigin::kLearnt, .sure_percent = 65, .otherwise = ""}};
    product.images = {page.images[0].url, page.images[1].url};
    page.products = {product};
    return page;
  }
  static Page horse_page() {
    Page page;
    page.url = "https://toys.test/horse";
    page.title = "A \"horse\" & more";
    page.images = {ref_to("https://toys.test/horse.png", "")};
    return page;
  }
  static Page hidden_page() {
    Page page;
    page.url = "https://toys.test/hidden";
    page.title = "Hidden";
    page.images = {ref_to("https://toys.test/hidden.png", "")};
    page.robots.noindex = true;
    return page;
  }

  ImageId add_image(CatalogTransaction& transaction, const std::string& url, const std::string& bytes, Embedding embedding,
                    std::uint32_t side) {
    const auto place =
        archive_->append({.url = url, .status = 200, .header_block = {}, .body = bytes, .fetched_at = test_time(), .ip = {}});
    EXPECT_TRUE(place);
    Image image;
    image.sha256 = sha256(bytes);
    image.format = "jpeg";
    image.width = side;
    image.height = side / 2;
    image.orientation = 6;  // lies on its side
    image.bytes = bytes.size();
    image.phash = 0xF000'0000'0000'0001;
    image.brightness = 127.5F;
    image.colours = {{.rgb = 0xC81E1E, .share = 0.75F, .name = "red"}};
    image.original = *place;
    image.thumbnail = *variants_->put("\xFF\xD8 thumbnail of " + bytes);
    if (side > 640) image.preview = *variants_->put("RIFF preview of " + bytes);
    image.fetched_at = test_time();
    const ImageEmbedding vector{.space = "test-4", .vector = embedding};
    const auto recorded = transaction.record_image(fetch_of(url, UrlKind::kImage, *place), image, std::span(&vector, 1), 1);
    EXPECT_TRUE(recorded);
    EXPECT_TRUE(index_->vectors().add(recorded->id, embedding));
    return recorded->id;
  }

  /// A chair is in the chair's picture, and something like it in the horse's, beside something more like it that is none.
  void add_regions(CatalogTransaction& transaction) {
    const auto region = [](const char* label, float left) {
      return Region{left, 0.25F, left + 0.25F, 1, 0.75F, label, {{.rgb = 0xC81E1E, .share = 1, .name = "red"}}};
    };
    const std::vector<EmbeddedRegion> chair = {{region("Chair", 0.5F), {0, 0, 0, 1}}};
    const std::vector<EmbeddedRegion> horse = {{region("Chair", 0), {0, 0.1F, 0, 0.995F}}, {region("Dog", 0.5F), {0, 0, 0.01F, 0.99995F}}};
    ASSERT_TRUE(transaction.set_regions(kChair, {"eyes@1", "test-4", chair}));
    ASSERT_TRUE(transaction.set_regions(kHorse, {"eyes@1", "test-4", horse}));
    const Embedding chair_whole = {1, 0, 0, 0}, horse_whole = {0, 1, 0, 0};
    ASSERT_TRUE(index_->vectors().add(kChair, std::vector<PictureVector>{{chair_whole, 0, ""}, {chair[0].embedding, 1, "Chair"}}));
    ASSERT_TRUE(index_->vectors().add(
        kHorse, std::vector<PictureVector>{{horse_whole, 0, ""}, {horse[0].embedding, 1, "Chair"}, {horse[1].embedding, 2, "Dog"}}));
  }

  void fill() {
    auto transaction = catalog_->begin();
    ASSERT_TRUE(transaction);
    for (const Page& page : {chair_page(), horse_page(), hidden_page()}) {
      ASSERT_TRUE((*transaction)->record_page(fetch_of(page.url, UrlKind::kPage, {1, 0, 1}), page, 1));
    }
    EXPECT_EQ(add_image(**transaction, "https://shop.test/chair.jpg", "chair", {1, 0, 0, 0}, 2'000), kChair);
    EXPECT_EQ(add_image(**transaction, "https://shop.test/chair-small.jpg", "chair-small", {0.99F, 0.14F, 0, 0}, 800), kChairCopy);
    EXPECT_EQ(add_image(**transaction, "https://toys.test/horse.png", "horse", {0, 1, 0, 0}, 400), kHorse);
    EXPECT_EQ(add_image(**transaction, "https://toys.test/hidden.png", "hidden", {0, 0, 1, 0}, 400), kHidden);
    add_regions(**transaction);
    ASSERT_TRUE((*transaction)->add_label({.url = "https://toys.test/horse.png", .source = "toys", .label = "horse", .licence = "CC BY"}));
    ASSERT_TRUE((*transaction)->set_copy_group(kChairCopy, kChair));
    ASSERT_TRUE((*transaction)->commit());
    for (const ImageId id : {kChair, kChairCopy, kHorse, kHidden}) {
      auto document = catalog_->index_document(id);
      ASSERT_TRUE(document);
      if (*document) {
        ASSERT_TRUE(index_->text().add(**document));
      } else {
        ASSERT_TRUE(index_->vectors().remove(id));
      }
    }
    ASSERT_TRUE(index_->text().commit());
  }

  template <class T>
  static T opened(Result<T> result) {
    EXPECT_TRUE(result) << (result ? "" : result.error().message);
    return std::move(*result);
  }

  TestFolder folder_;
  std::unique_ptr<Catalog> catalog_ = opened(open_catalog(folder_.path() / "catalog.db"));
  std::unique_ptr<Archive> archive_ = opened(open_archive(folder_.path() / "archive"));
  std::unique_ptr<VariantStore> variants_ = opened(open_variant_store(folder_.path() / "variants"));
  std::unique_ptr<embedded::Index> index_ = opened(embedded::open_index(folder_.path() / "index"));
  SearchSettings settings_;
  Searcher searcher_;
  std::unique_ptr<Api> api_;
  std::unique_ptr<HttpServer> server_;
};

}  // namespace magpie
