#include "index/engine.h"

#include <fcntl.h>
#include <sys/file.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <set>

#include "base/log.h"
#include "base/priority.h"
#include "index/merge_policy.h"
#include "vec/dot.h"

namespace magpie::index {
namespace {

Result<UniqueFd> lock_folder(const fs::path& folder) {
  const fs::path path = folder / "lock";
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!fd) return fail_errno(path.string());
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    return fail(Code::kBusy, "the index in {} is being written by another process; stop it or open for reading", folder.string());
  }
  return fd;
}

Result<PendingVector> prepare(ImageId id, const PictureVector& given) {
  const std::span<const float> embedding = given.embedding;
  if (embedding.empty() || embedding.size() > kVectorDimsMax) {
    return fail(Code::kBadInput, "picture {}: a vector has 1 to {} components, not {}", id, kVectorDimsMax, embedding.size());
  }
  if (given.region_class.size() > (given.region == 0 ? 0 : kRegionClassBytesMax)) {
    return fail(Code::kBadInput, "picture {}: a region's class has at most {} bytes, and the whole picture has none", id,
                kRegionClassBytesMax);
  }
  PendingVector vector{.region = given.region,
                       .region_class = std::string(given.region_class),
                       .row = std::vector<float>(vec::padded(embedding.size()), 0.0F)};
  std::copy(embedding.begin(), embedding.end(), vector.row.begin());
  if (!vec::normalise(vector.row)) return fail(Code::kBadInput, "picture {}: the vector is zero or not finite", id);
  vector.codes.resize(vector.row.size());
  vector.scale = vec::quantise(vector.row, vector.codes);
  return vector;
}

/// All vectors of a picture, by region.
Result<std::vector<PendingVector>> prepare(ImageId id, std::span<const PictureVector> given) {
  if (id == kNoId) return fail(Code::kBadInput, "a vector needs a picture's id");
  if (given.empty() || given.size() > kPictureVectorsMax) {
    return fail(Code::kBadInput, "picture {}: 1 to {} vectors, not {}", id, kPictureVectorsMax, given.size());
  }
  std::vector<PendingVector> vectors;
  for (const PictureVector& one : given) {
    if (one.embedding.size() != given.front().embedding.size()) return fail(Code::kBadInput, "picture {}: vectors of different sizes", id);
    MAGPIE_TRY(PendingVector vector, prepare(id, one));
    vectors.push_back(std::move(vector));
  }
  std::sort(vectors.begin(), vectors.end(), [](const PendingVector& a, const PendingVector& b) { return a.region < b.region; });
  for (std::size_t i = 1; i < vectors.size(); ++i) {
    if (vectors[i].region == vectors[i - 1].region) {
      return fail(Code::kBadInput, "picture {}: region {} has two vectors", id, vectors[i].region);
    }
  }
  return vectors;
}

std::vector<ImageId> with_keys(const IdSet& removed, const auto& added) {
  std::vector<ImageId> ids = removed.to_vector();
  for (const auto& [id, value] : added) ids.push_back(id);
  return ids;
}

/// The state with these rows dead; the same object when none lives in it.
std::shared_ptr<const SegmentState> without(const std::shared_ptr<const SegmentState>& state, const std::vector<ImageId>& documents,
                                            const std::vector<ImageId>& vectors) {
  std::shared_ptr<SegmentState> changed;
  const auto writable = [&]() -> SegmentState& {
    if (!changed) changed = std::make_shared<SegmentState>(*state);
    return *changed;
  };
  for (const ImageId id : documents) {
    const auto row = state->segment->find_document(id);
    if (row && !state->dead_documents.dead(*row)) writable().kill_document(*row);
  }
  for (const ImageId id : vectors) {
    const RowRange rows = state->segment->vectors_of(id);
    for (std::uint32_t row = rows.begin; row < rows.end; ++row) {
      if (!state->dead_vectors.dead(row)) writable().kill_vector(row);
    }
  }
  return changed ? std::shared_ptr<const SegmentState>(std::move(changed)) : state;
}

