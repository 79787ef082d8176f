#include "serve/static_files.h"

#include <zlib.h>

#include <array>

#include "base/hash.h"
#include "base/log.h"

namespace magpie {
namespace {

// Scripts, styles, pictures and requests from this server only; pictures also from memory, for the preview of an upload.
constexpr std::string_view kPagePolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; "
    "manifest-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

std::string content_type_of(std::string_view path) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 13> kTypes = {{
      {".html", "text/html; charset=utf-8"},
      {".js", "text/javascript; charset=utf-8"},
      {".css", "text/css; charset=utf-8"},
      {".json", "application/json"},
      {".map", "application/json"},
      {".svg", "image/svg+xml"},
      {".png", "image/png"},
      {".jpg", "image/jpeg"},
      {".webp", "image/webp"},
      {".ico", "image/x-icon"},
      {".woff2", "font/woff2"},
      {".txt", "text/plain; charset=utf-8"},
      {".webmanifest", "application/manifest+json"},
  }};
  for (const auto& [ending, type] : kTypes) {
    if (path.ends_with(ending)) return std::string(type);
  }
  return "application/octet-stream";
}

bool is_compressible(std::string_view content_type) {
  return content_type.starts_with("text/") || content_type.starts_with("application/json") || content_type == "image/svg+xml";
}

std::string gzip(std::string_view plain) {
  z_stream stream{};
  if (deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) return "";
  std::string packed(deflateBound(&stream, plain.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(plain.data()));
  stream.avail_in = static_cast<uInt>(plain.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  const bool done = deflate(&stream, Z_FINISH) == Z_STREAM_END;
  packed.resize(done ? stream.total_out : 0);
  deflateEnd(&stream);
  return packed;
}

bool accepts_gzip(const HttpServerRequest& request) {
  const std::string_view accepted = request.header("accept-encoding");
  const std::size_t at = accepted.find("gzip");
  return at != std::string_view::npos && !accepted.substr(at + 4).starts_with(";q=0");
}

}  // namespace

bool matches_etag(std::string_view if_none_match, std::string_view etag) {
  while (!if_none_match.empty()) {
    const std::size_t end = std::min(if_none_match.find(','), if_none_match.size());
    std::string_view one = if_none_match.substr(0, end);
    while (one.starts_with(' ') || one.starts_with('\t')) one.remove_prefix(1);
    while (one.ends_with(' ') || one.ends_with('\t')) one.remove_suffix(1);
    if (one.starts_with("W/")) one.remove_prefix(2);
    if (one == etag || one == "*") return true;
    if_none_match.remove_prefix(std::min(end + 1, if_none_match.size()));
  }
  return false;
}

StaticFiles::File StaticFiles::make_file(const std::string& path, std::string bytes) {
  File file;
  file.content_type = content_type_of(path);
  const Sha256 digest = sha256(bytes);
  file.etag = fmt::format("\"{}\"", to_hex(std::span(digest).first(16)));
  file.immutable = path.starts_with("/assets/");
  if (is_compressible(file.content_type) && bytes.size() > 1'000) {
    std::string packed = gzip(bytes);
    if (!packed.empty() && packed.size() < bytes.size()) file.gzip = std::make_shared<const std::string>(std::move(packed));
  }
  file.plain = std::make_shared<const std::string>(std::move(bytes));
  return file;
}

Result<StaticFiles> StaticFiles::load(const fs::path& folder) {
  StaticFiles files;
  std::size_t total = 0;
  std::error_code error;
  for (fs::recursive_directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    if (!entry->is_regular_file(error)) continue;
    MAGPIE_TRY(std::string bytes, read_file(entry->path(), kBytesMax));
    total += bytes.size();
    if (total > kBytesMax) return fail(Code::kTooLarge, "the web files in {} have over {} bytes", folder.string(), kBytesMax);
    const std::string path = "/" + entry->path().lexically_relative(folder).generic_string();
    files.files_.emplace(path, make_file(path, std::move(bytes)));
  }
  if (error) return fail(Code::kUnavailable, "reading the web files in {}: {}", folder.string(), error.message());
  if (!files.files_.contains("/index.html")) return fail(Code::kNotFound, "there is no index.html in {}", folder.string());
  return files;
}

const StaticFiles::File* StaticFiles::find(const std::string& path) const {
  auto found = files_.find(path);
  const std::string_view last = std::string_view(path).substr(path.rfind('/') + 1);
  if (found == files_.end() && last.find('.') == std::string_view::npos) found = files_.find("/index.html");
  return found == files_.end() ? nullptr : &found->second;
}

std::optional<HttpServerReply> StaticFiles::answer(const HttpServerRequest& request) const {
  const File* file = find(request.path);
  if (file == nullptr) return std::nullopt;
  HttpServerReply reply;
  reply.headers = {{"Content-Type", file->content_type},
                   {"ETag", file->etag},
                   {"Cache-Control", file->immutable ? "public, max-age=31536000, immutable" : "no-cache"},
                   {"Vary", "Accept-Encoding"},
                   {"Content-Security-Policy", std::string(kPagePolicy)}};
  if (matches_etag(request.header("if-none-match"), file->etag)) {
    reply.status = 304;
  } else if (file->gzip && accepts_gzip(request)) {
    reply.headers.push_back({"Content-Encoding", "gzip"});
    reply.body = file->gzip;
  } else {
    reply.body = file->plain;
  }
  return reply;
}

}  // namespace magpie
