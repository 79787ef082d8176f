#include "pipeline/recorder.h"

#include <future>
#include <set>

#include "base/log.h"
#include "pipeline/image_record.h"
#include "pipeline/index_picture.h"
#include "pipeline/page_images.h"

namespace magpie::pipeline {

/// What a transaction leads to once it is committed.
struct Recorder::Batch {
  std::vector<UrlRecord> found;
  std::vector<UrlRecord> again;  // fetched before, and changed since
  std::vector<Acknowledgement> ended;
  std::set<std::shared_ptr<const RunContext>> runs;
  RecorderCounts counts;
};

namespace {

bool follows(const Page& page, const Link& link) { return !page.robots.nofollow && link.rel.find("nofollow") == std::string::npos; }

}  // namespace

Result<std::unique_ptr<Recorder>> Recorder::start(RecorderPorts ports, RecorderOptions options) {
  std::unique_ptr<Recorder> recorder(new Recorder(ports, std::move(options)));
  MAGPIE_TRY_DO(recorder->load_known_pictures());
  MAGPIE_TRY_DO(recorder->refill_lost_index());
  MAGPIE_TRY_DO(recorder->index_all());
  recorder->thread_ = std::jthread([raw = recorder.get()] { raw->run(); });
  return recorder;
}

Recorder::~Recorder() { queue_.close(); }

Result<void> Recorder::load_known_pictures() {
  MAGPIE_TRY(groups_, CopyGroups::load(ports_.catalog));
  return ports_.catalog.each_image([this](const Image& image) -> Result<void> {
    copies_.add(image.id, copy_evidence(image));
    return {};
  });
}

// Its files were removed, or the disk lost them: all it had is in the catalog.
Result<void> Recorder::refill_lost_index() {
  MAGPIE_TRY(const auto snapshot, text_->snapshot());
  if (snapshot->size() > 0) return {};
  std::vector<ImageId> images;
  MAGPIE_TRY_DO(ports_.catalog.each_image([&](const Image& image) -> Result<void> {
    images.push_back(image.id);
    return {};
  }));
  if (images.empty()) return {};
  log::info("index.empty", {{"pictures_to_index", images.size()}});
  MAGPIE_TRY(const auto transaction, ports_.catalog.begin());
  MAGPIE_TRY_DO(transaction->mark_dirty(images));
  return transaction->commit();
}

void Recorder::record(Finished finished) { queue_.push(std::move(finished)); }

Result<void> Recorder::transact(std::function<Result<void>(CatalogTransaction&)> write) { return wait_for({.write = std::move(write)}); }

Result<void> Recorder::wait_for(Task task) {
  // Shared: set_value() may still be running when get() has returned.
  const auto answer = std::make_shared<std::promise<Result<void>>>();
  auto answered = answer->get_future();
  task.done = [answer](Result<void> done) { answer->set_value(std::move(done)); };
  if (!queue_.push(std::move(task))) {
    const std::string why = failure();
    if (!why.empty()) return fail(Code::kUnavailable, "nothing can be written: {}", why);
    return fail(Code::kCancelled, "the recorder has stopped");
  }
  return answered.get();
}

Result<CopyReview> Recorder::review_copies(CopyAction action, std::vector<ImageId> images, Timestamp now) {
  CopyReview made;
  MAGPIE_TRY_DO(change_groups([&](CatalogTransaction& transaction) -> Result<void> {
    MAGPIE_TRY(made, groups_.review(transaction, action, images, now));
    return {};
  }));
  return made;
}

Result<void> Recorder::undo_copy_review(std::uint64_t id) {
  return change_groups([&](CatalogTransaction& transaction) -> Result<void> {
    MAGPIE_TRY(const std::optional<CopyReview> review, ports_.catalog.copy_review(id));
    if (!review) return fail(Code::kNotFound, "there is no review {}", id);
    MAGPIE_TRY(const std::vector<CopyReview> later, ports_.catalog.copy_reviews_since(id));
    return groups_.undo(transaction, *review, later);
  });
}

// What was not written must not stay in memory either.
Result<void> Recorder::change_groups(std::function<Result<void>(CatalogTransaction&)> change) {
  const Result<void> done = transact(std::move(change));
  if (done || done.error().code == Code::kBadInput || done.error().code == Code::kNotFound || done.error().code == Code::kBusy) return done;
  const auto again = transact([this](CatalogTransaction&) -> Result<void> {
    MAGPIE_TRY(groups_, CopyGroups::load(ports_.catalog));
    return {};
  });
  if (!again) log::error("recorder.copies_not_read", {{"why", again.error().message}});
  return done;
}

Result<void> Recorder::flush() { return transact({}); }

Result<void> Recorder::alone(std::function<Result<void>()> work) { return wait_for({.alone = std::move(work)}); }

Result<void> Recorder::reload_known_pictures() {
  return alone([this]() -> Result<void> {
    copies_ = analyse::CopyFinder();
    return load_known_pictures();
  });
}

RecorderCounts Recorder::counts() const {
  return state_.with([](const State& state) { return state.counts; });
}

std::string Recorder::failure() const {
  return state_.with([](const State& state) { return state.failure; });
}

void Recorder::fail_with(const Error& error) {
  log::error("recorder.failed", {{"why", error.message}});
  state_.with([&](State& state) {
    if (state.failure.empty()) state.failure = error.message;
  });
  queue_.close();
}

// One round: a batch of documents in one transaction, then the tasks that came behind them, then the index when it is due.
void Recorder::run() {
  auto indexed_at = std::chrono::steady_clock::now();
  while (true) {
    const bool closed = queue_.closed();  // asked first: all that was pushed before the end is taken
    std::vector<Task> tasks;
    std::vector<Finished> items = take_batch(tasks);
    const bool ended = closed && items.empty() && tasks.empty();
    if (!items.empty()) {
      if (auto done = write_batch(std::move(items)); !done) fail_with(done.error());
    }
    for (Task& task : tasks) task.done(run_task(task));
    const auto now = std::chrono::steady_clock::now();
    if (failure().empty() && dirty_ && (ended || now - indexed_at >= options_.index_every)) {
      const auto more = index_once();
      if (!more) fail_with(more.error());
      indexed_at = std::chrono::steady_clock::now();
      if (more && *more && ended) continue;  // at the end nothing stays behind
    }
    if (ended) return;
  }
}

std::vector<Finished> Recorder::take_batch(std::vector<Task>& tasks) {
  std::vector<Finished> items;
  auto deadline = Deadline::after(options_.index_every);
  while (items.size() < options_.batch_max) {
    std::optional<Item> item = queue_.pop_until(deadline);
    if (!item) break;
    if (auto* task = std::get_if<Task>(&*item)) {
      tasks.push_back(std::move(*task));
      break;  // what came before it is written first, what comes after it later
    }
    if (items.empty()) deadline = Deadline::after(options_.batch_wait);
    items.push_back(std::move(std::get<Finished>(*item)));
  }
  return items;
}

Result<void> Recorder::run_task(Task& task) {
  if (const std::string why = failure(); !why.empty()) return fail(Code::kUnavailable, "{}", why);
  if (task.alone) return task.alone();
  if (!task.write) return index_all();
  MAGPIE_TRY(auto transaction, ports_.catalog.begin());
  MAGPIE_TRY_DO(task.write(*transaction));
  dirty_ = true;
  return transaction->commit();
}

Result<void> Recorder::write_batch(std::vector<Finished> items) {
  if (!failure().empty()) return {};
  {
    const std::lock_guard lock(ports_.archive_writing);
    MAGPIE_TRY_DO(ports_.archive.sync());
  }
  Batch batch;
  MAGPIE_TRY(auto transaction, ports_.catalog.begin());
  for (Finished& item : items) MAGPIE_TRY_DO(write_one(*transaction, item, batch));
  MAGPIE_TRY_DO(ports_.variants.sync());
  // Before the commit: a page that has fallen back to its next picture does not ask for it again, should the process die in between.
  if (!batch.found.empty()) MAGPIE_TRY_DO(ports_.frontier.add(batch.found));
  if (!batch.again.empty()) MAGPIE_TRY_DO(ports_.frontier.revisit(batch.again));
  MAGPIE_TRY_DO(transaction->commit());
  dirty_ = true;
  MAGPIE_TRY_DO(tell_frontier(batch));
  state_.with([&](State& state) {
    state.counts.pages += batch.counts.pages;
    state.counts.products += batch.counts.products;
    state.counts.products_new += batch.counts.products_new;
    state.counts.images += batch.counts.images;
    state.counts.copies += batch.counts.copies;
    state.counts.failures += batch.counts.failures;
  });
  return {};
}

Result<void> Recorder::write_one(CatalogTransaction& transaction, Finished& item, Batch& batch) {
  if (item.signature != 0) batch.ended.push_back({item.signature, item.fetch.cause});
  if (const auto* look = std::get_if<SecondLook>(&item.outcome)) return write_second_look(transaction, *look);
  if (const auto* compared = std::get_if<Compared>(&item.outcome)) return write_comparison(transaction, *compared, batch);
  if (const auto* surrounded = std::get_if<Surrounded>(&item.outcome)) return write_surroundings(transaction, *surrounded);
  batch.runs.insert(item.run);
  if (item.fetch.cause != Cause::kNone) return write_failure(transaction, item, batch);
  if (std::holds_alternative<Page>(item.outcome)) return write_page(transaction, item, batch);
  if (!std::holds_alternative<std::monostate>(item.outcome)) return write_image(transaction, item, batch);
  for (const crawl::Dated& one : item.dated) {
    MAGPIE_TRY(const bool news, transaction.note_lastmod(one.url.url, one.lastmod, item.fetch.fetched_at, item.run->pace));
    if (news) batch.again.push_back(one.url);
  }
  MAGPIE_TRY(NextCandidates next, transaction.record_fetch(item.fetch, item.run->job));
  return want_images(transaction, item, std::move(next), batch);
}

Result<void> Recorder::write_page(CatalogTransaction& transaction, Finished& item, Batch& batch) {
  Page& page = std::get<Page>(item.outcome);
  const crawl::CrawlRules& rules = item.run->rules;
  name_images(page, rules);
  drop_forgotten(page, rules.refusals());
  if (item.run->sizes) prefer_originals(page, rules, *item.run->sizes);
  if (page.robots.noai && rules.honours_noai()) page.robots.noimageindex = true;
  MAGPIE_TRY(RecordedPage recorded, transaction.record_page(item.fetch, page, item.run->job));
  if (!item.is_reread) MAGPIE_TRY_DO(transaction.schedule_visit(recorded.id, recorded.changed, item.url.depth, item.run->pace));
  std::vector<crawl::Turn> turns;
  if (item.run->focus) turns = item.run->focus->learn(item.fetch.url, {page.products.size(), page.images}, page.links);
  std::size_t taken = 0;
  for (std::size_t i = 0; i < page.links.size(); ++i) {
    const Link& link = page.links[i];
    if (!follows(page, link)) continue;
    if (++taken > rules.links_per_page_max()) break;
    const auto url = Url::parse(link.url);
    if (!url) continue;
    crawl::Admission admission = rules.admit(*url, UrlKind::kPage, item.url.depth + 1u);
    if (!admission.record) continue;
    if (!turns.empty()) admission.record->priority = priority_at(turns[i], admission.record->priority);
    batch.found.push_back(std::move(*admission.record));
  }
  batch.counts.pages += item.is_reread ? 0 : 1;
  batch.counts.products += item.is_reread ? recorded.products_new : page.products.size();
  batch.counts.products_new += recorded.products_new;
  return want_images(transaction, item, std::move(recorded.images_wanted), batch);
}

Result<void> Recorder::write_image(CatalogTransaction& transaction, Finished& item, Batch& batch) {
  const auto note_size = [&](const Image& image) {
    if (item.run->sizes) item.run->sizes->note(item.fetch.url, std::max(image.width, image.height), image.sha256);
  };
  if (const auto* known = std::get_if<KnownImage>(&item.outcome)) {
    if (item.run->sizes) {
      MAGPIE_TRY(const auto same, ports_.catalog.image_by_sha256(known->sha256));
      const auto stored = same ? ports_.catalog.image(*same) : Result<std::optional<Image>>();
      if (stored && *stored) note_size(**stored);
    }
    Image image;
    image.sha256 = known->sha256;
    image.original = item.fetch.place;
    MAGPIE_TRY_DO(transaction.record_image(item.fetch, image, {}, item.run->job));
    ++batch.counts.images;
    return {};
  }
  const auto& analysed = std::get<analyse::AnalysedImage>(item.outcome);
  note_size(analysed.image);
  MAGPIE_TRY(Image image, store_variants(analysed, item.fetch, ports_.variants));
  const ImageEmbedding embedding{analysed.space, analysed.embedding};
  const std::size_t vectors = analysed.embedding.empty() ? 0 : 1;
  MAGPIE_TRY(const RecordedImage recorded, transaction.record_image(item.fetch, image, std::span(&embedding, vectors), item.run->job));
  ++batch.counts.images;
  if (!analysed.detector.empty()) {
    MAGPIE_TRY_DO(transaction.set_regions(recorded.id, {analysed.detector, analysed.space, analysed.regions}));
  }
  if (!recorded.is_new) return {};
  const std::size_t before = groups_.copies();
  MAGPIE_TRY_DO(join_copies(transaction, copy_evidence(analysed), recorded.id));
  batch.counts.copies += groups_.copies() - before;
  return {};
}

// One link a group is enough, the nearest: a picture may have thousands of copies.
Result<void> Recorder::join_copies(CatalogTransaction& transaction, const analyse::CopyEvidence& evidence, ImageId id) {
  std::set<ImageId> groups;
  std::vector<CopyLink> links;
  for (const analyse::Copy& copy : copies_.copies_of(evidence)) {
    const auto other = static_cast<ImageId>(copy.image);
    if (!groups.insert(groups_.group_of(other)).second) continue;
    links.push_back({.image = id, .other = other, .cause = CopyCause::kHashes, .words = describe(copy)});
  }
  copies_.add(id, evidence);
  return groups_.join(transaction, links);
}

// The picture may have been forgotten since.
Result<void> Recorder::write_second_look(CatalogTransaction& transaction, const SecondLook& look) {
  MAGPIE_TRY(const std::optional<Image> image, ports_.catalog.image(look.image));
  if (!image) return {};
  const bool reindex = look.space == space_ || (next_ && look.space == next_->space());
  MAGPIE_TRY_DO(transaction.set_embedding(look.image, {look.space, look.vector, reindex}));
  if (look.detector.empty() && look.regions.empty()) return {};
  return transaction.set_regions(look.image, {look.detector, look.space, look.regions, reindex});
}

// Pictures may have been forgotten since.
Result<void> Recorder::write_comparison(CatalogTransaction& transaction, const Compared& compared, Batch& batch) {
  MAGPIE_TRY(const std::optional<Image> image, ports_.catalog.image(compared.image));
  if (!image) return {};
  MAGPIE_TRY_DO(transaction.set_copy_sketch(compared.image, compared.sketch));
  std::vector<CopyLink> links;
  for (const CopyLink& link : compared.links) {
    MAGPIE_TRY(const std::optional<Image> other, ports_.catalog.image(link.image == compared.image ? link.other : link.image));
    if (other) links.push_back(link);
  }
  const std::size_t before = groups_.copies();
  MAGPIE_TRY_DO(groups_.join(transaction, links));
  batch.counts.copies += groups_.copies() - before;
  return {};
}

// The picture may have been forgotten since.
Result<void> Recorder::write_surroundings(CatalogTransaction& transaction, const Surrounded& surrounded) {
  MAGPIE_TRY(const std::optional<Image> image, ports_.catalog.image(surrounded.from.image));
  return image ? transaction.set_surroundings(surrounded.from, surrounded.found) : Result<void>();
}

Result<void> Recorder::write_failure(CatalogTransaction& transaction, const Finished& item, Batch& batch) {
  ++batch.counts.failures;
  if (item.run->sizes) item.run->sizes->note_failure(item.fetch.url, item.fetch.cause);
  MAGPIE_TRY(NextCandidates next, transaction.record_failure(item.fetch, item.run->job));
  return want_images(transaction, item, std::move(next), batch);
}

// A picture that the rules refuse is given up at once, so that the page falls back to its next candidate. What a replay's archive does not
// hold stays wanted: a crawl may fetch it yet.
Result<void> Recorder::want_images(CatalogTransaction& transaction, const Finished& item, std::vector<std::string> urls, Batch& batch) {
  const RunContext& run = *item.run;
  for (std::size_t i = 0; i < urls.size(); ++i) {
    const auto url = Url::parse(urls[i]);
    crawl::Admission admission;
    if (url) admission = run.rules.admit(*url, UrlKind::kImage, item.url.depth);
    if (admission.record) {
      batch.found.push_back(std::move(*admission.record));
      continue;
    }
    // Nor is what was forgotten written down again, be it as refused.
    if (admission.refusal == crawl::Refusal::kNotHeld || admission.refusal == crawl::Refusal::kForgotten) continue;
    Fetch refused;
    refused.url = urls[i];
    refused.kind = UrlKind::kImage;
    refused.cause = Cause::kScope;
    refused.detail = url ? fmt::format("not fetched: {}", crawl::to_string(admission.refusal)) : "not an address";
    refused.fetched_at = item.fetch.fetched_at;
    MAGPIE_TRY(NextCandidates next, transaction.record_failure(refused, run.job));
    urls.insert(urls.end(), next.begin(), next.end());
  }
  return {};
}

// Last: if the process dies before, the batch is fetched and written again.
Result<void> Recorder::tell_frontier(Batch& batch) {
  MAGPIE_TRY_DO(ports_.frontier.acknowledge(std::span<const Acknowledgement>(batch.ended)));
  for (const auto& run : batch.runs) {
    if (run->wake) run->wake();
  }
  return {};
}

Result<void> Recorder::index_all() {
  while (true) {
    MAGPIE_TRY(const bool more, index_once());
    if (!more) return {};
  }
}

/// True when there is more to index.
Result<bool> Recorder::index_once() {
  dirty_ = false;
  MAGPIE_TRY(const std::vector<DirtyImage> taken, ports_.catalog.take_dirty(options_.index_batch));
  if (taken.empty()) return false;
  std::vector<ImageId> findable, gone;
  for (const DirtyImage& dirty : taken) {
    MAGPIE_TRY(const bool is_in, index_picture(ports_.catalog, {*text_, *vectors_}, dirty.id, space_));
    (is_in ? findable : gone).push_back(dirty.id);
  }
  MAGPIE_TRY_DO(text_->commit());
  MAGPIE_TRY_DO(vectors_->commit());
  if (next_)
    (void)with_next([&](NextIndex& next) -> Result<void> {
      for (const DirtyImage& dirty : taken) MAGPIE_TRY_DO(next.update(dirty.id));
      return next.commit();
    });
  MAGPIE_TRY(auto transaction, ports_.catalog.begin());
  MAGPIE_TRY_DO(transaction->clear_dirty(taken));
  MAGPIE_TRY_DO(transaction->disinherit(gone));
  MAGPIE_TRY_DO(transaction->commit());
  state_.with([&](State& state) { state.counts.indexed += findable.size(); });
  if (options_.on_indexed) options_.on_indexed(findable);
  const bool more = taken.size() == options_.index_batch || !gone.empty();  // heirs of theirs are to go in again
  if (more) dirty_ = true;
  return more;
}

// What fails in it does not hold up what is searched.
Result<void> Recorder::with_next(const std::function<Result<void>(NextIndex&)>& work) {
  if (!next_) return Failure(next_failed_.value_or(Error{Code::kInternal, "there is no index to fill"}));
  auto done = work(*next_);
  if (done) return {};
  log::error("index.next_failed", {{"space", next_->space()}, {"why", done.error().message}});
  next_.reset();
  next_failed_ = done.error();
  return done;
}

Result<void> Recorder::begin_next(PictureIndexes next, std::string space) {
  return alone([&]() -> Result<void> {
    next_failed_.reset();
    next_.emplace(ports_.catalog, next, std::move(space));
    return {};
  });
}

Result<Recorder::Filled> Recorder::fill_next(std::size_t count) {
  Filled filled;
  MAGPIE_TRY_DO(alone([&] {
    return with_next([&](NextIndex& next) -> Result<void> {
      MAGPIE_TRY(const bool more, next.fill(count));
      filled = {next.done(), !more};
      return {};
    });
  }));
  return filled;
}

Result<void> Recorder::drop_next() {
  return alone([&]() -> Result<void> {
    next_.reset();
    return {};
  });
}

Result<void> Recorder::switch_to_next(std::function<Result<void>(CatalogTransaction&)> write) {
  return alone([&]() -> Result<void> {
    MAGPIE_TRY_DO(index_all());
    MAGPIE_TRY_DO(
        with_next([](NextIndex& next) { return next.is_whole() ? next.commit() : fail(Code::kInternal, "the index is not whole"); }));
    MAGPIE_TRY(const auto transaction, ports_.catalog.begin());
    MAGPIE_TRY_DO(write(*transaction));
    MAGPIE_TRY_DO(transaction->commit());
    text_ = &next_->ports().text;
    vectors_ = &next_->ports().vectors;
    space_ = next_->space();
    next_.reset();
    return {};
  });
}

}  // namespace magpie::pipeline
