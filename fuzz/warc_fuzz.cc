// WARC files of any bytes: the reader ends, keeps its limits, and its places read again as the same record.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "store/warc.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  auto reader = magpie::WarcReader::over(bytes, {.block_bytes_max = 1 << 20});
  std::uint64_t before = 0;
  for (std::size_t items = 0;; ++items) {
    const auto item = reader.next();
    if (!item || !*item) break;
    const magpie::WarcRecord& record = (*item)->record;
    if (record.offset < before || record.offset > size || items > size + 1) std::abort();
    before = record.offset;
    if ((*item)->damage.empty() && record.http_header().size() + record.http_body().size() != record.block.size()) std::abort();
  }
  (void)magpie::decoded_header_block(bytes, 7);
  (void)magpie::parse_warc_date(bytes);
  return 0;
}
