// `magpie inspect robots --agent NAME`: {"robots" | "robots_b64", "url", "agent"} -> allowed, crawl_delay, sitemaps, line, rule.
#include "crawl/robots.h"
#include "inspect.h"

namespace magpie::cmd {
namespace {

Result<void> answer(const Question& question, const std::string& agent_given, JsonWriter& json) {
  MAGPIE_TRY(const std::string robots, question.required("robots"));
  MAGPIE_TRY(const std::string address, question.required("url"));
  MAGPIE_TRY(const std::optional<std::string> agent, question.text("agent"));
  const auto rules = crawl::RobotsRules::parse(robots, agent.value_or(agent_given));
  MAGPIE_TRY(const Url url, Url::parse(address));
  const crawl::RobotsVerdict verdict = rules.judge(url);

  json.field("allowed", verdict.allowed).key("crawl_delay");
  if (const auto delay = rules.crawl_delay()) json.number(*delay);
  else json.null();
  json.key("sitemaps").begin_array();
  for (const std::string& sitemap : rules.sitemaps()) json.string(sitemap);
  json.end_array();
  if (verdict.line != 0) json.field("line", verdict.line).field("rule", verdict.rule);
  return {};
}

}  // namespace

int inspect_robots(InspectArgs args) {
  const std::string agent = take_flag(args, "--agent").value_or("*");
  return answer_questions([&](const Question& question, JsonWriter& json) { return answer(question, agent, json); });
}

}  // namespace magpie::cmd
