// `magpie inspect tree`: a page, or with "context" a fragment, as the tree that browsers build, in html5lib's notation.
#include "inspect.h"
#include "text/html_tree.h"

namespace magpie::cmd {

int inspect_tree(InspectArgs) {
  return answer_questions([](const Question& question, JsonWriter& json) -> Result<void> {
    MAGPIE_TRY(const std::string html, question.required("html"));
    MAGPIE_TRY(const std::optional<std::string> context, question.text("context"));
    MAGPIE_TRY(const HtmlTree tree, context ? HtmlTree::parse_fragment(html, *context) : HtmlTree::parse(html));
    json.field("tree", tree.to_html5lib());
    return {};
  });
}

}  // namespace magpie::cmd
