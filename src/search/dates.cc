#include "search/dates.h"

namespace magpie {
namespace {

constexpr std::int64_t kHourSeconds = 3'600, kDaySeconds = 24 * kHourSeconds;

std::vector<DateRange> ranges_before(std::int64_t now_seconds) {
  return {{.name = "hour", .since_seconds = now_seconds - kHourSeconds},
          {.name = "day", .since_seconds = now_seconds - kDaySeconds},
          {.name = "week", .since_seconds = now_seconds - 7 * kDaySeconds},
          {.name = "month", .since_seconds = now_seconds - 30 * kDaySeconds},
          {.name = "year", .since_seconds = now_seconds - 365 * kDaySeconds},
          {.name = "older", .until_seconds = now_seconds - 365 * kDaySeconds}};
}

bool is_within(const DateRange& range, std::int64_t at) {
  return (!range.since_seconds || at >= *range.since_seconds) && (!range.until_seconds || at < *range.until_seconds);
}

}  // namespace

Result<std::vector<DateRange>> count_dates(const SearchView& view, const IdSet& ids, std::int64_t now_seconds) {
  std::vector<DateRange> ranges = ranges_before(now_seconds);
  std::vector<IdSet> groups(ranges.size());  // of copies, that were counted
  MAGPIE_TRY(const IdSet* with_copies, view.text->copies());
  MAGPIE_TRY_DO(view.text->rows(ids, [&](std::span<const IndexRow> rows) {
    for (const IndexRow& row : rows) {
      const bool has_copies = with_copies->contains(row.id);
      for (std::size_t i = 0; i < ranges.size(); ++i) {
        if (!is_within(ranges[i], row.fetched_at_seconds)) continue;
        if (!has_copies || !groups[i].contains(row.copy_group)) ++ranges[i].count;
        if (has_copies) groups[i].add(row.copy_group);
      }
    }
  }));
  return ranges;
}

}  // namespace magpie
