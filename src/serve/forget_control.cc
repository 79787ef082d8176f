#include "serve/forget_control.h"

namespace magpie {

std::string_view to_string(ForgetState state) {
  switch (state) {
    case ForgetState::kRunning: return "running";
    case ForgetState::kFinished: return "finished";
    case ForgetState::kFailed: return "failed";
  }
  return "failed";
}

void write_report(JsonWriter& json, const ForgetReport& report) {
  const ForgetCounts& rows = report.catalog;
  json.begin_object().field("kind", to_string(report.target.kind)).field("name", report.target.name).field("dry_run", report.dry_run);
  json.key("catalog").begin_object();
  json.field("addresses", rows.addresses).field("pages", rows.pages).field("products", rows.products).field("showings", rows.showings);
  json.field("pictures", rows.pictures).field("vectors", rows.vectors).field("labels", rows.labels).field("changes", rows.changes);
  json.field("visits", rows.visits).field("selectors", rows.selectors).field("jobs", rows.jobs).field("mentions", rows.mentions);
  json.field("regrouped", rows.regrouped).end_object();
  const auto write_files = [&](std::string_view name, const RewriteCounts& counts) {
    json.key(name).begin_object().field("looked_at", counts.looked_at).field("removed", counts.removed).field("changed", counts.changed);
    json.field("bytes_removed", counts.bytes_removed).field("files_rewritten", counts.files).end_object();
  };
  write_files("archive", report.archive);
  write_files("variants", report.variants);
  json.field("frontier", report.frontier).field("shops", report.shops).key("search");
  if (!report.searched) {
    json.null().end_object();
    return;
  }
  json.begin_object().field("names", report.names).field("files", report.files).field("bytes", report.bytes).key("found").begin_array();
  for (const std::string& one : report.found) json.string(one);
  json.end_array().end_object().end_object();
}

}  // namespace magpie
