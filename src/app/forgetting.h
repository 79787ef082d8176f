#pragma once
// One forgetting, from the plan to the proof (core/forget.h names the steps). What is to go is written into the collection's file
// `forgetting` first, and `forgetting.move` names the file that is just being written anew; both go when all is done. So it can be killed
// at any moment, and whoever manages the collection next finishes it (Manager::start).
#include <functional>
#include <optional>
#include <set>
#include <string>

#include "app/collection.h"
#include "pipeline/recorder.h"
#include "serve/forget_control.h"

namespace magpie {

class Forgetting {
 public:
  /// Both must outlive it. While it runs nothing may be fetched: no crawl is under way.
  Forgetting(Collection& collection, pipeline::Recorder& recorder, ForgetPlan plan);
  /// The one that a process did not finish; nothing when there is none.
  static Result<std::optional<ForgetPlan>> unfinished(const CollectionFolder& folder);

  /// Puts files in order that a process was writing anew when it died. On the recorder's thread, before anything is added to them.
  static Result<void> settle_move(Collection& collection);

  /// What would go. Writes nothing.
  Result<ForgetReport> count();
  /// After an error, as after a crash, it goes on when the collection is opened next.
  Result<ForgetReport> run();

 private:
  RecordFate judge(const std::string& url, std::string& header, std::string& body);
  Result<void> forget_rows();
  Result<void> rewrite_variants();
  Result<void> rewrite_archive();
  Result<void> remove_shops();
  std::function<bool(const VariantPlace&)> keeps_variant(const ForgetPlan* without) const;

  Collection& collection_;
  pipeline::Recorder& recorder_;
  const ForgetPlan plan_;
  const GoneAddresses gone_;
  std::set<Sha256> contents_;
  std::set<std::string> digests_;  // SHA-1 of bodies that went, as WARC writes them
  ForgetReport report_;
};

}  // namespace magpie
