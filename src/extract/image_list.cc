#include "extract/image_list.h"

#include <string.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/ascii.h"
#include "base/utf8.h"
#include "extract/json_value.h"
#include "extract/srcset.h"
#include "text/language.h"

namespace magpie {
namespace {

constexpr std::size_t kTextBytesMax = 1024;
constexpr std::size_t kCandidatesMax = 64;
// What a picture without any stated size is taken for, and the order of the kinds: a link to the file beats a zoom attribute beats src.
constexpr double kPlainWidth = 800, kLazyWidth = 801, kLinkedWidth = 2'500, kZoomWidth = 3'000;

std::uint32_t pixels(std::string_view text) {
  std::uint32_t value = 0;
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const std::string_view rest = text.substr(static_cast<std::size_t>(end - text.data()));
  // "100%" says nothing of the picture.
  return error == std::errc() && value <= 100'000 && (rest.empty() || rest.starts_with("px") || rest.starts_with(".")) ? value : 0;
}

std::string_view path_of(std::string_view url) {
  url = url.substr(0, url.find('?'));
  url = url.substr(0, url.find('#'));
  const std::size_t scheme = url.find("://");
  if (scheme == std::string_view::npos) return url;
  const std::size_t slash = url.find('/', scheme + 3);
  return slash == std::string_view::npos ? std::string_view() : url.substr(slash);
}

// Attributes that hold one address, and how large a picture they promise.
struct LazyAttribute {
  std::string_view name;
  double value;
};
constexpr LazyAttribute kLazyAttributes[] = {
    {"data-zoom-image", kZoomWidth},
    {"data-large_image", kZoomWidth},
    {"data-zoom", kZoomWidth - 1},
    {"data-zoom-src", kZoomWidth - 1},
    {"data-full", kZoomWidth - 1},
    {"data-full-src", kZoomWidth - 1},
    {"data-fullsize", kZoomWidth - 1},
    {"data-hires", kZoomWidth - 2},
    {"data-old-hires", kZoomWidth - 2},
    {"data-high-res-src", kZoomWidth - 2},
    {"data-magnify-src", kZoomWidth - 2},
    {"data-large", kZoomWidth - 3},
    {"data-large-image", kZoomWidth - 3},
    {"data-big", kZoomWidth - 3},
    {"data-image-large", kZoomWidth - 3},
    {"data-orig-file", kZoomWidth},
    {"data-original", kLazyWidth + 1},
    {"data-src", kLazyWidth},
    {"data-lazy-src", kLazyWidth},
    {"data-lazy", kLazyWidth},
    {"data-lazyload", kLazyWidth},
    {"data-img", kLazyWidth},
    {"data-image", kLazyWidth},
    {"data-original-src", kLazyWidth},
    {"data-echo", kLazyWidth},
    {"data-url", kLazyWidth},
    {"data-defer-src", kLazyWidth},
    {"data-src-retina", kLazyWidth + 2},
    {"data-retina", kLazyWidth + 2},
    {"data-ll-src", kLazyWidth},
    {"data-cfsrc", kLazyWidth},
    {"data-orig-src", kLazyWidth},
    {"data-imgsrc", kLazyWidth},
    {"lazy-src", kLazyWidth},
    {"loading-src", kLazyWidth},
};
constexpr std::string_view kLazySrcsets[] = {"data-srcset",    "data-lazy-srcset", "data-original-set",
                                             "data-ll-srcset", "data-cfsrcset",    "data-orig-srcset"};

const LazyAttribute* lazy_attribute(std::string_view name) {
  const auto* found =
      std::find_if(std::begin(kLazyAttributes), std::end(kLazyAttributes), [&](const LazyAttribute& lazy) { return lazy.name == name; });
  return found == std::end(kLazyAttributes) ? nullptr : found;
}

// A value of a data attribute counts only if it looks like an address: data-image may as well hold an id.
bool looks_like_url(std::string_view text) {
  if (text.empty() || text.size() > 4096 || text.front() == '{' || text.front() == '[') return false;
  return text.find('/') != std::string_view::npos || is_picture_url(text);
}

std::string_view background_url(std::string_view style) {
  const std::size_t property = style.find("background");
  if (property == std::string_view::npos) return {};
  const std::size_t begin = style.find("url(", property);
  if (begin == std::string_view::npos) return {};
  const std::size_t end = style.find(')', begin);
  std::string_view url = style.substr(begin + 4, end == std::string_view::npos ? end : end - begin - 4);
  while (!url.empty() && (url.front() == '"' || url.front() == '\'' || url.front() == ' ')) url.remove_prefix(1);
  while (!url.empty() && (url.back() == '"' || url.back() == '\'' || url.back() == ' ')) url.remove_suffix(1);
  return url;
}

HtmlNode ancestor(HtmlNode node, std::string_view name, int levels) {
  for (HtmlNode at = node.parent(); at && levels > 0; at = at.parent(), --levels) {
    if (at.is(name)) return at;
  }
  return {};
}

std::string figure_caption(HtmlNode image) {
  const HtmlNode figure = ancestor(image, "figure", 6);
  if (!figure) return {};
  int nodes = 0;
  for (HtmlNode node = figure.first_child(); node && ++nodes < 200; node = node.next_in_order(figure)) {
    if (node.is("figcaption")) return node.visible_text(kTextBytesMax);
  }
  return {};
}

// What the elements around a picture say of their language; what the page as a whole says is left to others.
std::string declared_language(HtmlNode element) {
  constexpr int kLevelsMax = 64;
  int levels = 0;
  for (HtmlNode at = element; at && ++levels < kLevelsMax; at = at.parent()) {
    if (!at.is_element() || !at.has_attribute("lang")) continue;
    return at.tag() == HtmlTag::kHtml ? std::string() : normalise_language_tag(at.attribute("lang"));
  }
  return {};
}

std::string alt_of(HtmlNode element) {
  const std::string_view alt = element.attribute("alt");
  std::string text = squeeze(utf8_prefix(alt, kTextBytesMax));
  const std::string title = squeeze(utf8_prefix(element.attribute("title"), kTextBytesMax));
  if (text.empty() && !alt.data()) text = squeeze(utf8_prefix(element.attribute("aria-label"), kTextBytesMax));
  if (title.empty() || title == text) return text;
  return text.empty() ? title : text + " " + title;
}

}  // namespace

namespace {

bool ends_name(char c) { return c == '.' || c == '-' || c == '_' || (c >= '0' && c <= '9'); }

bool begins_with_stand_in(std::string_view word) {
  switch (ascii_lower(word.front())) {
    case 's':
    case 'p':
    case 'l':
    case '1':
    case 'a':
    case 'n': break;
    default: return false;  // none of these begins so
  }
  static constexpr std::string_view kNames[] = {"spacer",      "placeholder", "1x1",     "lazyload", "lazy-load",
                                                "ajax-loader", "preloader",   "noimage", "no-image", "no_image"};
  return std::any_of(std::begin(kNames), std::end(kNames), [&](std::string_view name) {
    return word.size() >= name.size() &&
           std::equal(name.begin(), name.end(), word.begin(), [](char a, char b) { return a == ascii_lower(b); }) &&
           (word.size() == name.size() || ends_name(word[name.size()]));
  });
}

constexpr std::array<bool, 256> kEndsWord = [] {
  std::array<bool, 256> ends{};
  for (const unsigned char c : {'-', '_', '.'}) ends[c] = true;
  return ends;
}();

// Names of nothing but stand-ins, as the beginning of a file's name or of a word in it: "metropixel.jpg" is a picture.
bool names_stand_in(std::string_view file) {
  for (std::size_t begin = 0; begin < file.size(); ++begin) {
    if (begins_with_stand_in(file.substr(begin))) return true;
    while (begin < file.size() && !kEndsWord[static_cast<unsigned char>(file[begin])]) ++begin;
  }
  return false;
}

// Words that honest files carry, too ("pixel-7.jpg", "empty-frame.png"): only as the whole name of a kind of file that spacers are.
bool is_spacer_file(std::string_view name) {
  constexpr std::size_t kNameBytesMax = 15;  // "transparent.gif"
  if (name.size() > kNameBytesMax) return false;
  const std::string lowered = ascii_lowered(name);
  const std::string_view file = lowered;
  static constexpr std::string_view kStems[] = {"blank", "transparent", "pixel", "loading", "loader", "empty", "dummy", "spinner"};
  static constexpr std::string_view kFiles[] = {"grey.gif", "gray.gif", "clear.gif", "trans.gif", "s.gif", "lazy.gif"};
  if (std::find(std::begin(kFiles), std::end(kFiles), file) != std::end(kFiles)) return true;
  const std::size_t dot = file.rfind('.');
  if (dot == std::string_view::npos) return false;
  const std::string_view ending = file.substr(dot);
  const bool fits = ending == ".gif" || ending == ".png" || ending == ".svg";
  return fits && std::find(std::begin(kStems), std::end(kStems), file.substr(0, dot)) != std::end(kStems);
}

}  // namespace

bool is_placeholder_url(std::string_view url) {
  const std::string_view path = path_of(url);
  const void* slash = ::memrchr(path.data(), '/', path.size());  // std's goes byte by byte
  const std::string_view file =
      path.substr(slash == nullptr ? 0 : static_cast<std::size_t>(static_cast<const char*>(slash) - path.data()) + 1);
  return names_stand_in(file) || is_spacer_file(file);
}

bool is_picture_url(std::string_view url) {
  constexpr std::size_t kEndingBytesMax = 5;
  const std::string_view path = path_of(url);
  const std::string ending_of_path = ascii_lowered(path.substr(path.size() - std::min(path.size(), kEndingBytesMax)));
  static constexpr std::string_view kEndings[] = {".jpg", ".jpeg", ".png", ".webp", ".gif", ".avif", ".tif", ".tiff", ".bmp"};
  return std::any_of(std::begin(kEndings), std::end(kEndings), [&](std::string_view ending) { return ending_of_path.ends_with(ending); });
}

void ImageList::add_url(std::vector<Candidate>& out, std::string_view href, double value, ImageOrigin origin) const {
  if (out.size() >= kCandidatesMax) return;
  std::string url = urls_.absolute(href);
  if (!url.empty() && !is_placeholder_url(url)) out.push_back({std::move(url), value, origin});
}

void ImageList::add_srcset(std::vector<Candidate>& out, std::string_view srcset, ImageOrigin origin, double base_width) const {
  for (const SrcsetCandidate& candidate : parse_srcset(srcset, kCandidatesMax)) {
    add_url(out, candidate.url, candidate.width > 0 ? candidate.width : candidate.density * base_width, origin);
  }
}

// <source> elements of the <picture> around the image: the same picture in other formats and crops.
void ImageList::add_sources(std::vector<Candidate>& out, HtmlNode image, double base_width) const {
  const HtmlNode picture = ancestor(image, "picture", 4);
  if (!picture) return;
  int seen = 0;
  for (HtmlNode node = picture.first_child(); node && ++seen < 64; node = node.next_in_order(picture)) {
    if (!node.is("source")) continue;
    for (const std::string_view attribute :
         {std::string_view("srcset"), std::string_view("data-srcset"), std::string_view("data-lazy-srcset")}) {
      // A shade less than the image's own, which every decoder reads.
      const std::size_t first = out.size();
      add_srcset(out, node.attribute(attribute), ImageOrigin::kPicture, base_width);
      for (std::size_t i = first; i < out.size(); ++i) out[i].value -= 0.25;
    }
    if (looks_like_url(node.attribute("data-src"))) add_url(out, node.attribute("data-src"), base_width - 0.25, ImageOrigin::kPicture);
  }
}

void ImageList::add_lazy(std::vector<Candidate>& out, HtmlNode element, double base_width) const {
  element.each_attribute([&](std::string_view name, std::string_view value) {
    if (!name.starts_with("data-") && !name.starts_with("lazy-") && !name.starts_with("loading-")) return;
    if (std::find(std::begin(kLazySrcsets), std::end(kLazySrcsets), name) != std::end(kLazySrcsets)) {
      add_srcset(out, value, ImageOrigin::kLazy, base_width);
    } else if (name == "data-a-dynamic-image") {  // {"address": [width, height], ..}
      for (const JsonValue& json : parse_json_texts(value, 256)) {
        for (const auto& [url, size] : json.members) {
          add_url(out, url, size.items.empty() ? kPlainWidth : pixels(size.items.front().text), ImageOrigin::kLazy);
        }
      }
    } else if (const LazyAttribute* lazy = lazy_attribute(name); lazy != nullptr && looks_like_url(value)) {
      add_url(out, value, lazy->value, ImageOrigin::kLazy);
    }
  });
}

std::vector<ImageList::Candidate> ImageList::candidates_of(HtmlNode element, std::uint32_t width) const {
  const double base_width = width > 0 ? width : kPlainWidth;
  std::vector<Candidate> candidates;
  add_srcset(candidates, element.attribute("srcset"), ImageOrigin::kSrcset, base_width);
  add_sources(candidates, element, base_width);
  add_lazy(candidates, element, base_width);
  // src is by custom one of the srcset; where it is another, it is taken for hardly smaller than the largest of them.
  double src_value = kPlainWidth;
  if (!candidates.empty()) {
    double stated = 0;
    for (const Candidate& candidate : candidates) {
      if (candidate.origin != ImageOrigin::kLazy) stated = std::max(stated, candidate.value);
    }
    if (stated > 0) src_value = stated - 0.5;
  }
  const bool is_svg = element.name() == "image";
  add_url(candidates, element.attribute(is_svg ? "href" : "src"), src_value, ImageOrigin::kImg);
  return candidates;
}

void ImageList::add_element(HtmlNode element, std::string_view nearest_heading) {
  if (images_.size() >= count_max_) return;
  ImageRef image;
  image.width = pixels(element.attribute("width"));
  image.height = pixels(element.attribute("height"));
  const bool dot = (image.width > 0 && image.width <= 2) || (image.height > 0 && image.height <= 2);
  std::vector<Candidate> candidates = candidates_of(element, image.width);
  if (candidates.empty() || dot) return;
  if (const HtmlNode link = ancestor(element, "a", 4); link && is_picture_url(link.attribute("href"))) {
    add_url(candidates, link.attribute("href"), kLinkedWidth, ImageOrigin::kLink);
  }
  image.alt = alt_of(element);
  if (expects_languages_) image.language = declared_language(element);
  image.caption = figure_caption(element);
  if (image.caption.empty()) image.caption = nearest_heading;
  add(std::move(candidates), std::move(image));
}

void ImageList::add_background(HtmlNode element, std::string_view nearest_heading) {
  if (images_.size() >= count_max_) return;
  std::vector<Candidate> candidates;
  for (const std::string_view attribute :
       {std::string_view("data-bg"), std::string_view("data-background-image"), std::string_view("data-background")}) {
    std::string_view value = element.attribute(attribute);
    if (value.starts_with("url(")) value = value.substr(4, value.size() - 5);
    if (looks_like_url(value)) add_url(candidates, value, kLazyWidth, ImageOrigin::kLazy);
  }
  if (const std::string_view url = background_url(element.attribute("style")); is_picture_url(url))
    add_url(candidates, url, kPlainWidth, ImageOrigin::kImg);
  if (candidates.empty()) return;
  ImageRef image;
  image.alt = alt_of(element);
  image.caption = nearest_heading;
  add(std::move(candidates), std::move(image));
}

void ImageList::add_named(std::string_view url, ImageOrigin origin, std::string_view alt, std::uint32_t width, std::uint32_t height) {
  if (images_.size() >= count_max_) return;
  std::vector<Candidate> candidates;
  add_url(candidates, url, kPlainWidth, origin);
  if (candidates.empty()) return;
  ImageRef image;
  image.alt = squeeze(utf8_prefix(alt, kTextBytesMax));
  image.width = width;
  image.height = height;
  add(std::move(candidates), std::move(image));
}

void ImageList::add(std::vector<Candidate> candidates, ImageRef image) {
  std::stable_sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) { return a.value > b.value; });
  image.url = candidates.front().url;
  image.origin = candidates.front().origin;
  for (const Candidate& candidate : candidates) {
    const bool again = candidate.url == image.url ||
                       std::find(image.alternatives.begin(), image.alternatives.end(), candidate.url) != image.alternatives.end();
    if (!again) image.alternatives.push_back(candidate.url);
  }
  const auto known = by_url_.find(image.url);
  if (known != by_url_.end()) return merge(images_[known->second], std::move(image), known->second);
  const std::size_t at = images_.size();
  by_url_.try_emplace(image.url, at);
  for (const std::string& url : image.alternatives) by_url_.try_emplace(url, at);
  images_.push_back(std::move(image));
}

