#include "serve/shop_json.h"

#include <simdjson.h>

#include <algorithm>
#include <array>

#include "serve/api_text.h"
#include "serve/job_json.h"

namespace magpie {
namespace {

constexpr std::size_t kTextBytesMax = 8'192;
constexpr std::size_t kTimesMax = 96;
constexpr std::uint64_t kProductsMax = 50;

void write_shop_fields(JsonWriter& json, const Shop& shop) {
  json.key("name");
  shop.name.empty() ? json.null() : json.string(shop.name);
  json.field("address", shop.address).field("profile", shop.profile).field("state", to_string(shop.state)).key("schedule");
  if (shop.every) {
    json.begin_object().field("every", format_duration(*shop.every)).end_object();
  } else if (!shop.at.empty()) {
    json.begin_object().key("at").begin_array();
    for (const int minutes : shop.at) json.string(time_of_day(minutes));
    json.end_array().end_object();
  } else {
    json.null();
  }
  write_text_or_null(json, "render", shop.render.value_or(""));
  write_text_or_null(json, "delay", shop.delay ? format_duration(*shop.delay) : "");
  json.key("max_pages");
  shop.pages_max ? json.number(*shop.pages_max) : json.null();
}

void write_yield_or_null(JsonWriter& json, const std::optional<ShopYield>& yield) {
  json.key("yield");
  yield ? json.raw(to_json(*yield)) : json.null();
}

void write_preview_product(JsonWriter& json, const PreviewView& preview, std::size_t rank) {
  const PreviewProduct& one = preview.products[rank];
  json.begin_object().field("page_url", one.url).field("name", one.product.name).key("price");
  write_price(json, one.product.offer);
  write_text_or_null(json, "brand", one.product.brand);
  write_text_or_null(json, "category", one.product.category);
  write_text_or_null(json, "sku", one.product.sku);
  write_text_or_null(json, "availability", one.product.offer.availability);
  json.field("pictures", one.product.images.size()).field("width", one.width).field("height", one.height).key("thumbnail");
  one.thumbnail ? json.string(fmt::format("/api/v1/previews/{}/thumbnails/{}", preview.id, rank + 1)) : json.null();
  json.end_object();
}

/// The fields of one request, each read once; what nobody asked for is a problem at the end.
class BodyReader {
 public:
  explicit BodyReader(std::string_view json) {
    simdjson::dom::element root;
    if (const auto error = parser_.parse(json).get(root)) refuse("the body is not JSON: {}", simdjson::error_message(error));
    else if (root.get(object_) != simdjson::SUCCESS) refuse("the body must be a JSON object");
  }

  /// Its text, "" for null; nothing when it is absent.
  std::optional<std::string> text(std::string_view key) {
    const auto element = find(key);
    if (!element) return std::nullopt;
    if (element->is_null()) return "";
    std::string_view text;
    if (element->get(text) != simdjson::SUCCESS || text.size() > kTextBytesMax)
      return refuse("{} must be a string of at most {} bytes", key, kTextBytesMax), std::nullopt;
    return std::string(text);
  }

  /// A whole number in digits, as text().
  std::optional<std::string> number(std::string_view key) {
    const auto element = find(key);
    if (!element) return std::nullopt;
    if (element->is_null()) return "";
    std::uint64_t value = 0;
    if (element->get(value) != simdjson::SUCCESS) return refuse("{} must be a whole number", key), std::nullopt;
    return std::to_string(value);
  }

  std::optional<ShopSchedule> schedule() {
    const auto element = find("schedule");
    if (!element) return std::nullopt;
    ShopSchedule schedule;
    if (element->is_null()) return schedule;
    simdjson::dom::object object;
    bool good = element->get(object) == simdjson::SUCCESS;
    if (good) {
      for (const auto& field : object) good = good && read_schedule_field(field, schedule);
    }
    if (!good) return refuse(R"(schedule must be like {{"every": "1d"}} or {{"at": ["06:00", "18:00"]}}, or null for once)"), std::nullopt;
    return schedule;
  }

  void shop_fields(ShopChange& change) {
    change.profile = text("profile");
    change.render = text("render");
    change.delay = text("delay");
    change.pages_max = number("max_pages");
  }

  template <class Request>
  Outcome<Request> end(Request request, std::string_view what) {
    if (!problem_.empty()) return problem(400, "request_malformed", "{}", problem_);
    for (const auto& field : object_) {
      if (std::find(known_.begin(), known_.end(), field.key) == known_.end())
        return problem(400, "request_malformed", "there is no key '{}' of {}; it has {}", field.key, what, fmt::join(known_, ", "));
    }
    return request;
  }

  template <class... Args>
  void refuse(fmt::format_string<Args...> format, Args&&... args) {
    if (problem_.empty()) problem_ = fmt::format(format, std::forward<Args>(args)...);
  }

 private:
  std::optional<simdjson::dom::element> find(std::string_view key) {
    known_.push_back(key);
    simdjson::dom::element element;
    if (!problem_.empty() || object_[key].get(element) != simdjson::SUCCESS) return std::nullopt;
    return element;
  }

