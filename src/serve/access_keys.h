#pragma once
// Keys to the API: made by `magpie keys add`, kept in the collection's file `keys`, sent as `Authorization: Bearer KEY`.
//
// A key is 256 random bits, so its SHA-256 is all that is kept: nobody guesses or inverts it, and no slow hash is needed as for passwords.
// The file has mode 0600 and one line a key, replaced as a whole:
//   magpie-keys 1
//   NAME SCOPE CREATED EXPIRES SHA256          times in milliseconds since 1970, 0: never expires
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/files.h"
#include "base/guarded.h"
#include "base/hash.h"
#include "core/records.h"

namespace magpie {

/// What a key may: search reads; manage also crawls, changes shops and forgets.
enum class KeyScope : std::uint8_t { kSearch, kManage };
/// "search", "manage".
std::string_view to_string(KeyScope scope);
std::optional<KeyScope> key_scope_from(std::string_view name);

struct AccessKey {
  std::string name;  // 1 to 64 letters, digits, '.', '-' and '_'
  KeyScope scope = KeyScope::kSearch;
  Timestamp created_at{};
  std::optional<Timestamp> expires_at;
  Sha256 digest{};
};

/// The file. Thread-safe; several processes may read while one changes it.
class AccessKeys {
 public:
  static constexpr std::size_t kKeysMax = 1'000;
  explicit AccessKeys(fs::path file) : file_(std::move(file)) {}

  /// Makes a key and gives it, for this once. kBusy when there is one of that name, kBadInput for a name that is none, kTooLarge over
  /// kKeysMax.
  Result<std::string> add(const std::string& name, KeyScope scope, Timestamp now, std::optional<Timestamp> expires_at);
  /// kNotFound.
  Result<void> revoke(const std::string& name);
  /// By name; none when there is no file. kCorrupt when it does not read.
  Result<std::vector<AccessKey>> list() const;
  /// The key that has these characters, expired or not. Compares every key in the same time. The file is read again when it has changed, so
  /// a revoked key is refused at once. A file that does not read has no keys: it is logged.
  std::optional<AccessKey> find(std::string_view key) const;

 private:
  struct Stamp {
    std::int64_t changed_ns = 0, bytes = -1;
    std::uint64_t inode = 0;
    bool operator==(const Stamp&) const = default;
  };
  struct Known {
    Stamp stamp;
    std::vector<AccessKey> keys;
  };
  Result<void> save(const std::vector<AccessKey>& keys) const;
  Stamp stamp() const;

  const fs::path file_;
  mutable Guarded<Known> known_;
};

}  // namespace magpie
