#pragma once
// The records that travel between stages: small values without behaviour beyond their own invariants. Pages and pictures
// themselves stay in the archive and travel as an ArchivePlace. Text is UTF-8 everywhere; URLs are WHATWG-serialised;
// times are UTC. encode_page/decode_page (core/page_wire.h) carry a Page over a worker's pipe.
#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.h"

namespace magpie {

using Timestamp = std::chrono::sys_time<std::chrono::milliseconds>;

using ImageId = std::uint32_t;    // one distinct picture by content (SHA-256); dense, from 1, never used again
using PageId = std::uint64_t;     // one page by URL; from 1
using ProductId = std::uint64_t;  // one product on one page; from 1
using JobId = std::uint64_t;      // one crawl; from 1
inline constexpr std::uint32_t kNoId = 0;

/// Where a record lies in the archive: bytes [offset, offset + length) of file number `file`, one gzip member.
struct ArchivePlace {
  std::uint32_t file = 0;  // 1 for the first; 0 means nowhere
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
  bool operator==(const ArchivePlace&) const = default;
};

/// Persisted: append only.
enum class UrlKind : std::uint8_t { kPage = 1, kImage = 2, kSitemap = 3, kRobots = 4 };

inline constexpr std::uint8_t kUrlPriorityDefault = 1;
inline constexpr std::uint8_t kUrlPriorityLast = 3;  // of four; persisted

/// An address the crawl knows.
struct UrlRecord {
  std::string url;  // canonical (net/url.h: canonical_url)
  UrlKind kind = UrlKind::kPage;
  std::uint16_t depth = 0;  // links from a seed
  JobId job = 0;
  std::uint8_t priority = kUrlPriorityDefault;  // 0 goes out first, kUrlPriorityLast last
  bool operator==(const UrlRecord&) const = default;
};

/// Why a fetch or a picture came to nothing; kNone for success. Persisted: append only. Names: to_string, "dns", "too-large", …
enum class Cause : std::uint8_t {
  kNone = 0,
  kDns = 1,
  kConnect = 2,
  kTls = 3,
  kTimeout = 4,
  kProtocol = 5,  // not HTTP, a broken body, a redirect without a target
  kRobots = 6,    // robots.txt, or robots.txt unreachable
  kScope = 7,     // a redirect out of the job
  kGuard = 8,     // a private address
  kStatus = 9,    // a 4xx or 5xx answer
  kTooLarge = 10,
  kRedirects = 11,    // a loop, or too many
  kContentType = 12,  // neither page nor picture
  kDecode = 13,       // not a picture that can be decoded
  kCrashed = 14,      // the worker died of it
  kOutOfMemory = 15,
  kDisk = 16,
  kCancelled = 17,
  kNotFound = 18,   // 404 and 410
  kThrottled = 19,  // 429 and 503
  kOptedOut = 20,   // its owner wants it not to be found
  // Answers that are no content, whatever their status says (extract/page_class.h):
  kSoftError = 21,    // an error page
  kCaptcha = 22,      // a puzzle or another proof to be a person
  kRateLimited = 23,  // words instead of a 429
  kLoginWall = 24,    // a password first
  kPlaceholder = 25,  // a picture that stands for none
};
std::string_view to_string(Cause cause);
std::optional<Cause> cause_from_string(std::string_view name);

/// One finished exchange with a server, as the archive keeps it.
struct Fetch {
  std::string url;  // asked for, canonical
  UrlKind kind = UrlKind::kPage;
  std::string redirect;  // absolute target of a 3xx, else empty
  int status = 0;        // 0: no answer
  Cause cause = Cause::kNone;
  std::string detail;               // words for a person, e.g. curl's own
  std::string content_type;         // as sent
  std::string etag, last_modified;  // as sent, for conditional requests
  Timestamp fetched_at{};
  std::chrono::milliseconds took{};
  std::uint64_t body_bytes = 0;  // after content decoding
  ArchivePlace place;            // nowhere when nothing was kept
};

struct Link {
  std::string url;   // absolute
  std::string text;  // white space squeezed
  std::string rel;   // lower case, space-separated
};

/// Where an image candidate was found; also its rank of trust for products. Persisted: append only.
enum class ImageOrigin : std::uint8_t {
  kImg = 1,
  kSrcset = 2,
  kPicture = 3,
  kLazy = 4,
  kOpenGraph = 5,
  kJsonLd = 6,
  kMicrodata = 7,
  kLink = 8,
  kVideoPoster = 9,
  kIcon = 10,
  kSitemap = 11
};

/// On what terms a picture may be used, as a page says.
struct ImageLicence {
  std::string terms;   // their address, else words; empty: the page says nothing. licence_name() (core/licence.h) has a short name of some
  std::string credit;  // whom to name, or who made it or holds the rights
  std::string page;    // where a licence is to be had
  bool operator==(const ImageLicence&) const = default;
};

/// One picture as a page speaks of it. `url` is the largest true candidate of its element; the others follow as fall-backs.
struct ImageRef {
  std::string url;
  std::vector<std::string> alternatives;  // best first, without `url`
  ImageOrigin origin = ImageOrigin::kImg;
  std::string alt;                      // alt and title attributes
  std::string caption;                  // figcaption, else nearest heading
  std::string language;                 // BCP 47 tag of alt and caption where it is another than the page's, else empty
  std::uint32_t width = 0, height = 0;  // declared, 0 unknown
  bool of_product = false;              // the page's own product names it
  ImageLicence licence;
};

struct Offer {
  std::string price;         // decimal, "1299.95"; empty unknown
  std::string currency;      // ISO 4217, empty unknown
  std::string old_price;     // before a discount, decimal or empty
  std::string availability;  // "InStock", "OutOfStock", or empty unknown
};

/// Where a product's field was read: markup, state that scripts carry, what the page shows, its address, or the place where the site's
/// other pages show it (FieldSelector). Persisted: append only.
enum class FieldOrigin : std::uint8_t {
  kJsonLd = 1,
  kMicrodata = 2,
  kRdfa = 3,
  kOpenGraph = 4,
  kEmbedded = 5,
  kVisible = 6,
  kAddress = 7,
  kLearnt = 8
};

/// "json-ld", "microdata", "rdfa", "opengraph", "embedded", "visible", "address", "learnt".
std::string_view to_string(FieldOrigin origin);

/// Why a product's field has its value.
struct FieldEvidence {
  std::string field;  // "price", "currency", "availability", "brand", "sku", "gtin"
  FieldOrigin origin = FieldOrigin::kJsonLd;
  std::uint8_t sure_percent = 0;  // 0..100; a judgement by rank of source and agreement, no frequency
  std::string otherwise;          // what another part of the page says instead; empty when none disagrees
};

/// A choice the buyer makes: {"Size", "XL"}. The name is as the page gives it, and empty where it gives none.
struct VariantOption {
  std::string name, value;
  bool operator==(const VariantOption&) const = default;
};

/// One of the versions a product is sold in. What is empty is the product's own, or unknown.
struct ProductVariant {
  std::vector<VariantOption> options;  // what tells it from the others, at most kOptionsMax
  std::string sku, gtin;
  Offer offer;
  std::string image;  // absolute
  static constexpr std::size_t kOptionsMax = 8;
};
inline constexpr std::size_t kVariantsMax = 100;  // of one product

struct Product {
  std::string name, brand, description, sku, gtin, category;
  Offer offer;
  std::vector<std::string> images;       // absolute, the main one first
  std::string url;                       // the product's own address, absolute, may be empty
  std::vector<FieldEvidence> evidence;   // of the page's own product; a field without is empty, or from its markup
  std::vector<ProductVariant> variants;  // of the page's own product, as the page orders them; at most kVariantsMax
};

/// Where the pages of a site show a product's field (extract/field_selectors.h).
struct FieldSelector {
  std::string field;  // "name", "price", "brand", "sku", "gtin", "availability", "description"
  std::string path;   // the element and those around it, innermost first, at most four: "span.price<div.summary<main#content"
  std::string words;  // that stand before the value ("SKU:"); of availability all that stands there, folded
  std::string value;  // of availability what the words mean: "InStock"; else empty
  static constexpr std::size_t kPathBytesMax = 512, kWordsBytesMax = 128;
  auto operator<=>(const FieldSelector&) const = default;
};

/// What one page whose markup names the value says of a selector.
struct SelectorTrial {
  FieldSelector selector;
  bool agrees = false;  // the page shows just that value there
};

/// What a page asks robots not to do (meta robots and X-Robots-Tag together).
struct RobotsMeta {
  bool noindex = false, nofollow = false, noimageindex = false, noai = false;
};

/// Whether a page is content, and the evidence if it is not.
struct PageVerdict {
  Cause cause = Cause::kNone;  // kNone: content; else kSoftError, kCaptcha, kRateLimited or kLoginWall
  std::string evidence;        // words for a person: "its heading says 'page not found'"
};

/// All that is read out of one page.
struct Page {
  std::string url;        // as fetched, after redirects
  std::string canonical;  // absolute or empty
  std::string title, description, language, charset, site_name;
  std::vector<std::string> keywords;  // most telling first
  std::vector<Link> links;
  std::vector<ImageRef> images;
  std::vector<Product> products;  // the page's own first
  RobotsMeta robots;
  PageVerdict verdict;
  /// Of a page that says little: a hash of all it says and shows, without the words of its own address, so that pages which say the same
  /// to every address can be told. 0 for all others.
  std::uint64_t shape = 0;
  /// Says and shows next to nothing by itself, and carries scripts that may: a browser could find more (extract/app_shell.h).
  bool app_shell = false;
  /// What the page says of where its site shows a product's fields; of pages with markup, when they were asked.
  std::vector<SelectorTrial> selector_trials;
};

struct ColourShare {
  std::uint32_t rgb = 0;  // 0xRRGGBB
  float share = 0;        // 0..1 of the foreground
  std::string name;       // one of the eleven basic names: black white grey red orange yellow green blue purple pink brown
};

/// What a detector found in a picture: a box in shares 0..1 of its upright width and height. A picture's regions are numbered from 1, the
/// best score first.
struct Region {
  float left = 0, top = 0, right = 0, bottom = 0;
  float score = 0;                   // 0..1
  std::string label;                 // the class, as the detector's model names it: "Footwear"
  std::vector<ColourShare> colours;  // of what is in the box, its background left out; largest share first, at most 5
};
/// Regions of one picture at most.
inline constexpr std::size_t kRegionsMax = 8;

/// Where a variant's bytes lie in the variant store; same meaning as ArchivePlace.
using VariantPlace = ArchivePlace;

/// One distinct picture and what analysis found.
struct Image {
  ImageId id = kNoId;
  Sha256 sha256{};
  std::string format;                     // "jpeg", "png", …
  std::uint32_t width = 0, height = 0;    // the file's own, before orientation
  std::uint32_t frames = 1;               // of an animation; pages of a TIFF
  std::chrono::milliseconds duration{0};  // of an animation shown once; 0 for a still
  std::uint32_t plays = 0;                // how many times an animation is shown; 0 without end, and for a still
  std::uint8_t orientation = 1;           // EXIF, 1..8
  std::uint64_t bytes = 0;
  std::uint64_t phash = 0, dhash = 0;
  std::array<std::uint8_t, 32> pdq{};          // highest bit first
  std::uint8_t pdq_quality = 0;                // 0..100
  std::array<std::uint8_t, 48> colour_grid{};  // mean red, green, blue of a 4 × 4 grid over the upright picture, row by row
  float brightness = 0;                        // 0..255
  std::vector<ColourShare> colours;            // largest share first, at most 5
  ArchivePlace original;
  VariantPlace thumbnail, preview;
  Timestamp fetched_at{};
  ImageId copy_group = kNoId;  // the first picture of its group of near-copies; itself when alone
};

using Embedding = std::vector<float>;  // unit length

struct EmbeddedRegion {
  Region region;
  Embedding embedding;
};

/// What the index knows of one picture: everything the pages and products that show it say, joined. See core/text_index.h.
struct IndexDocument {
  ImageId id = kNoId;
  std::string title;                   // product names and page titles
  std::string alt;                     // alt texts and captions
  std::string keywords;                // page keywords, words of the URL
  std::string description;             // product descriptions
  std::vector<std::string> inherited;  // words that its look-alikes have (core/surroundings.h)
  std::string language;                // BCP 47 primary tag of the page, "" unknown
  std::string alt_language;            // of `alt` where it is another, else ""
  std::string shop;                    // host, with port where it is not the scheme's own
  std::string category, brand;
  std::vector<std::string> colours;  // names, at most 3
  std::vector<std::string> classes;  // of its regions, each once
  std::vector<std::string> sizes;    // that its product can be had in, as its page spells them
  std::vector<std::string> labels;   // those it was collected under, and the licences named there
  std::vector<std::string> licences;
  std::optional<std::int64_t> price_micros;      // price × 1,000,000, in `currency`
  std::optional<std::int64_t> old_price_micros;  // before a discount, above price_micros
  std::string currency;
  std::int64_t fetched_at_seconds = 0;  // Unix time
  ImageId copy_group = kNoId;           // results show one picture of a group
  std::uint64_t pixels = 0;             // width × height, to choose among copies
};

}  // namespace magpie