  static bool read_schedule_field(const simdjson::dom::key_value_pair& field, ShopSchedule& schedule) {
    std::string_view text;
    if (field.key == "every") {
      if (field.value.get(text) != simdjson::SUCCESS || text.empty()) return false;
      schedule.every = text;
      return true;
    }
    simdjson::dom::array times;
    if (field.key != "at" || field.value.get(times) != simdjson::SUCCESS || times.size() == 0 || times.size() > kTimesMax) return false;
    for (const simdjson::dom::element one : times) {
      if (one.get(text) != simdjson::SUCCESS) return false;
      schedule.at.emplace_back(text);
    }
    return true;
  }

  simdjson::dom::parser parser_;
  simdjson::dom::object object_;
  std::vector<std::string_view> known_;
  std::string problem_;
};

}  // namespace

std::string_view to_string(ShopState state) {
  constexpr std::array<std::string_view, 4> kNames = {"queued", "active", "paused", "inactive"};
  return kNames[static_cast<std::size_t>(state)];
}

std::string time_of_day(int minutes) { return fmt::format("{:02}:{:02}", minutes / 60, minutes % 60); }

std::string to_json(const ShopYield& yield) {
  JsonWriter json;
  const auto ratio = [&](std::string_view name, double value, std::uint64_t of) {
    json.key(name);
    of > 0 ? json.number(value / static_cast<double>(of)) : json.null();
  };
  json.begin_object().field("pages", yield.pages).field("products", yield.products).field("products_new", yield.products_new);
  ratio("share_with_price", static_cast<double>(yield.with_price), yield.products);
  ratio("share_with_brand", static_cast<double>(yield.with_brand), yield.products);
  ratio("share_with_picture", static_cast<double>(yield.with_picture), yield.products);
  ratio("share_complete", static_cast<double>(yield.complete), yield.products);
  ratio("requests_per_new_product", static_cast<double>(yield.requests), yield.products_new);
  ratio("bytes_per_new_product", static_cast<double>(yield.bytes), yield.products_new);
  ratio("seconds_per_new_product", yield.seconds, yield.products_new);
  json.key("classes").begin_object();
  for (const auto& [name, count] : yield.classes) json.field(name.empty() ? "other" : name, count);
  return json.end_object().end_object().take();
}

void write_shop(JsonWriter& json, const ShopView& view) {
  json.begin_object();
  write_shop_fields(json, view.shop);
  write_time_or_null(json, "next_at", view.next_at);
  json.field("picture_side_min", view.picture_side_min);
  write_yield_or_null(json, view.yield);
  json.key("job");
  view.job ? write_job(json, *view.job) : static_cast<void>(json.null());
  json.end_object();
}

std::string shop_text(const ShopView& shop) {
  JsonWriter json;
  write_shop(json, shop);
  return json.take();
}

std::string preview_text(const PreviewView& preview) {
  JsonWriter json;
  json.begin_object().field("preview_id", preview.id).field("state", to_string(preview.state)).key("shop").begin_object();
  write_shop_fields(json, preview.shop);
  json.end_object().field("created_at", api_time(preview.created_at)).field("pages", preview.pages).field("failed", preview.failed);
  write_text_or_null(json, "message", preview.message.value_or(""));
  json.field("picture_side_min", preview.picture_side_min).key("products").begin_array();
  for (std::size_t i = 0; i < preview.products.size(); ++i) write_preview_product(json, preview, i);
  json.end_array();
  write_yield_or_null(json, preview.yield);
  return json.end_object().take();
}

Outcome<ShopRequest> parse_new_shop(std::string_view json) {
  BodyReader body(json);
  ShopRequest request;
  if (const auto name = body.text("name")) {
    request.name = *name;
    if (name->empty()) body.refuse("name is empty; leave it out to call the shop after its address");
  }
  request.change.address = body.text("address");
  body.shop_fields(request.change);
  request.change.state = body.text("state");
  request.change.schedule = body.schedule();
  if (!request.change.address) body.refuse("address is missing: name the shop's address");
  return body.end(std::move(request), "a new shop");
}

Outcome<ShopRequest> parse_shop_change(std::string_view json) {
  BodyReader body(json);
  ShopRequest request;
  body.shop_fields(request.change);
  request.change.state = body.text("state");
  request.change.schedule = body.schedule();
  return body.end(std::move(request), "a shop that can be changed");
}

Outcome<ShopRequest> parse_shop_run(std::string_view json) {
  BodyReader body(json);
  ShopRequest request;
  body.shop_fields(request.change);
  request.agent = body.text("agent");
  return body.end(std::move(request), "a shop's crawl");
}

Outcome<ShopRequest> parse_new_preview(std::string_view json) {
  BodyReader body(json);
  ShopRequest request;
  request.name = body.text("shop").value_or("");
  request.change.address = body.text("address");
  body.shop_fields(request.change);
  request.agent = body.text("agent");
  const std::uint64_t count = std::stoull("0" + body.number("count").value_or("10").substr(0, 9));
  if (count < 1 || count > kProductsMax) body.refuse("count must be a whole number from 1 to {}", kProductsMax);
  request.count = static_cast<std::size_t>(count);
  if (request.name.empty() == !request.change.address) body.refuse("name either a 'shop' or the 'address' of one that is none yet");
  return body.end(std::move(request), "a preview");
}

}  // namespace magpie
