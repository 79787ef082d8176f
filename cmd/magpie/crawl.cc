#include "app/crawl_job.h"
#include "command.h"
#include "flags.h"
#include "follow_crawl.h"

namespace magpie::cmd {
namespace {

struct CrawlFlags {
  std::vector<std::string> seeds;
  std::vector<std::string> archives;
  std::string seeds_file, agent, render;
  double delay = -1;
  std::int64_t per_host = 0, pages_per_host_max = 0, seconds_max = 0;
  bool allow_loopback = false;
};

Result<std::vector<std::string>> read_seeds(const CrawlFlags& flags) {
  std::vector<std::string> seeds = flags.seeds;
  if (!flags.seeds_file.empty()) {
    MAGPIE_TRY(const std::string text, read_file(flags.seeds_file, 64 << 20));
    auto parsed = crawl::parse_seeds(text);
    if (!parsed) return fail(parsed.error(), flags.seeds_file);
    for (const Url& url : *parsed) seeds.push_back(canonical_url(url).href());
  }
  if (seeds.empty()) return fail(Code::kBadInput, "nothing to crawl: give an address, or --seeds FILE");
  for (const std::string& seed : seeds) MAGPIE_TRY_DO(parse_seed(seed));
  return seeds;
}

void apply(const CrawlFlags& flags, crawl::CrawlSettings& settings) {
  if (!flags.agent.empty()) settings.agent.value = flags.agent;
  if (flags.allow_loopback) settings.allow_loopback.value = true;
}

Result<CrawlOptions> options_of(const CrawlFlags& flags) {
  CrawlOptions options;
  if (flags.delay >= 0) options.delay = std::chrono::milliseconds(std::llround(flags.delay * 1000));
  if (flags.per_host > 0) options.requests_per_host = static_cast<std::uint32_t>(flags.per_host);
  if (flags.pages_per_host_max > 0) options.pages_per_host_max = static_cast<std::uint64_t>(flags.pages_per_host_max);
  if (flags.seconds_max > 0) options.seconds_max = std::chrono::seconds(flags.seconds_max);
  if (!flags.agent.empty()) options.agent = flags.agent;
  if (!flags.render.empty()) options.render = flags.render;
  // Seeds from a file name the scope themselves: nothing off their hosts is asked for, pictures included.
  if (!flags.seeds_file.empty()) options.images_off_host = false;
  return options;
}

/// Crawls what WARC files hold: here and now, as nobody has to be asked.
Result<int> replay(const Common& common, const CrawlFlags& flags) {
  const std::vector<fs::path> files(flags.archives.begin(), flags.archives.end());
  for (const fs::path& file : files) MAGPIE_TRY_DO(crawl::check_is_warc(file));  // before a folder is made
  MAGPIE_TRY(const CollectionFolder folder, CollectionFolder::choose(common.collection, true));
  AppSettings settings;
  MAGPIE_TRY_DO(read_settings(settings, &folder, common));
  MAGPIE_TRY(const CrawlOptions options, options_of(flags));
  return follow_here(
      folder, settings, [&](Manager& manager) { return manager.replay(files, options); }, common.json);
}

Result<int> run(const Common& common, const CrawlFlags& flags) {
  if (!flags.archives.empty()) {
    if (!flags.seeds.empty() || !flags.seeds_file.empty())
      return fail(Code::kBadInput, "--from-archive crawls all that its files hold: leave out addresses and --seeds");
    return replay(common, flags);
  }
  MAGPIE_TRY(const std::vector<std::string> seeds, read_seeds(flags));
  if (!flags.render.empty() && flags.render != "auto" && flags.render != "always" && flags.render != "never")
    return fail(Code::kBadInput, "--render is auto, always or never, not '{}'", flags.render);
  AppSettings settings;
  {
    // The agent is checked before a folder is made for a crawl that cannot start.
    AppSettings early;
    MAGPIE_TRY_DO(read_settings(early, nullptr, common));
    apply(flags, early.crawl);
    const bool is_new = !common.collection.empty() && !CollectionFolder::open(common.collection);
    if (is_new) MAGPIE_TRY_DO(crawl::user_agent(early.crawl));
  }
  MAGPIE_TRY(const CollectionFolder folder, CollectionFolder::choose(common.collection, true));
  MAGPIE_TRY_DO(read_settings(settings, &folder, common));
  apply(flags, settings.crawl);
  MAGPIE_TRY(const CrawlOptions options, options_of(flags));
  if (auto manager = ManagerClient::connect(folder)) {
    say_whose_settings(common, flags.allow_loopback);
    return follow_there(
        *manager, [&] { return manager->start_crawl(seeds, options); }, common.json);
  }
  MAGPIE_TRY_DO(crawl::user_agent(settings.crawl));
  return follow_here(
      folder, settings, [&](Manager& manager) { return manager.start(seeds, options); }, common.json);
}

}  // namespace

void add_crawl(CLI::App& app, Common& common) {
  Subcommand command(app, "crawl", "Crawl sites for pages and pictures; run again, it goes on where it stopped");
  command.footer(
      "Examples:\n"
      "  magpie crawl --agent my-crawler https://shop.example/\n"
      "  magpie crawl --seeds sites.txt --max-pages-per-host 1000\n"
      "  magpie crawl --from-archive old.warc.gz\n\n"
      "Logins, times of day, proxies, what becomes of pictures: settings of crawl.*, which 'magpie config --explain' lists;\n"
      "docs/crawling.md has an example of each.");
  auto flags = std::make_shared<CrawlFlags>();
  command.option("url", flags->seeds, "Addresses to begin from; their hosts are the scope", {.value = "URL"});
  command.option("--seeds", flags->seeds_file, "A file with an address a line; nothing off their hosts is fetched", {.value = "FILE"});
  command.option("--from-archive", flags->archives, "WARC files to read in place of the network: all pages they hold, and their pictures",
                 {.value = "FILE"});
  command.option("--agent", flags->agent, "The name sites see and robots.txt may name (setting crawl.agent)", {.value = "NAME"});
  command.option("--delay", flags->delay, "Seconds between the starts of two requests to a host; a larger Crawl-delay counts",
                 {.value = "S", .least = 0.0, .most = 3600.0});
  command.option("--per-host", flags->per_host, "Most requests to a host at once", {.value = "N", .least = 1, .most = 256});
  command.option("--max-pages-per-host", flags->pages_per_host_max, "Pages fetched from one host", {.value = "N", .least = 1});
  command.option("--max-seconds", flags->seconds_max, "End after this time, whatever is left", {.value = "N", .least = 1});
  command.option("--render", flags->render, "Show pages in a browser: auto (those that leave all to scripts), always, never",
                 {.value = "WHICH"});
  command.flag("--allow-loopback", flags->allow_loopback, "Let the crawl reach this machine's own addresses, for tests");
  command.common_flags(common);
  command.runs(common, [&common, flags] { return run(common, *flags); });
}

}  // namespace magpie::cmd