ManifestSegment describe(const SegmentState& state) {
  return {state.segment->number(), state.segment->documents(), state.segment->vectors(), state.dead_documents.to_vector(),
          state.dead_vectors.to_vector()};
}

SegmentSize size_of(const SegmentState& state) {
  return {std::max<std::size_t>(state.segment->documents(), state.segment->vectors()),
          std::max<std::size_t>(state.live_documents(), state.live_vectors())};
}

}  // namespace

Result<std::unique_ptr<Engine>> Engine::open(const fs::path& folder, EngineOptions options) {
  const Access access = options.access;
  const bool background = access == Access::kWrite && options.merge_in_background;
  std::unique_ptr<Engine> engine(new Engine(folder, std::move(options)));  // the constructor is private
  if (access == Access::kWrite) {
    MAGPIE_TRY_DO(make_folder(folder));
    MAGPIE_TRY(engine->lock_, lock_folder(folder));
  }
  MAGPIE_TRY_DO(engine->load());
  if (background) {
    Engine* self = engine.get();  // the thread is a member, so it ends before the engine does
    engine->merger_ = std::jthread([self](std::stop_token stop) { self->merge_loop(stop); });
  }
  return engine;
}

Engine::~Engine() {
  merge_wanted_.close();
  if (merger_.joinable()) {
    merger_.request_stop();
    merger_.join();
  }
}

Result<void> Engine::load() {
  if (options_.access == Access::kRead) {
    MAGPIE_TRY_DO(refresh());
    return {};
  }
  MAGPIE_TRY(Manifest manifest, read_manifest(folder_));
  MAGPIE_TRY_DO(remove_strangers(manifest));
  MAGPIE_TRY(std::shared_ptr<const Snapshot> opened, open_snapshot(manifest));
  current_.with([&](auto& current) { current = opened; });
  writer_.with([&](Writer& writer) {
    writer.next_segment = manifest.next_segment;
    writer.dims = manifest.dims;
    writer.vector_space = manifest.vector_space.empty() ? options_.vector_space : manifest.vector_space;
  });
  return {};
}

Result<std::shared_ptr<const Snapshot>> Engine::open_snapshot(const Manifest& manifest) const {
  if (!manifest.vector_space.empty() && !options_.vector_space.empty() && manifest.vector_space != options_.vector_space) {
    return fail(Code::kBadInput, "the index holds vectors of {}, not of {}; magpie rebuild makes them anew", manifest.vector_space,
                options_.vector_space);
  }
  auto opened = std::make_shared<Snapshot>();
  opened->version = manifest.version;
  opened->dims = manifest.dims;
  const std::shared_ptr<const Snapshot> before = snapshot();
  std::error_code no_matter;
  for (const ManifestSegment& listed : manifest.segments) {
    std::shared_ptr<const Segment> segment;
    for (const auto& known : before ? before->segments : decltype(before->segments){}) {
      if (known->segment->number() == listed.number) segment = known->segment;
    }
    // Its graph may have come since.
    if (segment && !segment->has_graph() && fs::exists(folder_ / graph_file_name(listed.number), no_matter)) segment.reset();
    if (!segment) { MAGPIE_TRY(segment, Segment::open(folder_ / segment_file_name(listed.number), listed.number)); }
    const bool fits = segment->documents() == listed.documents && segment->vectors() == listed.vectors &&
                      (segment->vectors() == 0 || segment->dims() == manifest.dims);
    if (!fits) return fail(Code::kCorrupt, "{} is not the file the manifest speaks of", segment_file_name(listed.number));
    auto state = std::make_shared<SegmentState>(std::move(segment));
    for (const std::uint32_t row : listed.dead_documents) state->kill_document(row);
    for (const std::uint32_t row : listed.dead_vectors) state->kill_vector(row);
    opened->segments.push_back(std::move(state));
  }
  return std::shared_ptr<const Snapshot>(std::move(opened));
}

