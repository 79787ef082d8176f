// magpie_synthetic_web: serves a made-up web on loopback (synthetic_pages.h). README.md lists the options.
//   magpie_synthetic_web --hosts 100 --pages 2000        says "listening on PORT" and answers until SIGTERM or SIGINT
//   magpie_synthetic_web --hosts 100 --pages 2000 --list  every address of that web, a line "KIND URL" each, and ends
#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include <jpeglib.h>

#include "synthetic_pages.h"
#include "synthetic_server.h"

namespace magpie::synthetic {
namespace {

volatile std::sig_atomic_t stop = 0;

struct Options {
  WebSettings web;
  std::string log, picture_folder;
  std::uint64_t log_bytes_max = std::uint64_t{1} << 30;
  std::uint32_t picture_pool = 64, picture_side = 300, latency_ms = 0, slow_ms = 2'000, retry_after_ms = 1'000;
  bool list = false;
};

/// Waves and a little noise: about as many bytes as a photograph of that size.
std::string make_jpeg(std::uint32_t number, std::uint32_t side) {
  jpeg_compress_struct jpeg{};
  jpeg_error_mgr errors{};
  jpeg.err = jpeg_std_error(&errors);
  jpeg_create_compress(&jpeg);
  unsigned char* bytes = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&jpeg, &bytes, &size);
  jpeg.image_width = jpeg.image_height = side;
  jpeg.input_components = 3;
  jpeg.in_color_space = JCS_RGB;
  jpeg_set_defaults(&jpeg);
  jpeg_set_quality(&jpeg, 85, TRUE);
  jpeg_start_compress(&jpeg, TRUE);
  std::vector<JSAMPLE> row(std::size_t{side} * 3);
  std::uint32_t noise = number * 2'654'435'761u + 1;
  for (std::uint32_t y = 0; y < side; ++y) {
    for (std::uint32_t x = 0; x < side * 3; ++x) {
      noise = noise * 1'664'525u + 1'013'904'223u;
      const std::uint32_t wave = x / 3 * (1 + number % 5) + y * (1 + number % 7) + x % 3 * 40 * (number % 11);
      const std::uint32_t up = wave % 510;
      row[x] = static_cast<JSAMPLE>((up < 255 ? up : 509 - up) * 15 / 16 + noise % 16);
    }
    JSAMPROW rows = row.data();
    jpeg_write_scanlines(&jpeg, &rows, 1);
  }
  jpeg_finish_compress(&jpeg);
  std::string jpeg_bytes(reinterpret_cast<const char*>(bytes), size);
  jpeg_destroy_compress(&jpeg);
  std::free(bytes);
  return jpeg_bytes;
}

/// The .jpg and .jpeg files of a folder in order of their names.
Result<std::vector<std::string>> read_pictures(const fs::path& folder) {
  std::vector<fs::path> paths;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (entry.path().extension() == ".jpg" || entry.path().extension() == ".jpeg") paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  std::vector<std::string> pictures;
  for (const fs::path& path : paths) {
    MAGPIE_TRY(std::string bytes, read_file(path, 64 << 20));
    if (!bytes.starts_with("\xff\xd8\xff")) return fail(Code::kBadInput, "{} is not a JPEG", path.string());
    pictures.push_back(std::move(bytes));
  }
  if (pictures.empty())
    return fail(Code::kNotFound, "{}: no .jpg in it; leave --picture-folder out to have pictures made", folder.string());
  return pictures;
}

Result<std::vector<std::string>> pictures_of(const Options& options) {
  if (options.web.pictures == 0) return std::vector<std::string>();
  if (!options.picture_folder.empty()) return read_pictures(options.picture_folder);
  std::vector<std::string> pictures;
  for (std::uint32_t i = 0; i < options.picture_pool; ++i) pictures.push_back(make_jpeg(i, options.picture_side));
  return pictures;
}

void list(const Web& web) {
  constexpr std::array<const char*, 4> kNames = {"page", "picture", "missing", "failing"};
  web.each_address([&](Kind kind, std::string_view url) { fmt::print("{} {}\n", kNames[static_cast<std::size_t>(kind)], url); });
}

Result<void> run(Options& options) {
  options.web.latency = std::chrono::milliseconds(options.latency_ms);
  options.web.slow_time = std::chrono::milliseconds(options.slow_ms);
  options.web.retry_after = std::chrono::milliseconds(options.retry_after_ms);
  if (options.list) {
    list(Web(options.web, {}));
    return {};
  }
  MAGPIE_TRY(std::vector<std::string> pictures, pictures_of(options));
  MAGPIE_TRY(AccessLog log, AccessLog::open(options.log, options.log_bytes_max));
  MAGPIE_TRY(const auto server, Server::listen(options.web.port));
  options.web.port = server->port();
  Web web(options.web, std::move(pictures));
  fmt::print("listening on {}\n", server->port());
  std::fflush(stdout);
  return server->run(web, log, stop);
}

void add_options(CLI::App& app, Options& options) {
  WebSettings& web = options.web;
  app.add_option("--port", web.port, "0: a free one");
  app.add_option("--seed", web.seed, "Another seed is another web");
  app.add_option("--hosts", web.hosts)->check(CLI::Range(1, 1'000'000));
  app.add_option("--pages", web.pages, "Of each host")->check(CLI::Range(1, 100'000'000));
  app.add_option("--huge", web.huge_pages, "Pages of host 0 instead")->check(CLI::Range(1, 100'000'000));
  app.add_option("--branch", web.branch, "Children of a page in its host's tree")->check(CLI::Range(1, 10'000));
  app.add_option("--links", web.links, "Of a page")->check(CLI::Range(0, 10'000));
  app.add_option("--off-host", web.off_host, "Share of links to other hosts")->check(CLI::Range(0.0, 1.0));
  app.add_option("--page-bytes", web.page_bytes, "At least")->check(CLI::Range(0, 16 << 20));
  app.add_option("--products", web.products, "Share of pages with a JSON-LD product")->check(CLI::Range(0.0, 1.0));
  app.add_option("--pictures", web.pictures, "Shown by each page")->check(CLI::Range(0, 1'000));
  app.add_option("--picture-folder", options.picture_folder, "JPEG files to show; else they are made")->check(CLI::ExistingDirectory);
  app.add_option("--picture-pool", options.picture_pool, "Pictures made")->check(CLI::Range(1, 10'000));
  app.add_option("--picture-side", options.picture_side, "Pixels of those made")->check(CLI::Range(1, 8'000));
  app.add_option("--missing", web.missing, "Share of pages with a link to a 404")->check(CLI::Range(0.0, 1.0));
  app.add_option("--failing", web.failing, "Share of pages with a link to a 500")->check(CLI::Range(0.0, 1.0));
  app.add_option("--busy", web.busy, "Share of pages that answer 503 first")->check(CLI::Range(0.0, 1.0));
  app.add_option("--retry-after-ms", options.retry_after_ms, "Said with a 503, in whole seconds rounded up");
  app.add_option("--reset", web.reset, "Share of pages whose first connection is reset")->check(CLI::Range(0.0, 1.0));
  app.add_option("--slow", web.slow, "Share of pages that answer late")->check(CLI::Range(0.0, 1.0));
  app.add_option("--slow-ms", options.slow_ms);
  app.add_option("--latency-ms", options.latency_ms, "Before each page and picture");
  app.add_option("--changing", web.changing, "Share of pages that change in each generation")->check(CLI::Range(0.0, 1.0));
  app.add_option("--generation", web.generation);
  app.add_option("--crawl-delay-ms", web.crawl_delay_ms, "Named in robots.txt");
  app.add_flag("--sitemaps", web.sitemaps, "Named in robots.txt, with the day each page last changed");
  app.add_flag("--names", web.names, "Hosts are h0.localhost … instead of 127.0.0.1 …");
  app.add_option("--log", options.log, "Access log to append to");
  app.add_option("--log-bytes-max", options.log_bytes_max, "It ends with a line \"full\" there");
  app.add_flag("--list", options.list, "Print every address of the web and end");
}

}  // namespace
}  // namespace magpie::synthetic

int main(int argc, char** argv) {
  using namespace magpie::synthetic;
  Options options;
  CLI::App app("Serves a made-up web on loopback, the same for the same options");
  add_options(app, options);
  CLI11_PARSE(app, argc, argv);
  for (const int number : {SIGTERM, SIGINT}) std::signal(number, [](int) { stop = 1; });
  if (const auto done = run(options); !done) {
    fmt::print(stderr, "magpie_synthetic_web: {}\n", done.error().message);
    return 3;
  }
  return 0;
}
