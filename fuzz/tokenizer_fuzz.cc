// A vocabulary: any bytes, in each of its forms, and any text cut by it. Numbers are some piece's, and there are not too many.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "model/bpe_tokenizer.h"

// u8 form, u8 bytes of the text, the text, then the file; a form feed parts two files.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace magpie;
  if (size < 2) return 0;
  std::string_view rest(reinterpret_cast<const char*>(data) + 2, size - 2);
  const std::string_view text = rest.substr(0, data[1]);
  rest.remove_prefix(text.size());
  const auto read = [&] {
    if (data[0] % 3 == 0) return model::BpeTokenizer::of_merges(rest);
    if (data[0] % 3 == 1) return model::BpeTokenizer::of_tokenizer_json(rest);
    const std::size_t middle = std::min(rest.find('\f'), rest.size());
    return model::BpeTokenizer::of_vocabulary(rest.substr(0, middle), rest.substr(std::min(middle + 1, rest.size())));
  };
  const auto tokens = read();
  if (!tokens) {
    MAGPIE_CHECK(!tokens.error().message.empty(), "refused without a word");
    return 0;
  }
  const auto numbers = tokens->encode(text, 75);
  MAGPIE_CHECK(numbers.size() <= 75, "{} numbers", numbers.size());
  for (const std::int64_t number : numbers) MAGPIE_CHECK(number >= 0 && number <= 1 << 24, "number {}", number);
  return 0;
}
