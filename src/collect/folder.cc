#include "collect/folder.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/ascii.h"
#include "collect/listing.h"
#include "crawl/local_client.h"
#include "net/http_target.h"

namespace magpie::collect {
namespace {

constexpr std::size_t kProblemsNamedMax = 10;

struct PictureType {
  std::string_view ending, media_type;
};
constexpr std::array<PictureType, 14> kPictureTypes = {{{".jpg", "image/jpeg"},
                                                        {".jpeg", "image/jpeg"},
                                                        {".jpe", "image/jpeg"},
                                                        {".jfif", "image/jpeg"},
                                                        {".png", "image/png"},
                                                        {".gif", "image/gif"},
                                                        {".webp", "image/webp"},
                                                        {".avif", "image/avif"},
                                                        {".heic", "image/heic"},
                                                        {".heif", "image/heif"},
                                                        {".tif", "image/tiff"},
                                                        {".tiff", "image/tiff"},
                                                        {".bmp", "image/bmp"},
                                                        {".svg", "image/svg+xml"}}};

std::string_view media_type_of(const fs::path& file) {
  const std::string ending = ascii_lowered(file.extension().native());
  const auto* found = std::ranges::find(kPictureTypes, ending, &PictureType::ending);
  return found == kPictureTypes.end() ? std::string_view() : found->media_type;
}

fs::path path_of(const Url& url) { return fs::path(percent_decoded(url.pathname())).lexically_normal(); }

bool is_below(const fs::path& path, const fs::path& root) {
  return std::mismatch(root.begin(), root.end(), path.begin(), path.end()).first == root.end();
}

/// Wherever links lead.
bool is_file_below(const fs::path& path, const fs::path& root) {
  std::error_code error;
  const fs::path true_path = fs::canonical(path, error);
  return !error && is_below(true_path, root) && fs::is_regular_file(true_path, error);
}

HttpResponse with_status(HttpResponse response, int status, std::string_view reason, HttpHeaders headers) {
  response.status = status;
  response.headers = std::move(headers);
  response.header_block = fmt::format("HTTP/1.1 {} {}\r\n", status, reason);
  for (const HttpHeader& header : response.headers) response.header_block += fmt::format("{}: {}\r\n", header.name, header.value);
  response.header_block += "\r\n";
  return response;
}

HttpResponse answer(const fs::path& root, const HttpRequest& request, HttpResponse response) {
  const fs::path path = path_of(request.url);
  struct stat file {};
  if (!is_in_folder(request.url, root) || !is_file_below(path, root) || ::stat(path.c_str(), &file) != 0)
    return crawl::not_found(std::move(response));
  const std::string etag = fmt::format("\"{:x}.{:x}-{:x}\"", file.st_mtim.tv_sec, file.st_mtim.tv_nsec, file.st_size);
  if (request.etag == etag) return with_status(std::move(response), 304, "Not Modified", {{"ETag", etag}});
  auto body = read_file(path, request.limits.body_bytes_max);
  if (!body && body.error().code == Code::kForbidden) return with_status(std::move(response), 403, "Forbidden", {});
  if (!body) {
    const bool large = body.error().code == Code::kTooLarge;
    return crawl::failed_answer(std::move(response), large ? HttpCause::kTooLarge : HttpCause::kProtocol, std::move(body.error()));
  }
  const std::string length = std::to_string(body->size());
  response.body = std::move(*body);
  return with_status(std::move(response), 200, "OK",
                     {{"Content-Type", std::string(media_type_of(path))}, {"Content-Length", length}, {"ETag", etag}});
}

}  // namespace

std::string file_address(const fs::path& path) { return "file://" + url_part(path.native()); }

fs::path root_of(const Description& description) {
  std::error_code error;
  const fs::path root = fs::weakly_canonical(description.folder, error);
  return error ? description.folder : root;
}

bool is_in_folder(const Url& url, const fs::path& root) {
  return url.scheme() == "file" && url.host().empty() && is_below(path_of(url), root);
}

Result<FolderWalk> FolderWalk::open(const fs::path& root, std::string label, std::string licence) {
  std::error_code error;
  const fs::path folder = fs::canonical(root, error);
  if (error || !fs::is_directory(folder, error)) return fail(Code::kNotFound, "{} is not there, or is no folder", root.string());
  FolderWalk walk(folder, std::move(label), std::move(licence));
  MAGPIE_TRY_DO(walk.enter(folder));
  return walk;
}

// Puts what the folder holds onto the way, in the order of names.
Result<void> FolderWalk::enter(const fs::path& folder) {
  std::error_code error;
  std::vector<fs::path> found;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    const bool hidden = entry->path().filename().native().starts_with('.');
    if (!hidden) found.push_back(entry->path());
  }
  if (error) return fail(Code::kForbidden, "{} cannot be read: {}", folder.string(), error.message());
  std::ranges::sort(found, std::greater<>());
  ahead_.insert(ahead_.end(), std::move_iterator(found.begin()), std::move_iterator(found.end()));
  return {};
}

FolderWalk::Piece FolderWalk::next(std::size_t items_max) {
  Piece piece;
  while (!ahead_.empty() && piece.items.size() < items_max) {
    const fs::path path = std::move(ahead_.back());
    ahead_.pop_back();
    std::error_code error;
    const fs::file_status itself = fs::symlink_status(path, error);
    if (fs::is_directory(itself)) {
      const auto entered = enter(path);
      if (!entered && problems_.size() < kProblemsNamedMax) problems_.push_back(entered.error().message);
    } else if (!media_type_of(path).empty() && is_file_below(path, root_)) {
      piece.items.push_back(item_of(path));
    }
  }
  piece.end = ahead_.empty();
  return piece;
}

Item FolderWalk::item_of(const fs::path& file) const {
  Item item{.picture = file_address(file), .licence = licence_};
  const fs::path below = file.lexically_relative(root_);
  if (!label_.empty()) item.labels.push_back(label_);
  else if (below.has_parent_path()) item.labels.push_back(one_line(below.begin()->native()));
  return item;
}

Result<std::unique_ptr<HttpClient>> make_folder_client(const fs::path& root) {
  return crawl::make_local_client(
      [root](const HttpRequest& request, HttpResponse response) { return answer(root, request, std::move(response)); });
}

}  // namespace magpie::collect