// A commit or merge that was killed leaves a segment that no manifest names.
Result<void> Engine::remove_strangers(const Manifest& manifest) const {
  std::set<std::string> named;
  for (const ManifestSegment& segment : manifest.segments) {
    named.insert(segment_file_name(segment.number));
    named.insert(graph_file_name(segment.number));
  }
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder_, error)) {
    const std::string name = entry.path().filename().string();
    const bool ours = (name.starts_with("segment-") && (name.ends_with(".seg") || name.ends_with(".graph") || name.ends_with(".new"))) ||
                      (name.starts_with("manifest.") && name.ends_with(".new"));
    if (!ours || named.contains(name)) continue;
    std::error_code ignored;  // a file that stays only takes room
    fs::remove(entry.path(), ignored);
    log::info("index.leftover_removed", {{"file", name}});
  }
  if (error) return fail(Code::kUnavailable, "cannot list {}: {}", folder_.string(), error.message());
  return {};
}

Result<void> Engine::check_writable() const {
  if (options_.access == Access::kWrite) return {};
  return fail(Code::kForbidden, "the index in {} was opened for reading", folder_.string());
}

Result<void> Engine::add_document(IndexDocument document) {
  MAGPIE_TRY_DO(check_writable());
  if (document.id == kNoId) return fail(Code::kBadInput, "a document needs a picture's id");
  const std::size_t bytes = document.title.size() + document.alt.size() + document.keywords.size() + document.description.size();
  if (bytes > kDocumentTextMax)
    return fail(Code::kTooLarge, "picture {} has {} bytes of text, over {}", document.id, bytes, kDocumentTextMax);
  AnalysedDocument analysed = analyse(std::move(document));
  writer_.with([&](Writer& writer) { writer.pending.documents[analysed.facts.id] = std::move(analysed); });
  return {};
}

Result<void> Engine::add_vectors(ImageId id, std::span<const PictureVector> vectors) {
  MAGPIE_TRY_DO(check_writable());
  MAGPIE_TRY(std::vector<PendingVector> prepared, prepare(id, vectors));
  const std::size_t dims = vectors.front().embedding.size();
  return writer_.with([&](Writer& writer) -> Result<void> {
    if (writer.dims == 0) writer.dims = static_cast<std::uint32_t>(dims);
    if (writer.dims != dims) {
      return fail(Code::kBadInput, "picture {}: a vector of {} components, the index's have {}", id, dims, writer.dims);
    }
    writer.pending.vectors[id] = std::move(prepared);
    return {};
  });
}

Result<void> Engine::remove_document(ImageId id) {
  MAGPIE_TRY_DO(check_writable());
  writer_.with([&](Writer& writer) {
    writer.pending.documents.erase(id);
    writer.removed_documents.add(id);
    writer.any_removed = true;
  });
  return {};
}

Result<void> Engine::remove_vectors(ImageId id) {
  MAGPIE_TRY_DO(check_writable());
  writer_.with([&](Writer& writer) {
    writer.pending.vectors.erase(id);
    writer.removed_vectors.add(id);
    writer.any_removed = true;
  });
  return {};
}

Result<void> Engine::commit() {
  MAGPIE_TRY_DO(check_writable());
  MAGPIE_TRY_DO(writer_.with([&](Writer& writer) { return commit_pending(writer); }));
  if (!options_.merge_in_background) {
    MAGPIE_TRY_DO(merge_while_needed());
    build_graphs([] { return true; });
    return {};
  }
  int wanted = 1;
  merge_wanted_.try_push(wanted);  // a full queue means the merger has been told already
  return {};
}

