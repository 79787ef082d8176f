#pragma once
// Port: the catalog, what is known of pages, products and pictures. One writer works in transactions; readers see the state of the
// last commit and never wait for it. The embedded one is SQLite (docs/formats/catalog.md).
//
// Order of work, so that kill -9 at any moment loses nothing: archive.append -> archive.sync -> transaction.record_… -> commit ->
// frontier acknowledges. Every change to what a picture's document says puts the picture into the to-index list in the same
// transaction; the indexer takes from that list, commits its segment, then clears what it took. See Catalog::take_dirty.
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "core/copies.h"
#include "core/forget.h"
#include "core/records.h"
#include "core/refusals.h"
#include "core/surroundings.h"

namespace magpie {

/// Persisted: append only.
enum class JobState : std::uint8_t { kQueued = 1, kRunning = 2, kFinished = 3, kCancelled = 4, kFailed = 5 };
std::string_view to_string(JobState state);

struct Job {
  JobId id = 0;
  std::string name;
  std::vector<std::string> seeds;
  std::string settings_json = "{}";
  JobState state = JobState::kQueued;
  std::string detail;  // why it failed, in words
  Timestamp created_at{};
  std::optional<Timestamp> started_at, finished_at;
  std::string counters_json = "{}";
};

/// How soon a page is asked again: after `first` at first, half as long as the last time once it had changed, half as long again when
/// it had not in all that time; never outside [least, most].
struct RevisitPace {
  std::chrono::seconds first{86'400}, least{3'600}, most{30 * 86'400};
};

/// What one run of a crawl did to one host, kept so that it can be shown to the host's owner and so that the next run knows how long
/// to leave it alone.
struct HostVisit {
  std::string host;  // with port where it is not the scheme's own
  JobId job = 0;
  Timestamp run_started_at{};
  Timestamp next_allowed_at{};     // nothing is to be asked of it before
  std::string report_json = "{}";  // a crawl::HostReport (app/host_ledger.h)
};

/// A selector with how many of its site's pages bore it out.
struct LearntSelector {
  FieldSelector selector;
  std::uint32_t agreed = 0, disagreed = 0;
  bool operator==(const LearntSelector&) const = default;
};

/// What a collected source (src/collect) says of a picture, or a page of its licence. All but `url` and `source` may be empty.
struct PictureLabel {
  std::string url;     // the picture's, as the job knows it
  std::string source;  // "nekos.best", or the page's address
  std::string label;   // empty of a page
  std::string api;     // the address that named the picture; the page's own
  std::string artist, artist_url;
  std::string page_url;  // where the work was published; of a page: where a licence is to be had
  std::string licence;
  JobId job = 0;
  Timestamp at{};
};

/// How far the pictures of one label are; each address counts once, in one of these.
struct LabelCount {
  std::string label;
  std::uint64_t pictures = 0, waiting = 0, failed = 0;
  bool operator==(const LabelCount&) const = default;
};

/// What record_page() found.
struct RecordedPage {
  PageId id = 0;
  bool changed = true;                     // false: the same content as last time; nothing to index again
  std::size_t products_new = 0;            // products it has and did not have at its last visit
  std::vector<std::string> images_wanted;  // pictures it shows that were neither fetched nor given up yet, in page order, each once
};

struct RecordedImage {
  ImageId id = kNoId;
  bool is_new = false;  // false: these bytes (SHA-256) were known; the known id, and nothing of `image` was stored
};

/// What record_failure() or a redirect leads to: pictures to fetch in place of the failed one, each once.
using NextCandidates = std::vector<std::string>;

/// The vectors of one picture. `space` names the model and its version (core/embedder.h).
struct ImageEmbedding {
  std::string_view space;
  std::span<const float> vector;
  bool reindex = true;  // false: of a space that no index is of
};

/// What a detector found in one picture, best first. Nothing is an answer, too: then it need not be asked again.
struct ImageRegions {
  std::string_view detector;  // its name and version (core/embedder.h)
  std::string_view space;     // of the regions' vectors
  std::span<const EmbeddedRegion> regions;
  bool reindex = true;  // false: the same regions as before, with vectors of a space that no index is of
};

struct DirtyImage {
  ImageId id = kNoId;
  std::uint64_t sequence = 0;  // grows with every change of any picture
  bool operator==(const DirtyImage&) const = default;
};

/// One writing transaction; destroyed without commit() it leaves nothing. Batches of about 100 pages are quick (docs/formats/catalog.md).
/// Errors of every call: kUnavailable from the disk, kCorrupt from a damaged file; after an error destroy the transaction.
class CatalogTransaction {
 public:
  virtual ~CatalogTransaction() = default;

