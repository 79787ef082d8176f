// magpie inspect store DIR: every page and picture of a collection, and whether a picture is to be found.
#include <algorithm>
#include <cstdio>
#include <map>
#include <vector>

#include "base/hash.h"
#include "embedded/archive.h"
#include "embedded/catalog.h"
#include "inspect.h"

namespace magpie::cmd {
namespace {

Result<void> print_pages(const Catalog& catalog) {
  return catalog.each_page([&](PageId id, const std::string& url) -> Result<void> {
    MAGPIE_TRY(const auto page, catalog.page(id));
    if (!page) return {};
    JsonWriter json;
    json.begin_object()
        .field("kind", "page")
        .field("url", url)
        .field("title", page->page.title)
        .field("indexed", !page->page.robots.noindex);
    json.key("images").number(page->refs.size()).key("products").number(page->products.size()).end_object();
    print_line(json.text());
    return {};
  });
}

std::string_view first_alt(const ImageDetails& details) {
  for (const Showing& showing : details.showings) {
    if (!showing.alt.empty()) return showing.alt;
  }
  return {};
}

void write_labels(JsonWriter& json, const std::vector<PictureLabel>& labels) {
  json.key("labels").begin_array();
  for (const PictureLabel& label : labels) {
    json.begin_object().field("url", label.url).field("source", label.source).field("label", label.label).field("api", label.api);
    json.field("artist", label.artist).field("artist_url", label.artist_url).field("page_url", label.page_url);
    json.field("licence", label.licence).end_object();
  }
  json.end_array();
}

void print_image(const ImageDetails& details, bool indexed) {
  JsonWriter json;
  json.begin_object()
      .field("kind", "image")
      .field("url", details.urls.empty() ? std::string() : details.urls.front())
      .field("alt", first_alt(details));
  json.field("width", details.image.width).field("height", details.image.height).field("sha256", to_hex(details.image.sha256));
  json.key("urls").begin_array();
  for (const std::string& url : details.urls) json.string(url);
  json.end_array().field("indexed", indexed);
  if (!details.labels.empty()) write_labels(json, details.labels);
  print_line(json.end_object().text());
}

/// Of each group of near-copies one picture is found: the findable one with most pixels, the oldest of equals.
Result<std::map<ImageId, ImageId>> best_of_groups(const Catalog& catalog) {
  std::map<ImageId, std::pair<std::uint64_t, ImageId>> best;
  MAGPIE_TRY_DO(catalog.each_image([&](const Image& image) -> Result<void> {
    MAGPIE_TRY(const auto document, catalog.index_document(image.id));
    if (!document) return {};
    auto& [pixels, id] = best[image.copy_group];
    if (id == kNoId || document->pixels > pixels) {
      pixels = document->pixels;
      id = image.id;
    }
    return {};
  }));
  std::map<ImageId, ImageId> ids;
  for (const auto& [group, chosen] : best) ids.emplace(group, chosen.second);
  return ids;
}

Result<void> print_images(const Catalog& catalog) {
  MAGPIE_TRY(const auto best, best_of_groups(catalog));
  return catalog.each_image([&](const Image& image) -> Result<void> {
    MAGPIE_TRY(const auto details, catalog.image_details(image.id));
    if (!details) return {};
    const auto chosen = best.find(image.copy_group);
    print_image(*details, chosen != best.end() && chosen->second == image.id);
    return {};
  });
}

struct BrokenImage {
  std::vector<std::string> urls;
  Cause cause = Cause::kNone;
};

void print_broken_image(const std::string& sha, const BrokenImage& image) {
  JsonWriter json;
  json.begin_object().field("kind", "image").field("url", image.urls.front()).field("alt", "").key("width").null().key("height").null();
  json.key("sha256");
  if (sha.empty()) json.null();  // the archive's record is damaged
  else json.string(sha);
  json.key("urls").begin_array();
  for (const std::string& url : image.urls) json.string(url);
  json.end_array().field("indexed", false).field("cause", to_string(image.cause)).end_object();
  print_line(json.text());
}

/// Pictures that came but could not be read: the archive still has their bytes.
Result<void> print_broken(const Catalog& catalog, const fs::path& archive_folder) {
  MAGPIE_TRY(const auto archive, open_archive(archive_folder, {.read_only = true}));
  constexpr std::size_t kBrokenMax = 1'000'000;
  MAGPIE_TRY(const auto failures, catalog.failures(std::nullopt, kBrokenMax));
  std::map<std::string, BrokenImage> broken;  // by SHA-256 in hex
  for (const Fetch& fetch : failures) {
    if (fetch.kind != UrlKind::kImage || fetch.place.file == 0) continue;
    const auto kept = archive->read(fetch.place);
    BrokenImage& image = broken[kept ? to_hex(sha256(kept->body)) : std::string()];
    image.urls.push_back(fetch.url);
    image.cause = fetch.cause;
  }
  for (auto& [sha, image] : broken) {
    std::sort(image.urls.begin(), image.urls.end());
    print_broken_image(sha, image);
  }
  return {};
}

Result<void> print_store(const fs::path& folder) {
  MAGPIE_TRY(const auto catalog, open_catalog(folder / "catalog.db", {.read_only = true}));
  MAGPIE_TRY_DO(print_pages(*catalog));
  MAGPIE_TRY_DO(print_images(*catalog));
  std::error_code none;
  return fs::exists(folder / "archive", none) ? print_broken(*catalog, folder / "archive") : Result<void>();
}

}  // namespace

int inspect_store(InspectArgs args) {
  if (args.size() != 1) {
    std::fputs("magpie inspect store DIR: name the folder of a collection\n", stderr);
    return 2;
  }
  const auto done = print_store(args[0]);
  if (done) return 0;
  std::fprintf(stderr, "magpie: %s\n", done.error().message.c_str());
  return 3;
}

}  // namespace magpie::cmd