// The same picture met again: what is known of it grows, its place stays.
void ImageList::merge(ImageRef& known, ImageRef&& image, std::size_t at) {
  if (known.alt.empty()) {
    known.alt = std::move(image.alt);
    known.language = std::move(image.language);
  }
  if (known.caption.empty()) known.caption = std::move(image.caption);
  if (image.width > known.width) {
    known.width = image.width;
    known.height = image.height;
  }
  for (std::string& url : image.alternatives) {
    if (known.alternatives.size() < kCandidatesMax && by_url_.try_emplace(url, at).second) known.alternatives.push_back(std::move(url));
  }
}

std::optional<std::size_t> ImageList::find(HtmlNode element) const {
  for (const Candidate& candidate : candidates_of(element, 0)) {
    if (const auto known = by_url_.find(candidate.url); known != by_url_.end()) return known->second;
  }
  return std::nullopt;
}

void ImageList::set_licence(std::size_t image, const ImageLicence& licence) {
  if (images_[image].licence.terms.empty()) images_[image].licence = licence;
}

void ImageList::set_licence(const std::string& url, const ImageLicence& licence) {
  if (const auto known = by_url_.find(url); known != by_url_.end()) set_licence(known->second, licence);
}

void ImageList::mark_product(const std::vector<std::string>& urls) {
  for (const std::string& url : urls) {
    if (const auto found = by_url_.find(url); found != by_url_.end()) images_[found->second].of_product = true;
  }
}

}  // namespace magpie
