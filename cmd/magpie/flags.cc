#include "flags.h"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <type_traits>

#include "command.h"

namespace magpie::cmd {

Subcommand::Subcommand(CLI::App& app, const char* name, const char* help) : app_(app.add_subcommand(name, help)) {}

namespace {

/// CLI11 reads -1 as the largest number of an unsigned type.
std::string refuse_negative(const std::string& value) { return value.starts_with('-') ? value + " is negative" : std::string(); }

template <class T>
std::string refuse_words(const std::string& value) {
  T number{};
  return CLI::detail::lexical_cast(value, number) ? std::string() : value + " is not a number";
}

CLI::Validator within(double least, double most, const std::string& words) {
  const auto refuse = [least, most, words](const std::string& value) {
    double number = 0;
    const bool fits = CLI::detail::lexical_cast(value, number) && number >= least && number <= most;
    return fits ? std::string() : fmt::format("{} is not {}", value, words);
  };
  return {refuse, words};
}

template <class T>
struct Element {
  using type = T;
};
template <class T>
struct Element<std::vector<T>> {
  using type = T;
};

}  // namespace

template <class T>
void Subcommand::option(const char* names, T& into, const char* help, const OptionRules& rules) {
  CLI::Option* option = app_->add_option(names, into, help);
  if (rules.value != nullptr) option->type_name(rules.value);
  if (rules.required) option->required();
  if (rules.show_default) option->capture_default_str();
  if (rules.one_each) option->allow_extra_args(false);
  if (rules.delimiter != 0) option->delimiter(rules.delimiter);
  using Value = typename Element<T>::type;
  if constexpr (std::is_unsigned_v<Value>) option->check(CLI::Validator(refuse_negative, ""));
  if constexpr (std::is_arithmetic_v<Value>) option->check(CLI::Validator(refuse_words<Value>, ""));
  if (rules.least && rules.most) option->check(within(*rules.least, *rules.most, fmt::format("{} to {}", *rules.least, *rules.most)));
  else if (rules.least) option->check(within(*rules.least, 9e18, fmt::format("at least {}", *rules.least)));
}

template void Subcommand::option(const char*, std::string&, const char*, const OptionRules&);
template void Subcommand::option(const char*, std::vector<std::string>&, const char*, const OptionRules&);
template void Subcommand::option(const char*, std::vector<std::uint64_t>&, const char*, const OptionRules&);
template void Subcommand::option(const char*, std::vector<std::uint32_t>&, const char*, const OptionRules&);
template void Subcommand::option(const char*, std::uint64_t&, const char*, const OptionRules&);
template void Subcommand::option(const char*, std::uint32_t&, const char*, const OptionRules&);
template void Subcommand::option(const char*, std::int64_t&, const char*, const OptionRules&);
template void Subcommand::option(const char*, int&, const char*, const OptionRules&);
template void Subcommand::option(const char*, double&, const char*, const OptionRules&);

void Subcommand::flag(const char* names, bool& into, const char* help) { app_->add_flag(names, into, help); }
void Subcommand::footer(const char* text) { app_->footer(text); }
void Subcommand::hide() { app_->group(""); }

void Subcommand::common_flags(Common& common) {
  option("-C,--collection", common.collection, "The collection's folder; otherwise the nearest one at or above the current folder",
         {.value = "DIR"});
  option("--set", common.settings, "Change a setting for this run, e.g. --set crawl.host_delay=2s; see magpie config --explain",
         {.value = "KEY=VALUE", .one_each = true});
  flag("--json", common.json, "Answer in JSON on stdout, for programs");
  flag("-v,--verbose", common.verbose, "Log every step");
}

void Subcommand::runs(Common& common, std::function<Result<int>()> run) {
  app_->callback([&common, run = std::move(run)] {
    const auto done = run();
    common.exit_code = done ? *done : report(done.error());
  });
}

void Subcommand::passes_on(const char* name, const char* help, Common& common, std::function<int(std::vector<std::string>)> run) {
  app_->require_subcommand(1);
  CLI::App* one = app_->add_subcommand(name, help);
  one->allow_extras();
  one->prefix_command();
  one->callback([one, &common, run = std::move(run)] { common.exit_code = run(one->remaining()); });
}

namespace {

/// Says what is wrong, and what was probably meant.
void complain(std::string_view what, std::string_view where, std::string_view given, const std::vector<std::string>& known) {
  const std::string near = nearest_name(given, known);
  fmt::print(stderr, "magpie: there is no {} '{}'; {}{} --help lists them\n", what, given,
             near.empty() ? "" : fmt::format("did you mean '{}'? ", near), where);
}

/// The command that was asked for, with its full name.
std::pair<const CLI::App*, std::string> command_of(const CLI::App& app) {
  std::pair<const CLI::App*, std::string> found(&app, app.get_name());
  while (!found.first->get_subcommands().empty()) {
    found.first = found.first->get_subcommands().front();
    found.second += " " + found.first->get_name();
  }
  return found;
}

std::vector<std::string> flags_of(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

std::vector<std::string> commands_of(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::App* one : command.get_subcommands([](const CLI::App*) { return true; })) names.push_back(one->get_name());
  return names;
}

/// Whether the command has the flag, or one of its commands has.
bool knows_flag(const CLI::App& command, std::string_view flag) {
  const auto has = [&](const CLI::App& one) { return std::ranges::count(flags_of(one), flag) > 0; };
  const auto below = command.get_subcommands([](const CLI::App*) { return true; });
  return has(command) || std::ranges::any_of(below, [&](const CLI::App* one) { return has(*one); });
}

/// Whether among what was left over is a command or a flag that is not there, and that was said.
bool complain_of_names(const CLI::App& app) {
  const auto [command, name] = command_of(app);
  const std::vector<std::string> commands = commands_of(*command);
  for (const std::string& word : app.remaining(/*recurse=*/true)) {
    const std::string flag = word.substr(0, word.find('='));
    if (word.starts_with("-") && knows_flag(*command, flag)) {
      fmt::print(stderr, "magpie: {} goes behind the command: magpie COMMAND {} …\n", flag, flag);
    } else if (word.starts_with("-") && word != "--") {
      complain("flag", name, flag, flags_of(*command));
    } else if (word != "--" && !commands.empty()) {
      complain("command", name, word, commands);
    } else {
      continue;  // a word too many: the parser says so
    }
    return true;
  }
  return false;
}

/// Says of what was typed wrong what is wrong with it, where the parser would say less.
bool complain_of(const CLI::ParseError& problem, const CLI::App& app) {
  if (dynamic_cast<const CLI::ExtrasError*>(&problem) != nullptr) return complain_of_names(app);
  if (dynamic_cast<const CLI::RequiredError*>(&problem) == nullptr) return false;
  if (complain_of_names(app)) return true;
  const auto [command, name] = command_of(app);
  if (commands_of(*command).empty()) return false;
  fmt::print(stderr, "magpie: {} wants a command; {} --help lists them\n", name, name);
  return true;
}

}  // namespace

int run_command_line(int argc, char** argv, Common& common, const char* help, const char* footer, const char* version,
                     const std::function<void(CLI::App&)>& add_all) {
  CLI::App app(help, "magpie");
  app.require_subcommand(1);
  app.set_version_flag("--version", version);
  app.footer(footer);
  add_all(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& problem) {
    if (complain_of(problem, app)) return kUsage;
    const int code = app.exit(problem);
    return code == 0 ? kDone : kUsage;
  }
  return common.exit_code;
}

}  // namespace magpie::cmd
