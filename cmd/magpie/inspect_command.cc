#include "command.h"
#include "flags.h"
#include "inspect.h"

namespace magpie::cmd {
namespace {

struct Part {
  const char *name, *words;
  int (*run)(InspectArgs);
};

constexpr Part kParts[] = {
    {"url", "Resolve and take apart URLs by the WHATWG standard (JSON Lines)", inspect_url},
    {"domain", "Find the registrable domain of hosts (JSON Lines)", inspect_domain},
    {"robots", "Ask a robots.txt whether a URL may be fetched: --agent NAME (JSON Lines)", inspect_robots},
    {"sitemap", "Read a sitemap, feed or URL list (JSON Lines)", inspect_sitemap},
    {"page", "Read a page: links, pictures, products, markup: --url URL (JSON Lines)", inspect_page},
    {"tree", "Show the HTML tree in html5lib's notation (JSON Lines)", inspect_tree},
    {"price", "Read a price (JSON Lines)", inspect_price},
    {"image", "Describe pictures: FILE…, or JSON Lines", inspect_image},
    {"duplicates", "Group the pictures below DIR that are copies of one another", inspect_duplicates},
    {"warc", "List the records of WARC FILE…", inspect_warc},
    {"warc-write", "Write responses to the WARC file OUT (JSON Lines)", inspect_warc_write},
    {"store", "List the pages and pictures of the collection DIR", inspect_store},
};

}  // namespace

void add_inspect(CLI::App& app, Common& common) {
  Subcommand command(app, "inspect", "Show what one of Magpie's parts makes of an input; no network, nothing written");
  for (const Part& part : kParts) command.passes_on(part.name, part.words, common, part.run);
}

}  // namespace magpie::cmd
