#include "embedded/catalog_rows.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/json_writer.h"
#include "base/utf8.h"
#include "base/wire.h"

namespace magpie {
namespace {

template <std::size_t N>
std::array<std::uint8_t, N> bytes_from(std::string_view blob) {
  std::array<std::uint8_t, N> out{};
  std::memcpy(out.data(), blob.data(), std::min(N, blob.size()));
  return out;
}

/// The character behind a backslash, moving `at` behind it. Only what JsonWriter writes.
void append_escaped(std::string& out, std::string_view json, std::size_t& at) {
  const char c = json[at++];
  switch (c) {
    case 'n': out += '\n'; return;
    case 't': out += '\t'; return;
    case 'r': out += '\r'; return;
    case 'b': out += '\b'; return;
    case 'f': out += '\f'; return;
    case 'u': {
      char32_t value = 0;
      for (int i = 0; i < 4 && at < json.size(); ++i, ++at) {
        const char digit = json[at];
        value = value * 16 + static_cast<char32_t>(digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10);
      }
      append_utf8(out, value);
      return;
    }
    default: out += c;
  }
}

}  // namespace

std::int64_t to_millis(Timestamp time) { return time.time_since_epoch().count(); }
Timestamp from_millis(std::int64_t millis) { return Timestamp(std::chrono::milliseconds(millis)); }

std::string to_json_list(const std::vector<std::string>& values) {
  if (values.empty()) return "[]";
  JsonWriter json;
  json.begin_array();
  for (const std::string& value : values) json.string(value);
  json.end_array();
  return json.take();
}

std::vector<std::string> from_json_list(std::string_view json) {
  std::vector<std::string> values;
  std::size_t at = 0;
  while ((at = json.find('"', at)) != std::string_view::npos) {
    std::string value;
    for (++at; at < json.size() && json[at] != '"';) {
      const char c = json[at++];
      if (c == '\\' && at < json.size()) append_escaped(value, json, at);
      else value += c;
    }
    ++at;
    values.push_back(std::move(value));
  }
  return values;
}

int robots_bits(const RobotsMeta& robots) {
  return (robots.noindex ? kRobotsNoIndex : 0) | (robots.nofollow ? kRobotsNoFollow : 0) | (robots.noimageindex ? kRobotsNoImageIndex : 0) |
         (robots.noai ? kRobotsNoAi : 0);
}

RobotsMeta robots_from(std::int64_t bits) {
  return {.noindex = (bits & kRobotsNoIndex) != 0,
          .nofollow = (bits & kRobotsNoFollow) != 0,
          .noimageindex = (bits & kRobotsNoImageIndex) != 0,
          .noai = (bits & kRobotsNoAi) != 0};
}

std::string encode_colours(const std::vector<ColourShare>& colours) {
  WireWriter out;
  out.u64(colours.size());
  for (const ColourShare& colour : colours) {
    out.u64(colour.rgb);
    out.f64(colour.share);
    out.bytes(colour.name);
  }
  return out.take();
}

std::vector<ColourShare> decode_colours(std::string_view bytes) {
  WireReader in(bytes);
  std::vector<ColourShare> colours(in.count());
  for (ColourShare& colour : colours) {
    colour.rgb = static_cast<std::uint32_t>(in.u64());
    colour.share = static_cast<float>(in.f64());
    colour.name = in.string();
  }
  return colours;
}

ArchivePlace place_at(const Query& row, int column) {
  return {static_cast<std::uint32_t>(row.int64(column)), static_cast<std::uint64_t>(row.int64(column + 1)),
          static_cast<std::uint64_t>(row.int64(column + 2))};
}

Fetch fetch_from(const Query& row) {
  Fetch fetch;
  fetch.url = row.string(0);
  fetch.kind = static_cast<UrlKind>(row.int64(1));
  fetch.redirect = row.string(2);
  fetch.status = static_cast<int>(row.int64(3));
  fetch.cause = static_cast<Cause>(row.int64(4));
  fetch.detail = row.string(5);
  fetch.content_type = row.string(6);
  fetch.etag = row.string(7);
  fetch.last_modified = row.string(8);
  fetch.fetched_at = from_millis(row.int64(9));
  fetch.took = std::chrono::milliseconds(row.int64(10));
  fetch.body_bytes = static_cast<std::uint64_t>(row.int64(11));
  fetch.place = place_at(row, 12);
  return fetch;
}

Image image_from(const Query& row) {
  Image image;
  image.id = static_cast<ImageId>(row.int64(0));
  image.sha256 = bytes_from<32>(row.blob(1));
  image.format = row.string(2);
  image.width = static_cast<std::uint32_t>(row.int64(3));
  image.height = static_cast<std::uint32_t>(row.int64(4));
  image.frames = static_cast<std::uint32_t>(row.int64(5));
  image.orientation = static_cast<std::uint8_t>(row.int64(6));
  image.bytes = static_cast<std::uint64_t>(row.int64(7));
  image.phash = static_cast<std::uint64_t>(row.int64(8));
  image.dhash = static_cast<std::uint64_t>(row.int64(9));
  image.pdq = bytes_from<32>(row.blob(10));
  image.pdq_quality = static_cast<std::uint8_t>(row.int64(11));
  image.brightness = static_cast<float>(row.real(12));
  image.colours = decode_colours(row.blob(13));
  image.original = place_at(row, 14);
  image.thumbnail = place_at(row, 17);
  image.preview = place_at(row, 20);
  image.fetched_at = from_millis(row.int64(23));
  image.copy_group = static_cast<ImageId>(row.int64(24));
  image.colour_grid = bytes_from<48>(row.blob(25));
  image.duration = std::chrono::milliseconds(row.int64(26));
  image.plays = static_cast<std::uint32_t>(row.int64(27));
  return image;
}

std::string to_json(const std::vector<FieldEvidence>& evidence) {
  std::vector<std::string> texts;
  for (const FieldEvidence& one : evidence) {
    texts.push_back(one.field);
    texts.push_back(std::to_string(static_cast<int>(one.origin)));
    texts.push_back(std::to_string(one.sure_percent));
    texts.push_back(one.otherwise);
  }
  return to_json_list(texts);
}

static std::vector<FieldEvidence> evidence_from(std::string_view json) {
  const std::vector<std::string> texts = from_json_list(json);
  std::vector<FieldEvidence> evidence;
  for (std::size_t i = 0; i + 4 <= texts.size(); i += 4) {
    const int origin = std::atoi(texts[i + 1].c_str()), sure = std::atoi(texts[i + 2].c_str());
    evidence.push_back({.field = texts[i],
                        .origin = static_cast<FieldOrigin>(origin),
                        .sure_percent = static_cast<std::uint8_t>(std::clamp(sure, 0, 100)),
                        .otherwise = texts[i + 3]});
  }
  return evidence;
}

// The texts behind a variant's options, in the order they are kept.
template <class AnyVariant>
static auto texts_of(AnyVariant& variant) {
  return std::array{
      &variant.sku,  &variant.gtin, &variant.offer.price, &variant.offer.currency, &variant.offer.old_price, &variant.offer.availability,
      &variant.image};
}

std::string to_json(const std::vector<ProductVariant>& variants) {
  std::vector<std::string> texts;
  for (const ProductVariant& variant : variants) {
    texts.push_back(std::to_string(variant.options.size()));
    for (const VariantOption& option : variant.options) {
      texts.push_back(option.name);
      texts.push_back(option.value);
    }
    for (const std::string* text : texts_of(variant)) texts.push_back(*text);
  }
  return to_json_list(texts);
}

static std::vector<ProductVariant> variants_from(std::string_view json) {
  std::vector<std::string> texts = from_json_list(json);
  std::vector<ProductVariant> variants;
  for (std::size_t at = 0; at < texts.size();) {
    ProductVariant variant;
    const auto options = static_cast<std::size_t>(std::max(std::atoi(texts[at++].c_str()), 0));
    if (options > ProductVariant::kOptionsMax || at + 2 * options + texts_of(variant).size() > texts.size()) return variants;
    for (std::size_t i = 0; i < options; ++i, at += 2) variant.options.push_back({std::move(texts[at]), std::move(texts[at + 1])});
    for (std::string* text : texts_of(variant)) *text = std::move(texts[at++]);
    variants.push_back(std::move(variant));
  }
  return variants;
}

StoredProduct product_from(const Query& row) {
  StoredProduct stored;
  stored.id = static_cast<ProductId>(row.int64(0));
  stored.page = static_cast<PageId>(row.int64(1));
  Product& product = stored.product;
  int column = 2;
  for (std::string* text :
       {&product.name, &product.brand, &product.description, &product.sku, &product.gtin, &product.category, &product.offer.price}) {
    *text = row.string(column++);
  }
  if (!row.is_null(9)) stored.price_micros = row.int64(9);
  product.offer.currency = row.string(10);
  product.offer.old_price = row.string(11);
  product.offer.availability = row.string(12);
  product.images = from_json_list(row.text(13));
  product.url = row.string(14);
  product.evidence = evidence_from(row.text(15));
  product.variants = variants_from(row.text(16));
  return stored;
}

Job job_from(const Query& row) {
  Job job;
  job.id = static_cast<JobId>(row.int64(0));
  job.name = row.string(1);
  job.seeds = from_json_list(row.text(2));
  job.settings_json = row.string(3);
  job.state = static_cast<JobState>(row.int64(4));
  job.detail = row.string(5);
  job.created_at = from_millis(row.int64(6));
  if (!row.is_null(7)) job.started_at = from_millis(row.int64(7));
  if (!row.is_null(8)) job.finished_at = from_millis(row.int64(8));
  job.counters_json = row.string(9);
  return job;
}

Result<std::vector<ImageId>> image_ids(Query& rows) {
  std::vector<ImageId> ids;
  MAGPIE_TRY_DO(each_row(rows, [&](const Query& row) -> Result<void> {
    ids.push_back(static_cast<ImageId>(row.int64(0)));
    return {};
  }));
  return ids;
}

}  // namespace magpie