Result<void> Engine::commit_pending(Writer& writer) {
  if (writer.pending.empty() && !writer.any_removed) return {};
  const std::shared_ptr<const Snapshot> before = snapshot();
  const std::vector<ImageId> documents = with_keys(writer.removed_documents, writer.pending.documents);
  const std::vector<ImageId> vectors = with_keys(writer.removed_vectors, writer.pending.vectors);
  std::vector<std::shared_ptr<const SegmentState>> segments;
  for (const auto& state : before->segments) segments.push_back(without(state, documents, vectors));
  if (!writer.pending.empty()) {
    const std::uint64_t number = writer.next_segment++;
    const fs::path path = folder_ / segment_file_name(number);
    MAGPIE_TRY_DO(build_segment(path, writer.pending, writer.dims));
    MAGPIE_TRY(std::shared_ptr<const Segment> segment, Segment::open(path, number));
    segments.push_back(std::make_shared<SegmentState>(std::move(segment)));
  }
  MAGPIE_TRY_DO(publish(writer, std::move(segments)));
  writer.pending = {};
  writer.removed_documents = {};
  writer.removed_vectors = {};
  writer.any_removed = false;
  return {};
}

Result<void> Engine::publish(const Writer& writer, std::vector<std::shared_ptr<const SegmentState>> segments) {
  auto next = std::make_shared<Snapshot>();
  next->version = snapshot()->version + 1;
  next->dims = writer.dims;
  next->segments = std::move(segments);
  Manifest manifest{
      .version = next->version, .next_segment = writer.next_segment, .dims = writer.dims, .vector_space = writer.vector_space};
  for (const auto& state : next->segments) manifest.segments.push_back(describe(*state));
  MAGPIE_TRY_DO(write_manifest(folder_, manifest));
  current_.with([&](auto& current) { current = std::move(next); });
  return {};
}

std::shared_ptr<const Snapshot> Engine::snapshot() const {
  return current_.with([](const auto& current) { return current; });
}

Result<bool> Engine::refresh() {
  if (options_.access == Access::kWrite) return false;
  // Between reading the manifest and opening its files a writer may have merged them away; then there is a newer manifest.
  constexpr int kAttempts = 10;
  for (int attempt = 1;; ++attempt) {
    MAGPIE_TRY(Manifest manifest, read_manifest(folder_));
    const std::shared_ptr<const Snapshot> before = snapshot();
    if (before && before->version == manifest.version) return false;
    Result<std::shared_ptr<const Snapshot>> opened = open_snapshot(manifest);
    if (opened) {
      current_.with([&](auto& current) { current = *opened; });
      return true;
    }
    if (opened.error().code != Code::kNotFound || attempt == kAttempts) return Failure(opened.error());
  }
}

std::optional<Engine::MergePlan> Engine::plan_merge(MergeWish wish) {
  return writer_.with([&](Writer& writer) -> std::optional<MergePlan> {
    const std::shared_ptr<const Snapshot> now = snapshot();
    MergePlan plan{.dims = writer.dims};
    const auto has_dead_rows = [](const auto& state) { return state->dead_documents.count() + state->dead_vectors.count() > 0; };
    if (wish == MergeWish::kWithDeadRows) {
      std::copy_if(now->segments.begin(), now->segments.end(), std::back_inserter(plan.sources), has_dead_rows);
    } else if (wish == MergeWish::kEverything) {
      if (now->segments.size() != 1 || has_dead_rows(now->segments[0])) plan.sources = now->segments;
    } else {
      std::vector<SegmentSize> sizes;
      for (const auto& state : now->segments) sizes.push_back(size_of(*state));
      for (const std::size_t i : choose_merge(sizes)) plan.sources.push_back(now->segments[i]);
    }
    if (plan.sources.empty()) return std::nullopt;
    plan.number = writer.next_segment++;
    return plan;
  });
}

