#include "search_spellings.h"

#include <algorithm>

#include "net/http_target.h"
#include "serve/search_json.h"

namespace magpie::cmd {
namespace {

/// As a POSIX shell reads it back.
std::string shell_quoted(const std::string& text) {
  const auto is_plain = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           std::string_view("-._:/,@").find(c) != std::string_view::npos;
  };
  if (!text.empty() && std::ranges::all_of(text, is_plain)) return text;
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

std::string command_of(const SearchParameters& parameters) {
  std::string command = "magpie search", words;
  for (const auto& [name, value] : parameters) {
    std::string flag = name;
    std::ranges::replace(flag, '_', '-');
    if (name == "q") words = value;
    else if (name == "same_class") command += " --any-class";
    else if (name == "beyond") command += " --beyond";
    else command += " --" + flag + " " + shell_quoted(value);
  }
  // Behind "--" words may begin with a minus sign.
  return words.empty() ? command : command + " -- " + shell_quoted(words);
}

}  // namespace

Error error_of(const Problem& problem) {
  constexpr std::pair<int, Code> kCodes[] = {
      {400, Code::kBadInput}, {401, Code::kForbidden}, {403, Code::kForbidden}, {404, Code::kNotFound}, {410, Code::kNotFound},
      {413, Code::kTooLarge}, {415, Code::kBadInput},  {422, Code::kBadInput},  {429, Code::kBusy},     {503, Code::kUnavailable}};
  const auto* const known = std::ranges::find(kCodes, problem.status, &std::pair<int, Code>::first);
  return {known == std::end(kCodes) ? Code::kInternal : known->second, problem.detail};
}

Result<SearchParameters> read_search(const std::string& text) {
  if (const std::size_t first = text.find_first_not_of(" \t\r\n"); first != std::string::npos && text[first] == '{') {
    auto parameters = search_parameters_of_json(text);
    if (!parameters) return Failure(error_of(parameters.error()));
    return *std::move(parameters);
  }
  const std::size_t mark = text.find('?');
  const std::size_t begin = mark == std::string::npos ? 0 : mark + 1;
  const std::string query = text.substr(begin, text.find('#', begin) - begin);
  MAGPIE_TRY(HttpTarget target, parse_target("/?" + query));
  return std::move(target.query);
}

Result<std::string> spell_search(const SearchRequest& request, const std::string& spelling) {
  const SearchParameters parameters = parameters_of(request);
  if (spelling == "url") return "/api/v1/search?" + query_text(parameters);
  if (spelling == "command") return command_of(parameters);
  if (spelling != "json") return fail(Code::kBadInput, "--as is url, json or command, not '{}'", spelling);
  JsonWriter json;
  write_query_echo(json, request);
  return json.take();
}

}  // namespace magpie::cmd
