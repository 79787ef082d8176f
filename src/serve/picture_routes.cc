#include <array>

#include "base/hash.h"
#include "serve/api_text.h"
#include "serve/picture_json.h"
#include "serve/routes.h"
#include "serve/static_files.h"

namespace magpie {
namespace {

constexpr std::uint32_t kLargeSide = 1'600;

tl::unexpected<Problem> no_image(std::string_view id) { return problem(404, "image_not_found", "no picture has the id {}", id); }

Outcome<ImageId> image_id(std::string_view text) {
  SERVE_TRY(const std::uint64_t id, path_id(text));
  if (id > UINT32_MAX) return no_image(text);
  return static_cast<ImageId>(id);
}

PictureSource source_of(ApiState& state) { return {state.ports.catalog, state.cards, state.options.embedding_space}; }

std::string_view type_of_original(std::string_view format) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 9> kTypes = {{{"jpeg", "image/jpeg"},
                                                                                    {"png", "image/png"},
                                                                                    {"gif", "image/gif"},
                                                                                    {"webp", "image/webp"},
                                                                                    {"avif", "image/avif"},
                                                                                    {"tiff", "image/tiff"},
                                                                                    {"bmp", "image/bmp"},
                                                                                    {"ico", "image/x-icon"},
                                                                                    {"svg", "image/svg+xml"}}};
  for (const auto& [name, type] : kTypes) {
    if (name == format) return type;
  }
  return "application/octet-stream";
}

struct Variant {
  KeptPictures::Bytes bytes;
  std::string_view content_type;
};

Outcome<Variant> stored_variant(ApiState& state, const VariantPlace& place) {
  SERVE_TRY(std::string bytes, state.ports.variants.get(place));
  const std::string_view type = type_of_variant(bytes);
  return Variant{std::make_shared<const std::string>(std::move(bytes)), type};
}

Outcome<std::string> original_bytes(ApiState& state, const Image& image) {
  SERVE_TRY(ArchivedResponse response, state.ports.archive.read(image.original));
  return std::move(response.body);
}

/// Made when first asked for.
Outcome<Variant> large_variant(ApiState& state, const Image& image, Deadline deadline) {
  KeptPictures::Bytes bytes = state.large.find(image.id);
  if (!bytes) {
    SERVE_TRY(const std::string original, original_bytes(state, image));
    SERVE_TRY(std::string scaled, state.ports.pictures.scale(original, kLargeSide, deadline));
    bytes = std::make_shared<const std::string>(std::move(scaled));
    state.large.keep(image.id, bytes);
  }
  return Variant{bytes, type_of_variant(*bytes)};
}

Outcome<Variant> variant_of(ApiState& state, const Image& image, std::string_view name, Deadline deadline) {
  const bool is_made = name == "large" || (name == "preview" && image.preview.file == 0);  // a small picture has no preview of its own
  if (is_made) return large_variant(state, image, deadline);
  if (name == "original") {
    SERVE_TRY(std::string bytes, original_bytes(state, image));
    return Variant{std::make_shared<const std::string>(std::move(bytes)), type_of_original(image.format)};
  }
  const VariantPlace& place = name == "thumbnail" ? image.thumbnail : image.preview;
  if (place.file == 0) return problem(404, "variant_not_found", "the picture {} has no {}", image.id, name);
  return stored_variant(state, place);
}

bool is_variant(std::string_view name) { return name == "thumbnail" || name == "preview" || name == "large" || name == "original"; }

}  // namespace

std::string_view type_of_variant(std::string_view bytes) {
  if (bytes.starts_with("\xFF\xD8")) return "image/jpeg";
  if (bytes.starts_with("\x89PNG")) return "image/png";
  if (bytes.substr(0, 4) == "RIFF") return "image/webp";
  return "application/octet-stream";
}

RouteReply image(ApiState& state, const HttpServerRequest& request, std::string_view id_text) {
  SERVE_TRY([[maybe_unused]] const bool none, no_parameters(request));
  SERVE_TRY(const ImageId id, image_id(id_text));
  SERVE_TRY(const auto details, state.ports.catalog.image_details(id));
  if (!details) return no_image(id_text);
  SERVE_TRY(std::string text, image_text(source_of(state), *details));
  return json_reply(std::move(text));
}

RouteReply image_variant(ApiState& state, const HttpServerRequest& request, std::string_view id_text, std::string_view name) {
  SERVE_TRY([[maybe_unused]] const bool none, no_parameters(request));
  SERVE_TRY(const ImageId id, image_id(id_text));
  if (!is_variant(name)) return problem(404, "variant_not_found", "there is thumbnail, preview, large and original, no '{}'", name);
  SERVE_TRY(const auto picture, state.ports.catalog.image(id));
  if (!picture) return no_image(id_text);
  SERVE_TRY(const Variant variant, variant_of(state, *picture, name, request.deadline));
  const std::string etag = fmt::format("\"{}\"", to_hex(name == "original" ? picture->sha256 : sha256(*variant.bytes)));
  HttpServerReply reply;
  reply.headers = {{"ETag", etag}, {"Cache-Control", "public, max-age=31536000, immutable"}};
  if (matches_etag(request.header("if-none-match"), etag)) {
    reply.status = 304;
    return reply;
  }
  reply.headers.push_back({"Content-Type", std::string(variant.content_type)});
  // The site's own bytes may be an SVG with a script: opened by itself it must not run as a page of this server.
  reply.headers.push_back({"Content-Security-Policy", "sandbox; default-src 'none'"});
  reply.body = variant.bytes;
  return reply;
}

RouteReply product(ApiState& state, const HttpServerRequest& request, std::string_view id_text) {
  SERVE_TRY([[maybe_unused]] const bool none, no_parameters(request));
  SERVE_TRY(const std::uint64_t id, path_id(id_text));
  SERVE_TRY(const auto stored, state.ports.catalog.product(id));
  if (!stored) return problem(404, "product_not_found", "no product has the id {}", id);
  SERVE_TRY(std::string text, product_text(source_of(state), *stored));
  return json_reply(std::move(text));
}

}  // namespace magpie