  /// Notes the exchange: robots.txt, sitemaps, redirects, 304, and failures that will be tried again. A 304 keeps place, type and
  /// validators of the earlier answer. A redirected picture (`fetch.redirect`) is looked for at its target from now on; that target
  /// is returned unless it was fetched already.
  virtual Result<NextCandidates> record_fetch(const Fetch& fetch, JobId job) = 0;

  /// A page was fetched and read. Its products and picture references replace those of its last visit (a product keeps its id as
  /// long as it keeps its rank on the page). Notes the fetch too. All pictures it showed or shows are put on the to-index list,
  /// unless nothing changed. Links are not kept: they are the frontier's.
  virtual Result<RecordedPage> record_page(const Fetch& fetch, const Page& page, JobId job) = 0;

  /// The picture at fetch.url was fetched and analysed; `image.id` is ignored. Pages that show fetch.url show this picture from now on.
  /// For bytes that are known already (Catalog::image_by_sha256) `image` may hold the sha256 alone.
  virtual Result<RecordedImage> record_image(const Fetch& fetch, const Image& image, std::span<const ImageEmbedding> embeddings,
                                             JobId job) = 0;

  /// Given up for good (fetch.cause, fetch.detail). For a picture, pages fall back to their next candidate; those are returned when
  /// they are still to be fetched. A picture that failed after an earlier success keeps its earlier bytes for cause of transport
  /// (dns … throttled) and loses them for kNotFound, or when its owner opts out.
  virtual Result<NextCandidates> record_failure(const Fetch& fetch, JobId job) = 0;

  /// Sets when a page that was just recorded is due again, and the depth it is asked with then. Notes, too, whether its sitemap had
  /// foretold that it would (not) have changed: a host's sitemaps are trusted once they were right kLastmodProofs times, and wrong at
  /// most once in twenty. A page that a trusted sitemap calls unchanged is due after `most` only. One that fails later, or moves, keeps
  /// its pace; one that is gone is not due any more.
  virtual Result<void> schedule_visit(PageId page, bool changed, std::uint16_t depth, const RevisitPace& pace) = 0;
  static constexpr int kLastmodProofs = 10;
  /// A sitemap of the page's own host says when it last changed; a time after `now` says nothing. True when a trusted one says that it
  /// has changed since its last visit, and that was at least `pace.least` ago: then it is due now.
  virtual Result<bool> note_lastmod(std::string_view url, Timestamp lastmod, Timestamp now, const RevisitPace& pace) = 0;

  /// A seed names this picture itself, so it may be found though no page shows it.
  virtual Result<void> name_image(std::string_view url) = 0;

  /// A source names this picture, as name_image() does, and labels it. What the same source said with the same label is replaced; a picture
  /// may have several labels. False when it had this one already. A redirect hands labels on to its target.
  virtual Result<bool> add_label(const PictureLabel& label) = 0;
  /// Keeps where the reading of one list of a job stands, in words that only src/collect understands; empty words forget it.
  virtual Result<void> set_listing(JobId job, std::string_view list, std::string_view state) = 0;

