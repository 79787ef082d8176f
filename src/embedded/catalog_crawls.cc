#include "embedded/catalog_crawls.h"

#include "embedded/catalog_rows.h"

namespace magpie {

Result<CatalogStats> read_stats(Database& db) {
  CatalogStats stats;
  MAGPIE_TRY(Query row,
             db.query("SELECT (SELECT COUNT(*) FROM pages), (SELECT COUNT(*) FROM products), (SELECT COUNT(*) FROM images), "
                      "(SELECT COUNT(*) FROM urls WHERE image IS NOT NULL), (SELECT COUNT(*) FROM urls), (SELECT COUNT(*) FROM to_index)"));
  MAGPIE_TRY_DO(row.next());
  int column = 0;
  for (std::uint64_t* count : {&stats.pages, &stats.products, &stats.images, &stats.image_urls, &stats.urls, &stats.to_index}) {
    *count = static_cast<std::uint64_t>(row.int64(column++));
  }
  MAGPIE_TRY(Query shops, db.query("SELECT shop, COUNT(*) FROM pages GROUP BY shop"));
  MAGPIE_TRY_DO(each_row(shops, [&](const Query& shop) -> Result<void> {
    stats.pages_by_shop[shop.string(0)] = static_cast<std::uint64_t>(shop.int64(1));
    return {};
  }));
  MAGPIE_TRY(Query causes, db.query("SELECT cause, COUNT(*) FROM urls WHERE cause > 0 GROUP BY cause"));
  MAGPIE_TRY_DO(each_row(causes, [&](const Query& cause) -> Result<void> {
    stats.failures_by_cause[static_cast<Cause>(cause.int64(0))] = static_cast<std::uint64_t>(cause.int64(1));
    stats.failures += static_cast<std::uint64_t>(cause.int64(1));
    return {};
  }));
  return stats;
}

Result<std::vector<Job>> read_jobs(Database& db) {
  std::vector<Job> jobs;
  MAGPIE_TRY(Query rows, db.query("SELECT " MAGPIE_JOB_COLUMNS " FROM jobs ORDER BY id DESC"));
  MAGPIE_TRY_DO(each_row(rows, [&](const Query& row) -> Result<void> {
    jobs.push_back(job_from(row));
    return {};
  }));
  return jobs;
}

Result<std::optional<Job>> read_job(Database& db, JobId id) {
  MAGPIE_TRY(Query row, db.query("SELECT " MAGPIE_JOB_COLUMNS " FROM jobs WHERE id = ?", id));
  MAGPIE_TRY(const bool found, row.next());
  return found ? std::optional(job_from(row)) : std::nullopt;
}

Result<std::vector<HostVisit>> read_host_visits(Database& db, std::string_view host) {
  std::vector<HostVisit> visits;
  MAGPIE_TRY(Query rows, db.query("SELECT job, run_started_at, next_allowed_at, report FROM host_visits WHERE host = ? "
                                  "ORDER BY run_started_at, job",
                                  host));
  MAGPIE_TRY_DO(each_row(rows, [&](const Query& row) -> Result<void> {
    visits.push_back(
        {std::string(host), static_cast<JobId>(row.int64(0)), from_millis(row.int64(1)), from_millis(row.int64(2)), row.string(3)});
    return {};
  }));
  return visits;
}

Result<std::map<std::string, Timestamp>> read_resting_hosts(Database& db, Timestamp now) {
  std::map<std::string, Timestamp> resting;
  MAGPIE_TRY(Query rows,
             db.query("SELECT host, MAX(next_allowed_at) FROM host_visits WHERE next_allowed_at > ? GROUP BY host", to_millis(now)));
  MAGPIE_TRY_DO(each_row(rows, [&](const Query& row) -> Result<void> {
    resting.emplace(row.string(0), from_millis(row.int64(1)));
    return {};
  }));
  return resting;
}

Result<std::vector<LearntSelector>> read_selectors(Database& db, std::string_view host) {
  std::vector<LearntSelector> found;
  MAGPIE_TRY(Query rows, db.query("SELECT field, path, words, value, agreed, disagreed FROM selectors WHERE host = ?", host));
  MAGPIE_TRY_DO(each_row(rows, [&](const Query& row) -> Result<void> {
    found.push_back({{.field = row.string(0), .path = row.string(1), .words = row.string(2), .value = row.string(3)},
                     static_cast<std::uint32_t>(row.int64(4)),
                     static_cast<std::uint32_t>(row.int64(5))});
    return {};
  }));
  return found;
}

Result<HostSummary> read_host_summary(Database& db, std::string_view host) {
  HostSummary summary;
  // An address is a scheme, the host and a path: two ranges of the index over addresses. '0' comes behind '/'.
  for (const std::string_view scheme : {"http://", "https://"}) {
    MAGPIE_TRY(Query rows, db.query("SELECT cause, image IS NOT NULL, COUNT(*) FROM urls WHERE url >= ? AND url < ? AND "
                                    "(cause > 0 OR image IS NOT NULL) GROUP BY 1, 2",
                                    fmt::format("{}{}/", scheme, host), fmt::format("{}{}0", scheme, host)));
    MAGPIE_TRY_DO(each_row(rows, [&](const Query& row) -> Result<void> {
      const auto count = static_cast<std::uint64_t>(row.int64(2));
      if (row.int64(0) != 0) summary.failures_by_cause[static_cast<Cause>(row.int64(0))] += count;
      if (row.int64(1) != 0) summary.images += count;
      return {};
    }));
  }
  MAGPIE_TRY(Query pages, db.query("SELECT robots, COUNT(*) FROM pages WHERE shop = ? GROUP BY robots", host));
  MAGPIE_TRY_DO(each_row(pages, [&](const Query& row) -> Result<void> {
    const auto count = static_cast<std::uint64_t>(row.int64(1));
    const RobotsMeta robots = robots_from(row.int64(0));
    summary.pages += count;
    summary.noindex += robots.noindex ? count : 0;
    summary.nofollow += robots.nofollow ? count : 0;
    summary.noimageindex += robots.noimageindex ? count : 0;
    summary.noai += robots.noai ? count : 0;
    return {};
  }));
  return summary;
}

Result<std::vector<Fetch>> read_failures(Database& db, std::optional<Cause> cause, std::size_t limit) {
  std::vector<Fetch> failures;
  const auto collect = [&](const Query& row) -> Result<void> {
    failures.push_back(fetch_from(row));
    return {};
  };
  if (cause) {
    MAGPIE_TRY(Query rows,
               db.query("SELECT " MAGPIE_FETCH_COLUMNS " FROM urls WHERE cause = ? AND cause > 0 ORDER BY fetched_at DESC, id DESC LIMIT ?",
                        static_cast<int>(*cause), limit));
    MAGPIE_TRY_DO(each_row(rows, collect));
  } else {
    MAGPIE_TRY(Query rows,
               db.query("SELECT " MAGPIE_FETCH_COLUMNS " FROM urls WHERE cause > 0 ORDER BY fetched_at DESC, id DESC LIMIT ?", limit));
    MAGPIE_TRY_DO(each_row(rows, collect));
  }
  return failures;
}

}  // namespace magpie
