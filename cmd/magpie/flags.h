#pragma once
// The command line's grammar. CLI11 reads it, behind flags.cc alone, since its header takes longer to compile than all else here.
//   Subcommand command(app, "changes", "What products' pages say differently");
//   auto flags = std::make_shared<ChangesFlags>();
//   command.option("--limit", flags->limit, "At most so many", {.value = "N", .show_default = true});
//   command.runs(common, [&common, flags] { return run(common, *flags); });
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace CLI {
class App;
}

namespace magpie::cmd {

struct Common;

/// How an option looks and what it takes.
struct OptionRules {
  const char* value = nullptr;  // stands for the value in the help: "FILE"
  bool required = false;
  bool show_default = false;
  bool one_each = false;  // of a list: one value a use, so that the words behind it are the command's own
  char delimiter = 0;     // of a list: several may come in one, split here
  std::optional<double> least, most;
};

/// One subcommand being described. The variables that options fill must live until it has run: keep them in what runs() captures.
class Subcommand {
 public:
  Subcommand(CLI::App& app, const char* name, const char* help);

  /// `names` as in "-n,--limit", or a word without dashes for what stands without a flag. T: std::string, a number, a list of either.
  template <class T>
  void option(const char* names, T& into, const char* help, const OptionRules& rules = {});
  void flag(const char* names, bool& into, const char* help);
  void footer(const char* text);
  /// Not in the help.
  void hide();
  /// --collection, --set, --json and -v.
  void common_flags(Common& common);
  /// What is done when it was chosen; its exit code, or its error in words, becomes the program's.
  void runs(Common& common, std::function<Result<int>()> run);
  /// A subcommand of this one that gets the words behind it as they are.
  void passes_on(const char* name, const char* help, Common& common, std::function<int(std::vector<std::string>)> run);

 private:
  CLI::App* app_;
};

/// Reads the command line and runs what it names; the exit code. `add_all` describes the subcommands.
int run_command_line(int argc, char** argv, Common& common, const char* help, const char* footer, const char* version,
                     const std::function<void(CLI::App&)>& add_all);

}  // namespace magpie::cmd