  /// Each picture's group is the smallest id of its group. Changed ones go onto the to-index list. kNotFound for an unknown picture.
  virtual Result<void> set_copy_group(ImageId image, ImageId group) = 0;
  /// Adds or replaces a link that was found.
  virtual Result<void> put_copy_link(const CopyLink& link) = 0;
  /// What a person says of a pair; without a verdict it is forgotten.
  virtual Result<void> set_copy_verdict(const CopyPair& pair) = 0;
  /// Gives its id; review.id is ignored.
  virtual Result<std::uint64_t> add_copy_review(const CopyReview& review) = 0;
  /// kNotFound.
  virtual Result<void> undo_copy_review(std::uint64_t id) = 0;
  /// Adds or replaces one vector, e.g. of a newer model. Unless it is not to be indexed, the picture goes onto the to-index list.
  virtual Result<void> set_embedding(ImageId image, const ImageEmbedding& embedding) = 0;
  /// Replaces the picture's regions, which are numbered anew. Their vectors in other spaces stay as long as the same detector found them;
  /// no detector: that of before, whose regions these are. kTooLarge for more than kRegionsMax, kNotFound for an unknown picture.
  virtual Result<void> set_regions(ImageId image, const ImageRegions& found) = 0;
  /// What later pictures are compared with (analyse/copy_sketch.h), kept for a picture that was compared itself; "" where nothing could be
  /// made of it. kNotFound for an unknown picture.
  virtual Result<void> set_copy_sketch(ImageId image, std::string_view sketch) = 0;
  /// What was found around a picture replaces what was there, but for words that their sources say no more. Other inherited words put it
  /// onto the to-index list; they are no change of what it says itself, after which it is to be looked at again. Nothing is kept where the
  /// picture is another by now than `from`: it goes onto the list, and is still to be looked at. kNotFound for an unknown picture.
  virtual Result<void> set_surroundings(const Onlooker& from, const Surroundings& found) = 0;
  /// They are not to be found any more: nothing is inherited by them or from them. Heirs go onto the to-index list.
  virtual Result<void> disinherit(std::span<const ImageId> sources) = 0;
  virtual Result<void> set_variants(ImageId image, const VariantPlace& thumbnail, const VariantPlace& preview) = 0;

  virtual Result<void> mark_dirty(std::span<const ImageId> images) = 0;
  /// Takes pictures off the to-index list that have not changed since `taken` was read.
  virtual Result<void> clear_dirty(std::span<const DirtyImage> taken) = 0;

  /// Stores a new job and gives its id; job.id is ignored.
  virtual Result<JobId> add_job(const Job& job) = 0;
  /// Replaces settings, state, detail, times and counters of job.id. kNotFound.
  virtual Result<void> update_job(const Job& job) = 0;

  /// Adds a visit, or replaces that of the same host, job and run.
  virtual Result<void> put_host_visit(const HostVisit& visit) = 0;

  /// Replaces what is known of a host's selectors.
  virtual Result<void> set_selectors(std::string_view host, std::span<const LearntSelector> selectors) = 0;

  /// Removes every row of what the plan names and what only belonged to it, puts pictures whose documents change onto the to-index list,
  /// and adds refusals. Twice does no harm. A picture that stays and whose archived bytes were one of the gone addresses' is led to another
  /// of its addresses. Cost: one pass over pages, products and showings.
  virtual Result<ForgetCounts> forget(const ForgetPlan& plan) = 0;
  /// Takes the refusals of a plan back, so that it may be fetched again; how many there were.
  virtual Result<std::uint64_t> allow(const ForgetPlan& plan) = 0;
  /// Places of one file are now those; nobody may refer to others of it.
  virtual Result<void> move_places(Store store, const std::vector<MovedPlace>& places) = 0;

  virtual Result<void> set_meta(std::string_view key, std::string_view value) = 0;

