// magpie keys: who may use the API of a server that listens beyond this machine.
#include "app/collection_folder.h"
#include "base/json_writer.h"
#include "base/settings.h"
#include "command.h"
#include "core/clock.h"
#include "flags.h"
#include "inspect.h"
#include "serve/access_keys.h"
#include "time_text.h"

namespace magpie::cmd {
namespace {

struct KeysFlags {
  std::string verb, name, scope = "search", expires;
};

Result<int> add(AccessKeys& keys, const Common& common, const KeysFlags& flags) {
  const auto scope = key_scope_from(flags.scope);
  if (!scope) return fail(Code::kBadInput, "a key's scope is search or manage, not '{}'", flags.scope);
  const Timestamp now = SystemClock().now();
  std::optional<Timestamp> expires_at;
  if (!flags.expires.empty()) {
    MAGPIE_TRY(const Millis after, parse_duration(flags.expires));
    if (after.count() <= 0) return fail(Code::kBadInput, "--expires is a time from now, such as 30d");
    expires_at = now + after;
  }
  MAGPIE_TRY(const std::string key, keys.add(flags.name, *scope, now, expires_at));
  if (common.json) {
    JsonWriter json;
    print_line(json.begin_object().field("name", flags.name).field("scope", to_string(*scope)).field("key", key).end_object().text());
    return kDone;
  }
  fmt::print("{}\n", key);
  fmt::print(stderr, "The key '{}' ({}) is shown this once: only its SHA-256 is kept. Send it as: Authorization: Bearer KEY\n", flags.name,
             to_string(*scope));
  return kDone;
}

Result<int> list(const AccessKeys& keys, const Common& common) {
  MAGPIE_TRY(const std::vector<AccessKey> all, keys.list());
  const Timestamp now = SystemClock().now();
  for (const AccessKey& key : all) {
    const bool expired = key.expires_at && *key.expires_at <= now;
    if (common.json) {
      JsonWriter json;
      json.begin_object()
          .field("name", key.name)
          .field("scope", to_string(key.scope))
          .field("created_at", time_text(key.created_at))
          .key("expires_at");
      if (key.expires_at) json.string(time_text(*key.expires_at));
      else json.null();
      print_line(json.field("expired", expired).end_object().text());
      continue;
    }
    fmt::print("{:<24} {:<7} since {}{}\n", key.name, to_string(key.scope), time_text(key.created_at),
               !key.expires_at ? std::string() : fmt::format(", {} {}", expired ? "expired" : "until", time_text(*key.expires_at)));
  }
  return all.empty() ? kNothing : kDone;
}

Result<int> run(const Common& common, const KeysFlags& flags) {
  MAGPIE_TRY(const CollectionFolder folder, CollectionFolder::choose(common.collection, false));
  AccessKeys keys(folder.keys());
  if (flags.verb == "list") return list(keys, common);
  if (flags.verb != "add" && flags.verb != "revoke") return fail(Code::kBadInput, "'{}' is none of add, list, revoke", flags.verb);
  if (flags.name.empty()) return fail(Code::kBadInput, "name the key: magpie keys {} NAME", flags.verb);
  if (flags.verb == "add") return add(keys, common, flags);
  MAGPIE_TRY_DO(keys.revoke(flags.name));
  fmt::print(stderr, "The key '{}' is refused from now on.\n", flags.name);
  return kDone;
}

}  // namespace

void add_keys(CLI::App& app, Common& common) {
  Subcommand command(app, "keys", "Keys to the API, for servers that listen beyond this machine");
  auto flags = std::make_shared<KeysFlags>();
  command.option("verb", flags->verb, "add, list or revoke", {.value = "add|list|revoke", .required = true});
  command.option("name", flags->name, "The key's name, for people", {.value = "NAME"});
  command.option("--scope", flags->scope, "search: may read; manage: may also crawl, change shops and forget",
                 {.value = "search|manage", .show_default = true});
  command.option("--expires", flags->expires, "Is refused after so long: 12h, 30d; without it never", {.value = "TIME"});
  command.common_flags(common);
  command.runs(common, [&common, flags] { return run(common, *flags); });
}

}  // namespace magpie::cmd
