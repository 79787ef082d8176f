#include "serve/hit_cards.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/json_writer.h"
#include "base/log.h"
#include "core/frontier.h"
#include "net/http_target.h"
#include "serve/api_text.h"

namespace magpie {
namespace {

std::string last_part_of(std::string_view url) {
  std::string_view path = url.substr(0, url.find_first_of("?#"));
  while (path.ends_with('/')) path.remove_suffix(1);
  return percent_decoded(path.substr(path.rfind('/') + 1));
}

const StoredProduct* product_of(const ImageDetails& details) {
  return details.showings.empty() || !details.showings.front().product ? nullptr : &*details.showings.front().product;
}

/// The members that no query changes.
std::shared_ptr<const std::string> make_card(const ImageDetails& details) {
  const ImageId id = details.image.id;
  const StoredProduct* product = product_of(details);
  const UprightSize size = upright_size(details.image);
  JsonWriter json;
  json.begin_object().field("image_id", id).key("product_id");
  product ? json.number(product->id) : json.null();
  json.field("page_url", page_url_of(details)).field("shop", shop_of(details)).field("title", title_of(details));
  json.field("alt", details.showings.empty() ? "" : details.showings.front().alt.c_str());
  json.field("width", std::max(size.width, 1U)).field("height", std::max(size.height, 1U));
  json.field("thumbnail", variant_link(id, "thumbnail")).field("colour", colour_of(details.image)).key("price");
  product ? write_price(json, product->product.offer) : void(json.null());
  write_text_or_null(json, "brand", product ? product->product.brand : "");
  write_text_or_null(json, "category", product ? product->product.category : "");
  json.field("fetched_at", api_time(details.image.fetched_at)).end_object();
  const std::string text = json.take();
  return std::make_shared<const std::string>(text.substr(1, text.size() - 2));
}

void append_score(std::string& out, const HitScore& hit) {
  char digits[32];
  const float score = std::isfinite(hit.score) ? std::clamp(hit.score, 0.0F, 1.0F) : 0.0F;
  const auto end = std::to_chars(digits, digits + sizeof digits, score, std::chars_format::fixed, 4);
  out.append("\"score\":").append(digits, end.ptr);
  out.append(",\"copies\":").append(std::to_string(hit.copies));
  out.append(",\"by_looks\":").append(hit.by_looks ? "true" : "false");
  out.append(",\"region\":").append(hit.region == 0 ? "null" : std::to_string(hit.region));
  out.append(",\"more_of_shop\":").append(std::to_string(hit.more_of_shop));
  out.append(",\"more_of_brand\":").append(std::to_string(hit.more_of_brand));
  if (!hit.why.empty()) out.append(",\"why\":").append(hit.why);
}

void append_object(std::string& out, const HitScore& hit, const std::string& card) {
  out += '{';
  append_score(out, hit);
  out.append(",").append(card).append("}");
}

}  // namespace

std::string variant_link(ImageId id, std::string_view variant) { return fmt::format("/api/v1/images/{}/{}", id, variant); }

UprightSize upright_size(const Image& image) {
  // EXIF orientations 5 to 8 lie on their side.
  return image.orientation >= 5 ? UprightSize{image.height, image.width} : UprightSize{image.width, image.height};
}

std::string title_of(const ImageDetails& details) {
  if (const StoredProduct* product = product_of(details); product && !product->product.name.empty()) return product->product.name;
  if (!details.showings.empty() && !details.showings.front().page_title.empty()) return details.showings.front().page_title;
  std::string part = last_part_of(details.urls.empty() ? page_url_of(details) : details.urls.front());
  return part.empty() ? shop_of(details) : part;
}

std::string page_url_of(const ImageDetails& details) {
  if (!details.showings.empty()) return details.showings.front().page_url;
  return details.urls.empty() ? "about:blank" : details.urls.front();
}

std::string shop_of(const ImageDetails& details) {
  if (!details.showings.empty()) return details.showings.front().shop;
  return std::string(host_of_url(page_url_of(details)));
}

std::string colour_of(const Image& image) { return api_colour(image.colours.empty() ? 0x888888 : image.colours.front().rgb); }

Result<std::string> HitCards::array(std::span<const HitScore> hits) {
  MAGPIE_TRY(const std::vector<Card> found, cards(hits));
  std::string out = "[";
  out.reserve(hits.size() * 800);
  for (std::size_t i = 0; i < hits.size(); ++i) {
    if (!found[i]) {
      // The index is at most one commit behind the catalog; a picture that left it just now is no reason to fail the others.
      log::warn_every(std::chrono::seconds(10), "api.hit_without_picture", {{"image_id", hits[i].id}});
      continue;
    }
    if (out.size() > 1) out += ',';
    append_object(out, hits[i], *found[i]);
  }
  return out.append("]");
}

Result<std::string> HitCards::object(const HitScore& hit) {
  MAGPIE_TRY(const std::vector<Card> found, cards(std::span(&hit, 1)));
  if (!found.front()) return fail(Code::kNotFound, "no picture has the id {}", hit.id);
  std::string out;
  append_object(out, hit, *found.front());
  return out;
}

Result<std::uint64_t> HitCards::version() const {
  MAGPIE_TRY(const auto snapshot, text_.snapshot());
  return snapshot->version();
}

Result<std::vector<HitCards::Card>> HitCards::cards(std::span<const HitScore> hits) {
  MAGPIE_TRY(const std::uint64_t now, version());
  std::vector<Card> found(hits.size());
  std::vector<ImageId> missing;
  state_.with([&](State& state) {
    if (state.version != now || state.cards.size() >= kCardsMax) state.cards.clear();
    state.version = now;
    for (std::size_t i = 0; i < hits.size(); ++i) {
      const auto known = state.cards.find(hits[i].id);
      if (known != state.cards.end()) found[i] = known->second;
      else missing.push_back(hits[i].id);
    }
  });
  if (missing.empty()) return found;
  MAGPIE_TRY(const std::vector<ImageDetails> details, catalog_.images_in_brief(missing));
  std::unordered_map<ImageId, Card> made;
  for (const ImageDetails& one : details) made.emplace(one.image.id, make_card(one));
  for (std::size_t i = 0; i < hits.size(); ++i) {
    const auto one = made.find(hits[i].id);
    if (!found[i] && one != made.end()) found[i] = one->second;
  }
  state_.with([&](State& state) {
    if (state.version == now) state.cards.merge(made);
  });
  return found;
}

}  // namespace magpie