  /// Durable when it returns.
  virtual Result<void> commit() = 0;
};

struct StoredProduct {
  ProductId id = 0;
  PageId page = 0;
  Product product;
  std::optional<std::int64_t> price_micros;
  std::vector<ImageId> images;  // fetched ones, in the page's order
};

/// One that may be the same article (core/product_identity.h).
struct LikeProduct {
  StoredProduct product;  // without `images`
  bool shares_a_picture = false;
};

struct StoredRef {
  ImageRef ref;
  std::string current_url;  // the candidate in use now: ref.url or one of its alternatives
  ImageId image = kNoId;    // kNoId: not fetched, or failed
  ProductId product = 0;    // 0: of none
};

struct PageDetails {
  PageId id = 0;
  Page page;         // without links; `images` and `products` are below
  std::string shop;  // host, with port where it is not the scheme's own
  Timestamp fetched_at{};
  ArchivePlace place;
  std::vector<StoredProduct> products;
  std::vector<StoredRef> refs;
};

/// One place where a picture is shown.
struct Showing {
  PageId page = 0;
  std::string page_url, page_title, page_description, language, shop;
  std::vector<std::string> keywords;
  bool permits = true;  // false: the page asks not to index it, or its pictures
  std::string image_url, alt, caption;
  std::string words_language;  // of alt and caption where it is another than the page's, else empty
  ImageOrigin origin = ImageOrigin::kImg;
  std::optional<StoredProduct> product;  // without `images`
};

struct ImageDetails {
  Image image;
  std::vector<std::string> urls;       // every address it was fetched from, oldest first, at most kImageUrlsMax
  std::vector<Showing> showings;       // those of products first, then by page, at most kShowingsMax per address
  std::vector<PictureLabel> labels{};  // those with a label first, by source and label, at most kLabelsMax
  std::vector<Region> regions{};       // number 1 first
  bool indexable = false;              // some page that shows it permits it, or a seed named it
};
inline constexpr std::size_t kImageUrlsMax = 64;
inline constexpr std::size_t kLabelsMax = 256;
inline constexpr std::size_t kShowingsMax = 64;  // a shop's logo is on every page

/// What a product's page says now and did not say at its last visit. (The same visit read in another way is no change.)
struct ProductChange {
  std::uint64_t id = 0;   // grows with time
  ProductId product = 0;  // 0 where its rank on the page has changed, or it is gone
  std::string page_url, name;
  Timestamp at{};             // when the page was fetched
  std::string field;          // "price", "availability", "variants", "images", "gone"
  std::string before, after;  // price: "129.95 EUR"; variants: those in stock, "S / red, M / red"; images: how many new ones, "+2"; gone:
                              // its last price and nothing
};

/// All that is known of one address.
struct UrlDetails {
  Fetch fetch;  // fetched_at is 0 when it was only seen on a page
  JobId job = 0;
  bool fetched = false;
  PageId page = 0;                    // when it is a page that was read
  ImageId image = kNoId;              // when it is a picture that was analysed
  std::vector<std::string> shown_by;  // pages that show this picture, at most 16
};

/// What is kept of one host's addresses, and what was left out because it asked for it.
struct HostSummary {
  std::uint64_t pages = 0, images = 0;  // pages that were read, addresses of pictures
  std::map<Cause, std::uint64_t> failures_by_cause;
  std::uint64_t noindex = 0, nofollow = 0, noimageindex = 0, noai = 0;  // pages that ask for it, in meta or header
};

/// A picture that lies in the archive and that nobody has looked at: fetched by a crawl that does not analyse.
struct WaitingImage {
  std::int64_t id = 0;  // of its address; grows
  JobId job = 0;
  Fetch fetch;
};

struct CatalogStats {
  std::uint64_t pages = 0, products = 0, images = 0, image_urls = 0, urls = 0, failures = 0, to_index = 0;
  std::map<std::string, std::uint64_t> pages_by_shop;
  std::map<Cause, std::uint64_t> failures_by_cause;
};

/// Threads: begin() and the transaction from one thread at a time. All readers from any thread and process at once; each sees one
/// committed state and waits for nobody. "Nothing" (nullopt, 0, empty) is an answer; errors as CatalogTransaction.
class Catalog {
 public:
  virtual ~Catalog() = default;

  /// kBusy when another transaction is open in this or another process; kForbidden when opened for reading only.
  virtual Result<std::unique_ptr<CatalogTransaction>> begin() = 0;

  /// Oldest changes first. Read again after a crash it gives the same pictures, so indexing one twice must do no harm.
  ///   take_dirty -> index_document of each -> index commit -> transaction.clear_dirty(taken)
  virtual Result<std::vector<DirtyImage>> take_dirty(std::size_t limit) const = 0;
  /// Everything the pages and products that show a picture say, joined. Nothing when it must not be found (no seed named it, and no page
  /// shows it that permits it, or it is small and came from ten addresses of one host: a stand-in; or it is no product's and on most of its
  /// shop's pages of products: a logo), or is unknown: then off the index.
  virtual Result<std::optional<IndexDocument>> index_document(ImageId image) const = 0;
  /// Pictures on this page that were fetched, each once.
  virtual Result<std::vector<ImageId>> images_shown_by(PageId page) const = 0;

