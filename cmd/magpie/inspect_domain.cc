#include "inspect.h"
#include "net/domain.h"

namespace magpie::cmd {

int inspect_domain(InspectArgs) {
  return answer_questions([](const Question& question, JsonWriter& json) -> Result<void> {
    MAGPIE_TRY(const std::string host, question.required("host"));
    const std::optional<std::string> domain = registrable_domain(host);
    json.key("registrable");
    domain ? json.string(*domain) : json.null();
    return {};
  });
}

}  // namespace magpie::cmd
