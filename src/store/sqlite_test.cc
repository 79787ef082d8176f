#include "store/sqlite.h"

#include <gtest/gtest.h>

#include "base/hash.h"

namespace magpie {
namespace {

TEST(Sqlite, AStatementIsItsTextWhateverBecomesOfTheBytesItWasAskedWith) {
  const fs::path path = fs::temp_directory_path() / fmt::format("magpie-sqlite-test-{}", random_u64());
  {
    Database database = *Database::open(path, {});
    std::string sql = "SELECT 1";
    for (const char number : {'1', '2', '3', '1'}) {
      sql.back() = number;  // the same place in memory
      auto row = database.query(sql);
      ASSERT_TRUE(row && *row->next());
      EXPECT_EQ(row->int64(0), number - '0');
    }
  }
  fs::remove(path);
}

}  // namespace
}  // namespace magpie