Result<void> Engine::run_merge(const MergePlan& plan) {
  MAGPIE_TRY_DO(merge_segments(folder_ / segment_file_name(plan.number), plan.sources, plan.dims));
  // Opened before the writer is kept waiting: of a large segment that takes a second.
  MAGPIE_TRY(std::shared_ptr<const Segment> segment, Segment::open(folder_ / segment_file_name(plan.number), plan.number));
  auto merged = std::make_shared<SegmentState>(std::move(segment));
  MAGPIE_TRY_DO(writer_.with([&](Writer& writer) { return install(writer, plan, std::move(merged)); }));
  std::set<std::uint64_t> unused{plan.number};  // the merged segment too, if nothing in it is alive
  for (const auto& source : plan.sources) unused.insert(source->segment->number());
  const auto current = snapshot();  // named, as the loop below does not keep a temporary alive (C++20)
  for (const auto& state : current->segments) unused.erase(state->segment->number());
  for (const std::uint64_t number : unused) {
    std::error_code ignored;  // a file that stays is removed at the next opening
    fs::remove(folder_ / segment_file_name(number), ignored);
    fs::remove(folder_ / graph_file_name(number), ignored);
  }
  return {};
}

// Commits went on while the merge ran: rows of its sources that died meanwhile must be dead in the merged segment too.
Result<void> Engine::install(Writer& writer, const MergePlan& plan, std::shared_ptr<SegmentState> merged) {
  const std::shared_ptr<const Snapshot> now = snapshot();
  std::vector<std::shared_ptr<const SegmentState>> segments;
  bool placed = false;
  for (const auto& state : now->segments) {
    const auto source = std::find_if(plan.sources.begin(), plan.sources.end(),
                                     [&](const auto& one) { return one->segment->number() == state->segment->number(); });
    if (source == plan.sources.end()) {
      segments.push_back(state);
      continue;
    }
    for (const std::uint32_t row : state->dead_documents.to_vector()) {
      if ((*source)->dead_documents.dead(row)) continue;
      if (const auto there = merged->segment->find_document(state->segment->document_ids[row])) merged->kill_document(*there);
    }
    for (const std::uint32_t row : state->dead_vectors.to_vector()) {
      if ((*source)->dead_vectors.dead(row)) continue;
      const RowRange there = merged->segment->vectors_of(state->segment->vector_ids[row]);
      for (std::uint32_t killed = there.begin; killed < there.end; ++killed) merged->kill_vector(killed);
    }
    if (!placed) segments.push_back(merged);  // filled in by reference as further sources come
    placed = true;
  }
  if (merged->live_documents() + merged->live_vectors() == 0) std::erase(segments, merged);
  return publish(writer, std::move(segments));
}

Result<void> Engine::merge_while_needed() {
  const std::lock_guard one_at_a_time(merging_);
  while (const std::optional<MergePlan> plan = plan_merge(MergeWish::kWhatIsDue)) MAGPIE_TRY_DO(run_merge(*plan));
  return {};
}

Result<void> Engine::merge_all() {
  MAGPIE_TRY_DO(check_writable());
  {
    const std::lock_guard one_at_a_time(merging_);
    if (const std::optional<MergePlan> plan = plan_merge(MergeWish::kEverything)) MAGPIE_TRY_DO(run_merge(*plan));
  }
  build_graphs([] { return true; });
  return {};
}

Result<void> Engine::purge() {
  MAGPIE_TRY_DO(check_writable());
  {
    const std::lock_guard one_at_a_time(merging_);
    if (const std::optional<MergePlan> plan = plan_merge(MergeWish::kWithDeadRows)) MAGPIE_TRY_DO(run_merge(*plan));
  }
  int wanted = 1;
  merge_wanted_.try_push(wanted);  // the merged segment has no graph yet
  return {};
}

/// The largest segment that should have a graph and has none.
std::shared_ptr<const SegmentState> Engine::without_graph() const {
  const std::shared_ptr<const Snapshot> now = snapshot();
  std::shared_ptr<const SegmentState> largest;
  for (const auto& state : now->segments) {
    const Segment& segment = *state->segment;
    const bool wanted = segment.has_sketches() && !segment.has_graph() && segment.vectors() >= options_.graph_vectors_min &&
                        !graph_failed_.contains(segment.number());
    if (wanted && (!largest || segment.vectors() > largest->segment->vectors())) largest = state;
  }
  return largest;
}

