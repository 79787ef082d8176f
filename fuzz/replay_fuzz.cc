// Archives of any bytes: the index is built or refused, and whatever page it names is answered within the limit or fails in words.
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/log.h"
#include "crawl/replay_index.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kBodyBytesMax = 1 << 16;
  magpie::log::set_level(magpie::log::Level::kOff);
  const magpie::UniqueFd file(::memfd_create("archive", MFD_CLOEXEC));
  if (!magpie::write_all(file.get(), {reinterpret_cast<const char*>(data), size})) return 0;
  std::vector<std::string> pages;
  magpie::crawl::ReplayOptions options{.body_bytes_max = kBodyBytesMax};
  options.on_page = [&](std::string url) -> magpie::Result<void> {
    pages.push_back(std::move(url));
    return {};
  };
  const auto index = magpie::crawl::ReplayIndex::build({fmt::format("/proc/self/fd/{}", file.get())},
                                                       magpie::crawl::AddressForm(magpie::crawl::CrawlSettings()), options);
  if (!index) return 0;
  if ((*index)->counts().addresses > (*index)->counts().records) std::abort();
  for (const std::string& url : pages) {
    if (!(*index)->holds(url)) std::abort();
    const auto answer = (*index)->read(url, kBodyBytesMax);
    if (answer && (answer->body.size() > kBodyBytesMax || answer->status < 200)) std::abort();
    if (!answer && answer.error().code == magpie::Code::kNotFound) std::abort();
  }
  return 0;
}
