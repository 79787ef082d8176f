#include "serve/access_keys.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <sstream>

#include "base/log.h"

namespace magpie {
namespace {

constexpr std::string_view kHead = "magpie-keys 1";
constexpr std::string_view kKeyHead = "mgp_";  // so that a key that lies about somewhere is known for one

bool is_name(std::string_view name) {
  return !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
  });
}

/// In the same time wherever they differ.
bool same(const Sha256& a, const Sha256& b) {
  unsigned different = 0;
  for (std::size_t i = 0; i < a.size(); ++i) different |= static_cast<unsigned>(a[i] ^ b[i]);
  return different == 0;
}

std::optional<AccessKey> key_from(const std::string& line) {
  std::istringstream words(line);
  AccessKey key;
  std::string scope, digest, more;
  std::int64_t created = 0, expires = 0;
  if (!(words >> key.name >> scope >> created >> expires >> digest) || words >> more || !is_name(key.name)) return std::nullopt;
  const auto known_scope = key_scope_from(scope);
  const auto known_digest = sha256_from_hex(digest);
  if (!known_scope || !known_digest) return std::nullopt;
  key.scope = *known_scope;
  key.digest = *known_digest;
  key.created_at = Timestamp(std::chrono::milliseconds(created));
  if (expires != 0) key.expires_at = Timestamp(std::chrono::milliseconds(expires));
  return key;
}

}  // namespace

std::string_view to_string(KeyScope scope) { return scope == KeyScope::kManage ? "manage" : "search"; }

std::optional<KeyScope> key_scope_from(std::string_view name) {
  if (name == "search") return KeyScope::kSearch;
  if (name == "manage") return KeyScope::kManage;
  return std::nullopt;
}

Result<std::vector<AccessKey>> AccessKeys::list() const {
  const auto text = read_file(file_, 1 << 20);
  if (!text && text.error().code == Code::kNotFound) return std::vector<AccessKey>();
  if (!text) return Failure(text.error());
  std::istringstream lines(*text);
  std::string line;
  const auto broken = [&] {
    return fail(Code::kCorrupt, "{} does not read at '{}'; mend or remove it", file_.string(), line.substr(0, 80));
  };
  if (!std::getline(lines, line) || line != kHead) return broken();
  std::vector<AccessKey> keys;
  while (std::getline(lines, line)) {
    const auto key = key_from(line);
    if (!key || keys.size() >= kKeysMax) return broken();
    keys.push_back(*key);
  }
  std::sort(keys.begin(), keys.end(), [](const AccessKey& a, const AccessKey& b) { return a.name < b.name; });
  return keys;
}

// A file of its own mode from its first byte on, renamed over the old one.
Result<void> AccessKeys::save(const std::vector<AccessKey>& keys) const {
  std::string text(kHead);
  text += '\n';
  for (const AccessKey& key : keys) {
    const auto millis = [](Timestamp time) { return time.time_since_epoch().count(); };
    text += fmt::format("{} {} {} {} {}\n", key.name, to_string(key.scope), millis(key.created_at),
                        key.expires_at ? millis(*key.expires_at) : 0, to_hex(key.digest));
  }
  const std::string aside = file_.string() + ".new";
  ::unlink(aside.c_str());
  const UniqueFd out(::open(aside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!out) return fail_errno(aside);
  MAGPIE_TRY_DO(write_all(out.get(), text));
  if (::fsync(out.get()) != 0) return fail_errno(aside);
  if (::rename(aside.c_str(), file_.c_str()) != 0) return fail_errno(file_.string());
  return {};
}

Result<std::string> AccessKeys::add(const std::string& name, KeyScope scope, Timestamp now, std::optional<Timestamp> expires_at) {
  if (!is_name(name)) return fail(Code::kBadInput, "a key's name is 1 to 64 letters, digits, '.', '-' and '_', not '{}'", name);
  MAGPIE_TRY(std::vector<AccessKey> keys, list());
  if (keys.size() >= kKeysMax) return fail(Code::kTooLarge, "there are {} keys already; revoke some", keys.size());
  if (std::any_of(keys.begin(), keys.end(), [&](const AccessKey& key) { return key.name == name; }))
    return fail(Code::kBusy, "there is a key '{}' already; revoke it first, or choose another name", name);
  std::string key(kKeyHead);
  for (int i = 0; i < 4; ++i) key += to_hex(random_u64());
  keys.push_back({.name = name, .scope = scope, .created_at = now, .expires_at = expires_at, .digest = sha256(key)});
  MAGPIE_TRY_DO(save(keys));
  return key;
}

Result<void> AccessKeys::revoke(const std::string& name) {
  MAGPIE_TRY(std::vector<AccessKey> keys, list());
  if (std::erase_if(keys, [&](const AccessKey& key) { return key.name == name; }) == 0)
    return fail(Code::kNotFound, "there is no key '{}'; magpie keys list names them", name);
  return save(keys);
}

AccessKeys::Stamp AccessKeys::stamp() const {
  struct stat info {};
  if (::stat(file_.c_str(), &info) != 0) return {};
  return {std::int64_t{info.st_mtim.tv_sec} * 1'000'000'000 + info.st_mtim.tv_nsec, info.st_size, info.st_ino};
}

std::optional<AccessKey> AccessKeys::find(std::string_view key) const {
  const Sha256 digest = sha256(key);
  const Stamp now = stamp();
  return known_.with([&](Known& known) -> std::optional<AccessKey> {
    if (known.stamp != now) {
      auto keys = list();
      if (!keys) log::error("keys.unreadable", {{"why", keys.error().message}});
      known = {now, keys ? *std::move(keys) : std::vector<AccessKey>()};
    }
    std::optional<AccessKey> found;
    for (const AccessKey& one : known.keys) {
      if (same(one.digest, digest)) found = one;
    }
    return found;
  });
}

}  // namespace magpie
