#include "browser/browser_process.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <cstdio>
#include <cstdlib>

#include "base/log.h"

namespace magpie::browser {
namespace {

constexpr std::array kNames = {"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "chrome-headless-shell"};
constexpr const char* kErrorsName = "errors.txt";

std::optional<fs::path> in_path(std::string_view name) {
  const char* variable = std::getenv("PATH");
  std::string_view folders = variable == nullptr ? "/usr/local/bin:/usr/bin:/bin" : variable;
  while (!folders.empty()) {
    const std::string_view folder = folders.substr(0, folders.find(':'));
    folders.remove_prefix(std::min(folders.size(), folder.size() + 1));
    const fs::path path = fs::path(folder) / name;
    if (!folder.empty() && ::access(path.c_str(), X_OK) == 0) return path;
  }
  return std::nullopt;
}

std::vector<std::string> command_of(const fs::path& program, const fs::path& profile, const std::string& user_agent) {
  std::vector<std::string> command = {
      program.string(), "--headless", "--remote-debugging-pipe", "--user-data-dir=" + profile.string(), "--user-agent=" + user_agent,
      // No way out: see the header.
      "--host-resolver-rules=MAP * ~NOTFOUND", "--proxy-server=socks5://nowhere.invalid:1", "--proxy-bypass-list=<-loopback>",
      "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
      // Nothing of its own accord.
      "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-default-apps", "--disable-extensions",
      "--disable-domain-reliability", "--disable-client-side-phishing-detection", "--no-first-run", "--no-default-browser-check",
      "--no-pings", "--disable-breakpad", "--disable-features=Translate,MediaRouter,OptimizationHints",
      // Small: no pictures are painted, and all pages share a process.
      "--disable-gpu", "--mute-audio", "--hide-scrollbars", "--no-startup-window", "--disable-site-isolation-trials", "--disk-cache-size=1",
      "--disable-dev-shm-usage", "--js-flags=--max-old-space-size=512",
      // Timers of a page that nobody looks at run as if somebody did.
      "--disable-background-timer-throttling", "--disable-renderer-backgrounding", "--disable-backgrounding-occluded-windows"};
  // Chromium's own sandbox refuses to start for root. Whoever runs Magpie as root, as containers do, gives it up here; for others it stays.
  if (::geteuid() == 0) command.push_back("--no-sandbox");
  return command;
}

/// The number behind `name` in a file of lines "Name:   123 kB".
std::uint64_t kilobytes_of(const std::string& text, std::string_view name) {
  std::size_t at = text.find(name);
  if (at == std::string::npos) return 0;
  at = text.find_first_of("0123456789", at);
  std::uint64_t value = 0;
  if (at != std::string::npos) std::from_chars(text.data() + at, text.data() + text.size(), value);
  return value;
}

/// The process group in /proc/PID/stat: the third field behind the name, which may hold anything but its closing parenthesis.
std::int64_t group_of(const fs::path& process) {
  const auto stat = read_file(process / "stat", 4'096);
  const std::size_t name_end = stat ? stat->rfind(')') : std::string::npos;
  if (name_end == std::string::npos) return 0;
  int state = 0;
  std::int64_t group = 0;
  long parent = 0;
  char letter = 0;
  state = std::sscanf(stat->c_str() + name_end + 1, " %c %ld %ld", &letter, &parent, &group);
  return state == 3 ? group : 0;
}

}  // namespace

Result<fs::path> find_browser(const std::string& name) {
  if (name.find('/') != std::string::npos) {
    if (::access(name.c_str(), X_OK) == 0) return fs::path(name);
    return fail(Code::kNotFound, "crawl.browser: {} is no program that can be run", name);
  }
  if (!name.empty()) {
    if (auto found = in_path(name)) return *found;
    return fail(Code::kNotFound, "crawl.browser: there is no {} in PATH", name);
  }
  for (const char* one : kNames) {
    if (auto found = in_path(one)) return *found;
  }
  return fail(Code::kNotFound, "no Chromium was found; install it (Debian: apt install chromium), or name one with crawl.browser");
}

Result<std::string> version_of(const fs::path& program) {
  std::string quoted = "'";
  for (const char c : program.string()) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen((quoted + "' --version 2>/dev/null").c_str(), "r"), ::pclose);
  std::array<char, 256> line{};
  if (!pipe || std::fgets(line.data(), static_cast<int>(line.size()), pipe.get()) == nullptr)
    return fail(Code::kUnavailable, "{} does not say its version", program.string());
  std::string text(line.data());
  text.erase(text.find_last_not_of(" \r\n") + 1);
  return text;
}

Result<BrowserProcess> BrowserProcess::start(const fs::path& program, const fs::path& folder, const std::string& user_agent) {
  std::error_code error;
  fs::remove_all(folder, error);
  MAGPIE_TRY_DO(make_folder(folder));
  const fs::path absolute = fs::absolute(folder, error);
  ChildOptions options{.told_descriptor = false, .socket_twice = true, .own_group = true, .errors_to = absolute / kErrorsName};
  // Its settings and caches stay in its profile, and it looks for no desktop.
  options.variables = {"HOME=" + absolute.string(), "XDG_CONFIG_HOME=" + absolute.string(), "XDG_CACHE_HOME=" + absolute.string(),
                       "DBUS_SESSION_BUS_ADDRESS=disabled:"};
  MAGPIE_TRY(ChildProcess child, ChildProcess::start(command_of(program, absolute / "profile", user_agent), options));
  const int flags = ::fcntl(child.socket(), F_GETFL);
  if (flags < 0 || ::fcntl(child.socket(), F_SETFL, flags | O_NONBLOCK) != 0) return fail_errno("the browser's pipe");
  return BrowserProcess(std::move(child), absolute);
}

BrowserProcess::~BrowserProcess() {
  if (child_.pid() < 0) return;  // moved from
  child_.finish(Deadline::after(1s));
  std::error_code error;
  fs::remove_all(folder_, error);
  if (error) log::debug("browser.profile_left", {{"folder", folder_.string()}, {"why", error.message()}});
}

std::string BrowserProcess::last_words() const {
  constexpr std::size_t kWordsMax = 300;
  const auto text = read_file(folder_ / kErrorsName, 1 << 20);
  std::string_view rest = text ? std::string_view(*text) : std::string_view(), last;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    // A desktop's services are missing on every server, and nobody minds.
    if (!line.empty() && line.find("dbus") == std::string_view::npos) last = line;
  }
  return std::string(last.substr(0, kWordsMax));
}

std::uint64_t BrowserProcess::memory_bytes() const {
  std::uint64_t kilobytes = 0;
  std::error_code error;
  for (fs::directory_iterator entry("/proc", error), end; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos || group_of(entry->path()) != child_.pid()) continue;
    const auto memory = read_file(entry->path() / "smaps_rollup", 1 << 16);
    if (memory) kilobytes += kilobytes_of(*memory, "Pss:");
  }
  return kilobytes << 10;
}

}  // namespace magpie::browser