  virtual Result<std::optional<ImageId>> image_by_sha256(const Sha256& sha256) const = 0;
  virtual Result<std::optional<Image>> image(ImageId id) const = 0;
  virtual Result<std::optional<ImageDetails>> image_details(ImageId id) const = 0;
  /// What a list says of pictures: each, its addresses, and the first of its showings; the rest is empty. In the order of `ids`, without
  /// those that are unknown. Cost: a fraction of image_details().
  virtual Result<std::vector<ImageDetails>> images_in_brief(std::span<const ImageId> ids) const = 0;
  virtual Result<std::optional<Embedding>> embedding(ImageId id, std::string_view space) const = 0;
  /// What was detected in a picture, number 1 first, with the vectors in `space`; such a vector is empty where none is kept.
  virtual Result<std::vector<EmbeddedRegion>> regions(ImageId id, std::string_view space) const = 0;
  virtual Result<std::vector<ImageId>> copies(ImageId group) const = 0;
  /// Groups of two and more, in order of id, behind `after`; those that nobody has kept yet, or all. Cost: the pictures up to the last.
  virtual Result<std::vector<CopyGroup>> copy_groups(ImageId after, bool unreviewed_only, std::size_t limit) const = 0;
  /// Links among the pictures of a group, by image and other, at most kCopyLinksMax.
  virtual Result<std::vector<CopyLink>> copy_links(ImageId group) const = 0;
  static constexpr std::size_t kCopyLinksMax = 1'000;
  /// Newest first.
  virtual Result<std::vector<CopyReview>> copy_reviews(std::size_t limit) const = 0;
  virtual Result<std::optional<CopyReview>> copy_review(std::uint64_t id) const = 0;
  /// Those behind it, oldest first.
  virtual Result<std::vector<CopyReview>> copy_reviews_since(std::uint64_t id) const = 0;
  /// Pictures that are in a group and not its first, with its id.
  virtual Result<void> each_copy(const std::function<Result<void>(ImageId, ImageId group)>& visit) const = 0;
  virtual Result<void> each_copy_link(const std::function<Result<void>(const CopyLink&)>& visit) const = 0;
  /// Pairs with a verdict.
  virtual Result<void> each_copy_verdict(const std::function<Result<void>(const CopyPair&)>& visit) const = 0;

  /// Addresses that a source has labelled so, the newest first.
  virtual Result<std::vector<std::string>> labelled_urls(std::string_view source, std::string_view label, std::size_t limit) const = 0;
  /// By label. Cost: one pass over the source's labels.
  virtual Result<std::vector<LabelCount>> label_counts(std::string_view source) const = 0;
  /// Where each list of a job stands (CatalogTransaction::set_listing).
  virtual Result<std::map<std::string, std::string>> listings(JobId job) const = 0;

  virtual Result<std::optional<PageDetails>> page(PageId id) const = 0;
  virtual Result<std::optional<PageId>> page_by_url(std::string_view url) const = 0;
  virtual Result<std::optional<StoredProduct>> product(ProductId id) const = 0;
  /// Others with its GTIN, or its maker's number, or whose pictures are copies of its own; of each kind, and of each picture, at most
  /// `limit`. By id. Cost: as many as there are.
  virtual Result<std::vector<LikeProduct>> products_like(const StoredProduct& product, std::size_t limit) const = 0;
  /// The latest `limit` changes of one product's price, oldest first.
  virtual Result<std::vector<ProductChange>> price_changes(ProductId id, std::size_t limit) const = 0;
  virtual Result<std::optional<UrlDetails>> why(std::string_view url) const = 0;

  /// In order of id, until `visit` returns an error, which is handed on. One state throughout.
  virtual Result<void> each_image(const std::function<Result<void>(const Image&)>& visit) const = 0;
  virtual Result<void> each_embedding(std::string_view space,
                                      const std::function<Result<void>(ImageId, std::span<const float>)>& visit) const = 0;
  virtual Result<void> each_page(const std::function<Result<void>(PageId, const std::string& url)>& visit) const = 0;
  virtual Result<void> each_product(const std::function<Result<void>(const StoredProduct&)>& visit) const = 0;  // without `images`
  /// What of a job is due at `now`, ready for Frontier::revisit, at most `limit`, the longest due first: pages whose time has come, and
  /// sitemaps an hour after they were read. `all`: every page, sitemap and picture that was fetched well. Cost: what it returns, or with
  /// `all` one pass over the addresses.
  virtual Result<std::vector<UrlRecord>> due(JobId job, Timestamp now, bool all, std::size_t limit) const = 0;
  /// Changes of products that were known before, oldest first, behind change number `after`.
  virtual Result<std::vector<ProductChange>> changes(std::uint64_t after, std::size_t limit) const = 0;
  /// Failed fetches, newest first; of one cause, or of all.
  virtual Result<std::vector<Fetch>> failures(std::optional<Cause> cause, std::size_t limit) const = 0;