void Engine::build_graphs(const std::function<bool()>& go_on) {
  const std::lock_guard one_at_a_time(graphing_);
  while (const std::shared_ptr<const SegmentState> state = without_graph()) {
    const Result<bool> built = build_graph_of(*state->segment, go_on);
    if (!built) {
      // Minutes of work that would fail again after the next commit: the segment is scanned until the engine is opened anew.
      graph_failed_.insert(state->segment->number());
      log::warn("index.graph_failed", {{"why", built.error().message}});
    } else if (!*built && !go_on()) {
      return;
    }
  }
}

/// False if it is no longer wanted: `go_on` says so, or the segment was merged into another.
Result<bool> Engine::build_graph_of(const Segment& segment, const std::function<bool()>& go_on) {
  const std::uint64_t number = segment.number();
  const auto start = std::chrono::steady_clock::now();
  const auto still_wanted = [&] {
    const auto now = snapshot();
    return go_on() && std::ranges::any_of(now->segments, [&](const auto& one) { return one->segment->number() == number; });
  };
  MAGPIE_TRY(const bool built, build_graph(folder_ / graph_file_name(number), segment, still_wanted));
  if (!built) return false;
  Result<std::shared_ptr<const Segment>> opened = Segment::open(folder_ / segment_file_name(number), number);
  if (!opened && opened.error().code == Code::kNotFound) {  // merged into another just now
    std::error_code ignored;                                // a file that stays is removed at the next opening
    fs::remove(folder_ / graph_file_name(number), ignored);
    return false;
  }
  MAGPIE_TRY(std::shared_ptr<const Segment> with_graph, std::move(opened));
  if (!with_graph->has_graph()) return fail(Code::kCorrupt, "{} cannot be read back", graph_file_name(number));
  MAGPIE_TRY_DO(writer_.with([&](Writer& writer) { return install_graph(writer, std::move(with_graph)); }));
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start);
  log::info("index.graph_built", {{"vectors", segment.vectors()}, {"took_ms", took.count()}});
  return true;
}

// Opened again, the segment comes with its graph. What died in it meanwhile stays dead.
Result<void> Engine::install_graph(Writer& writer, std::shared_ptr<const Segment> with_graph) {
  const std::uint64_t number = with_graph->number();
  std::vector<std::shared_ptr<const SegmentState>> segments = snapshot()->segments;
  const auto place = std::ranges::find_if(segments, [&](const auto& one) { return one->segment->number() == number; });
  if (place == segments.end()) {
    std::error_code ignored;  // a file that stays is removed at the next opening
    fs::remove(folder_ / graph_file_name(number), ignored);
    return {};
  }
  auto state = std::make_shared<SegmentState>(**place);
  state->segment = std::move(with_graph);
  *place = std::move(state);
  return publish(writer, std::move(segments));
}

// Merges, and builds graphs in the time that is left: commits go on while a graph is built, and small segments must not pile up.
void Engine::work_off(std::stop_token stop) {
  const auto report = [](const Result<void>& done) {
    if (!done) log::warn("index.merge_failed", {{"why", done.error().message}});  // tried again after the next commit
  };
  report(merge_while_needed());
  build_graphs([&] {
    if (merge_wanted_.try_pop()) report(merge_while_needed());
    return !stop.stop_requested();
  });
}

void Engine::merge_loop(std::stop_token stop) {
  work_in_background();
  do { work_off(stop); } while (merge_wanted_.pop(stop) && !stop.stop_requested());
}

Result<void> Engine::verify() const {
  const auto current = snapshot();
  for (const auto& state : current->segments) MAGPIE_TRY_DO(state->segment->verify());
  return {};
}

}  // namespace magpie::index
