#pragma once
// The built web application, read into memory at the start: so no path of a request ever touches the disk. Files under /assets/
// carry their hash in their name and are cached for ever; every other path without a dot is a page of the application and gets
// index.html (it finds its own way), which is asked for anew each time.
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/files.h"
#include "net/http_server.h"

namespace magpie {

/// Thread-safe after construction.
class StaticFiles {
 public:
  static constexpr std::size_t kBytesMax = 64 * 1024 * 1024;  // of all files together

  StaticFiles() = default;
  /// kNotFound when the folder has no index.html, kTooLarge over kBytesMax, others from the disk. Text is also kept compressed.
  static Result<StaticFiles> load(const fs::path& folder);

  /// Nothing when no file belongs to the path.
  std::optional<HttpServerReply> answer(const HttpServerRequest& request) const;

 private:
  using Bytes = std::shared_ptr<const std::string>;
  struct File {
    Bytes plain;
    Bytes gzip;  // null when it saves nothing
    std::string content_type;
    std::string etag;
    bool immutable = false;
  };
  static File make_file(const std::string& path, std::string bytes);
  const File* find(const std::string& path) const;

  std::map<std::string, File, std::less<>> files_;  // by path, "/assets/index-3f2a.js"
};

/// Whether If-None-Match names this entity tag (RFC 9110 section 13.1.2; weak comparison).
bool matches_etag(std::string_view if_none_match, std::string_view etag);

}  // namespace magpie
