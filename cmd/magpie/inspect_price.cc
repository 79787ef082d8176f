// `magpie inspect price`: amount and currency of a price as people write it. {"text", "currency_hint"} -> {"amount", "currency", "symbol"}.
#include "inspect.h"
#include "text/price.h"

namespace magpie::cmd {
namespace {

void write_or_null(JsonWriter& json, std::string_view key, const std::string& text) {
  json.key(key);
  if (text.empty()) {
    json.null();
  } else {
    json.string(text);
  }
}

}  // namespace

int inspect_price(InspectArgs) {
  return answer_questions([](const Question& question, JsonWriter& json) -> Result<void> {
    MAGPIE_TRY(const std::string text, question.required("text"));
    MAGPIE_TRY(const std::optional<std::string> hint, question.text("currency_hint"));
    const Price price = parse_price(text, {.currency_hint = hint ? std::string_view(*hint) : std::string_view()});
    write_or_null(json, "amount", price.amount);
    write_or_null(json, "currency", price.currency);
    write_or_null(json, "symbol", price.symbol);
    return {};
  });
}

}  // namespace magpie::cmd
