#pragma once
// A headless Chromium as its manager sees it: started with a pipe for the DevTools protocol, an empty profile of its own, and no network.
//
// It reaches nothing by itself: every name is made not to resolve, and all traffic is sent to a proxy that has no address. What its pages
// ask for is answered over the pipe (renderer.h), so what is not intercepted there fails, whatever the page tries.
#include <cstdint>
#include <optional>
#include <string>

#include "base/deadline.h"
#include "base/files.h"
#include "base/result.h"
#include "process/child_process.h"

namespace magpie::browser {

/// The program that `name` means: a path as it is; a name looked for in PATH; empty: the first of chromium, chromium-browser,
/// google-chrome, google-chrome-stable, chrome and chrome-headless-shell. kNotFound says what to install.
Result<fs::path> find_browser(const std::string& name);

/// "Chromium 156.0.8078.79 …", by asking the program; may take a second.
Result<std::string> version_of(const fs::path& program);

/// Not thread-safe; movable. The destructor ends the browser with all its processes and removes its profile. Should this process be
/// killed, the browser ends itself, as its pipe breaks.
class BrowserProcess {
 public:
  /// @param folder  of its profile; emptied first.
  /// kUnavailable with the browser's own words.
  static Result<BrowserProcess> start(const fs::path& program, const fs::path& folder, const std::string& user_agent);
  BrowserProcess(BrowserProcess&&) noexcept = default;
  BrowserProcess& operator=(BrowserProcess&&) noexcept = delete;
  ~BrowserProcess();

  /// Both ends of the protocol: JSON texts, each ended by a zero byte.
  int socket() const { return child_.socket(); }
  pid_t pid() const { return child_.pid(); }
  /// The last line that it has written to its standard error; may be empty.
  std::string last_words() const;
  /// Memory of all its processes together, what they share counted once. Cost: 20 to 80 ms.
  std::uint64_t memory_bytes() const;

 private:
  BrowserProcess(ChildProcess child, fs::path folder) : child_(std::move(child)), folder_(std::move(folder)) {}

  ChildProcess child_;
  fs::path folder_;
};

}  // namespace magpie::browser
