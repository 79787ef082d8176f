#pragma once
// Names that this machine's owner has given addresses to: /etc/hosts, hosts(5). They come before any name server's answer.
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "net/address_guard.h"

namespace magpie {

/// Not thread-safe. Memory: the file's names; a file over kBytesMax counts as empty.
class HostsFile {
 public:
  static constexpr std::size_t kBytesMax = 16 * 1024 * 1024;
  static constexpr std::size_t kAddressesPerNameMax = 16;

  /// Reads nothing yet. A file that is not there has no names.
  explicit HostsFile(std::filesystem::path path) : path_(std::move(path)) {}

  /// Reads the file when it is another than before, by its time and size. Cost: one stat(), or the whole file.
  void refresh();
  /// The name's addresses in the file's order; empty when it is not there. `name` in lower case, without a dot at its end.
  std::span<const IpAddress> find(std::string_view name) const;

 private:
  std::filesystem::path path_;
  std::optional<std::pair<std::filesystem::file_time_type, std::uintmax_t>> seen_;
  std::unordered_map<std::string, std::vector<IpAddress>> names_;
};

}  // namespace magpie
