#include "net/hosts_file.h"

#include <algorithm>

#include "base/ascii.h"
#include "base/files.h"
#include "base/log.h"

namespace magpie {
namespace {

constexpr std::string_view kBlanks = " \t\r\f\v";

/// Takes the next word off `line`; "" at its end.
std::string_view take_word(std::string_view& line) {
  line.remove_prefix(std::min(line.find_first_not_of(kBlanks), line.size()));
  const std::string_view word = line.substr(0, line.find_first_of(kBlanks));
  line.remove_prefix(word.size());
  return word;
}

}  // namespace

void HostsFile::refresh() {
  std::error_code error;
  const auto time = fs::last_write_time(path_, error);
  const auto size = error ? 0 : fs::file_size(path_, error);
  if (error) {
    names_.clear();
    seen_.reset();
    return;
  }
  if (seen_ == std::pair(time, size)) return;
  seen_ = {time, size};
  names_.clear();
  const auto text = read_file(path_, kBytesMax);
  if (!text) return log::warn("dns.hosts_file_unread", {{"path", path_.string()}, {"why", text.error().message}});
  std::string_view rest = *text;
  while (!rest.empty()) {
    std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    line = line.substr(0, line.find('#'));
    const auto address = IpAddress::parse(take_word(line));
    if (!address) continue;
    while (true) {
      const std::string_view name = take_word(line);
      if (name.empty()) break;
      std::vector<IpAddress>& addresses = names_[ascii_lowered(name)];
      if (addresses.size() < kAddressesPerNameMax) addresses.push_back(*address);
    }
  }
}

std::span<const IpAddress> HostsFile::find(std::string_view name) const {
  const auto found = names_.find(std::string(name));
  return found == names_.end() ? std::span<const IpAddress>() : std::span<const IpAddress>(found->second);
}

}  // namespace magpie