  /// Pictures that wait to be analysed, in order of id, behind `after`. Cost: a pass over the addresses behind it, until `limit` are found.
  virtual Result<std::vector<WaitingImage>> waiting_images(std::int64_t after, std::size_t limit) const = 0;
  /// Pictures that lack an embedding in `space`, or one of a region's, in order of id, behind `after`. Cost as above, over the pictures.
  virtual Result<std::vector<Image>> images_without(std::string_view space, ImageId after, std::size_t limit) const = 0;
  /// Embedded pictures that the detector (its name and version) has not looked at, likewise.
  virtual Result<std::vector<Image>> images_undetected(std::string_view detector, std::string_view space, ImageId after,
                                                       std::size_t limit) const = 0;
  /// Embedded pictures whose looks were not compared with others' (set_copy_sketch) and that wait for no index, likewise.
  virtual Result<std::vector<Image>> images_uncompared(std::string_view space, ImageId after, std::size_t limit) const = 0;
  /// nullopt for a picture that was not compared.
  virtual Result<std::optional<std::string>> copy_sketch(ImageId id) const = 0;
  /// Embedded pictures that were not looked at in `space` since what is said of them last changed, and that wait for no index, likewise.
  virtual Result<std::vector<ImageId>> images_to_surround(std::string_view space, ImageId after, std::size_t limit) const = 0;
  /// nullopt where it is to be looked at (again). Its inherited words stay until then.
  virtual Result<std::optional<Surroundings>> surroundings(ImageId id) const = 0;
  virtual Result<std::vector<InheritedWord>> inherited_words(ImageId id) const = 0;
  /// Those that inherited a word from it.
  virtual Result<std::vector<ImageId>> heirs(ImageId source) const = 0;
  /// The words that speak of the picture itself, at most kOwnWordsMax, the most telling first, folded: of its products' names, its texts
  /// and labels, where its pages permit it to be found. None where it is not to be found.
  virtual Result<std::vector<std::string>> own_words(ImageId id) const = 0;
  static constexpr std::size_t kOwnWordsMax = 16;
  virtual Result<std::optional<NoteworthyFeatures>> noteworthy_features(ImageId id) const = 0;
  /// The highest id of a picture, and of one that was compared; kNoId where there is none.
  struct LastImages {
    ImageId known = kNoId, compared = kNoId;
  };
  virtual Result<LastImages> last_images() const = 0;

  virtual Result<CatalogStats> stats() const = 0;
  virtual Result<std::vector<Job>> jobs() const = 0;  // newest first
  virtual Result<std::optional<Job>> job(JobId id) const = 0;
  /// Oldest first. Cost: as many as there are.
  virtual Result<std::vector<HostVisit>> host_visits(std::string_view host) const = 0;
  /// Hosts that were to be left alone beyond `now`, and until when. Cost: one pass over all visits.
  virtual Result<std::map<std::string, Timestamp>> resting_hosts(Timestamp now) const = 0;
  virtual Result<std::vector<LearntSelector>> selectors(std::string_view host) const = 0;
  /// What a target comes to (core/forget.h says what). kNotFound when nothing is known of it, kBadInput for what is no such name.
  virtual Result<ForgetPlan> plan_forgetting(const ForgetTarget& target) const = 0;
  virtual Result<Refusals> refusals() const = 0;
  /// Whether anything lies in that file.
  virtual Result<bool> refers_to(Store store, std::uint32_t file) const = 0;
  /// Writes the file anew, without what deleted rows left in it. kBusy while there is a transaction. Cost: all of it.
  virtual Result<void> compact() = 0;
  virtual Result<HostSummary> host_summary(std::string_view host) const = 0;
  virtual Result<std::optional<std::string>> meta(std::string_view key) const = 0;
  /// Unpredictable, made once per collection: seeds URL signatures (base/hash.h), so that nobody can prepare colliding ones.
  virtual std::uint64_t url_seed() const = 0;
  /// Made once per collection, 16 hex digits.
  virtual std::string collection_id() const = 0;
};

}  // namespace magpie
