// Any bytes are an API's answer: what is taken has an http address and texts within their limits, and the state behind it reads back.
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "base/utf8.h"
#include "collect/answer.h"
#include "collect/listing.h"

namespace {

using namespace magpie::collect;

Description described(const char* items, const char* picture, const char* label) {
  Description made;
  made.url = "https://a.test/v2/{category}?after={cursor}";
  made.paging = Paging::kCursor;
  made.next = *JsonPath::parse("next");
  made.items = *JsonPath::parse(items);
  made.fields.picture = *JsonPath::parse(picture);
  made.fields.label = *JsonPath::parse(label);
  made.fields.artist = *JsonPath::parse("artist.name");
  made.fields.page = *JsonPath::parse("source");
  made.limits.items_max = 100;
  return made;
}

void check(const Items& items, const Description& description) {
  MAGPIE_CHECK(items.items.size() <= description.limits.items_max, "{} items", items.items.size());
  for (const Item& item : items.items) {
    const auto url = magpie::Url::parse(item.picture);
    MAGPIE_CHECK(url && url->is_http() && url->href() == item.picture, "no address: {}", item.picture);
    MAGPIE_CHECK(item.labels.size() <= kItemLabelsMax, "{} labels", item.labels.size());
    for (const std::string* text : {&item.artist, &item.page, &item.licence})
      MAGPIE_CHECK(magpie::is_utf8(*text) && text->size() <= kItemTextBytesMax, "a text of {} bytes", text->size());
  }
  const ListState state = advance(description, {}, items, items.items.size());
  MAGPIE_CHECK(state_from_json(to_json(state)) == state, "a state reads back otherwise: {}", to_json(state));
  const auto request = next_request(description, {"cat", "cat"}, state, {});
  MAGPIE_CHECK(!request || request->url.origin() == "https://a.test", "it leads on to {}", request->url);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::vector<Description> descriptions = {described("results[]", "url", "tags[].name"), described("files[]", ".", "."),
                                                        described(".", "url", "error"), described("images[0].*", "a[].b", "*"),
                                                        described("[]", "*", "[1]")};
  static const magpie::Url asked = *magpie::Url::parse("https://a.test/v2/cat");
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  for (const Description& description : descriptions) {
    const auto items = read_answer(body, asked, description, {"cat", "cat"});
    if (items) check(*items, description);
  }
  return 0;
}
