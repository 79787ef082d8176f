#pragma once
// Every picture that a page speaks of, grouped by the element that shows it, without repeats.
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/records.h"
#include "extract/page_urls.h"
#include "text/html_tree.h"

namespace magpie {

/// Whether the URL is a stand-in that pages show while a picture loads (spacer.gif, placeholder.png, …) or a counting pixel.
bool is_placeholder_url(std::string_view url);
/// Whether the URL's path ends like a picture file (".jpg", ".webp", …).
bool is_picture_url(std::string_view url);

/// Collects ImageRefs in document order. Not thread-safe; `urls` must outlive it.
class ImageList {
 public:
  ImageList(const PageUrls& urls, std::size_t count_max) : urls_(urls), count_max_(count_max) {}

  /// An <img>, <input type=image> or svg <image>, with its srcset, lazy attributes, <picture> sources and the link around it.
  void add_element(HtmlNode element, std::string_view nearest_heading);
  /// An element whose style or data attribute names a background picture.
  void add_background(HtmlNode element, std::string_view nearest_heading);
  /// One picture named by markup; `url` may be relative.
  void add_named(std::string_view url, ImageOrigin origin, std::string_view alt, std::uint32_t width = 0, std::uint32_t height = 0);
  /// Marks the pictures of the page's own product.
  void mark_product(const std::vector<std::string>& urls);

  /// The picture that an <img> added, by any of its candidates; nothing when it added none.
  std::optional<std::size_t> find(HtmlNode element) const;
  /// For the picture of that number or address, unless it has one already or there is none of that address.
  void set_licence(std::size_t image, const ImageLicence& licence);
  void set_licence(const std::string& url, const ImageLicence& licence);

  /// From now on elements are asked for a language that those around them declare: some element of the page does.
  void expect_languages() { expects_languages_ = true; }

  std::size_t size() const { return images_.size(); }
  const std::vector<ImageRef>& images() const { return images_; }
  std::vector<ImageRef> take() { return std::move(images_); }

 private:
  struct Candidate {
    std::string url;
    double value;  // expected width in pixels, or a guess that orders kinds of attributes
    ImageOrigin origin;
  };
  std::vector<Candidate> candidates_of(HtmlNode element, std::uint32_t width) const;
  void add(std::vector<Candidate> candidates, ImageRef image);
  void add_srcset(std::vector<Candidate>& out, std::string_view srcset, ImageOrigin origin, double base_width) const;
  void add_url(std::vector<Candidate>& out, std::string_view href, double value, ImageOrigin origin) const;
  void add_sources(std::vector<Candidate>& out, HtmlNode image, double base_width) const;
  void add_lazy(std::vector<Candidate>& out, HtmlNode element, double base_width) const;
  void merge(ImageRef& known, ImageRef&& image, std::size_t at);

  const PageUrls& urls_;
  std::size_t count_max_;
  bool expects_languages_ = false;
  std::vector<ImageRef> images_;
  std::unordered_map<std::string, std::size_t> by_url_;  // every candidate -> place in images_
};

}  // namespace magpie
