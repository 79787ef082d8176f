#include "embedded/index.h"

#include "index/engine.h"

namespace magpie::embedded {
namespace {

using SnapshotPointer = std::shared_ptr<const index::Snapshot>;

class TextView : public TextSnapshot {
 public:
  explicit TextView(SnapshotPointer snapshot) : snapshot_(std::move(snapshot)) {}
  Result<IdSet> filter(const Filter& filter) const override { return index::filter_documents(*snapshot_, filter); }
  Result<WordMatches> match(const TextQuery& query) const override { return index::match_words(*snapshot_, query); }
  Result<std::vector<FacetCounts>> facets(std::span<const Facet> facets, const IdSet& ids, std::size_t values_max) const override {
    return index::count_facets(*snapshot_, facets, ids, values_max);
  }
  Result<const IdSet*> copies() const override { return &snapshot_->copies(); }
  Result<void> rows(const IdSet& ids, const std::function<void(std::span<const IndexRow>)>& take) const override {
    index::visit_rows(*snapshot_, ids, take);
    return {};
  }
  Result<void> values(Facet facet, const IdSet& ids, const std::function<void(ImageId, std::string_view)>& take) const override {
    snapshot_->for_each_document(ids, [&](const index::SegmentState& state, std::uint32_t ordinal) {
      const index::FacetColumn& column = state.segment->facet(facet);
      const std::span<const std::uint32_t> codes = column.of(ordinal);
      take(state.segment->document_ids[ordinal], codes.empty() ? std::string_view() : column.names[codes.front() - 1]);
    });
    return {};
  }
  std::uint64_t size() const override { return snapshot_->documents(); }
  std::uint64_t version() const override { return snapshot_->version; }

 private:
  SnapshotPointer snapshot_;
};

class VectorView : public VectorSnapshot {
 public:
  explicit VectorView(SnapshotPointer snapshot) : snapshot_(std::move(snapshot)) {}
  Result<VectorMatches> search(const VectorQuery& query) const override { return index::search_vectors(*snapshot_, query); }
  Result<Background> background(std::span<const float> vector, const VectorScope& scope) const override {
    return index::background_similarity(*snapshot_, vector, scope);
  }
  Result<std::optional<Embedding>> embedding(ImageId id, std::uint16_t region) const override {
    return index::find_embedding(*snapshot_, id, region);
  }
  std::uint64_t size() const override { return snapshot_->vectors(); }
  std::size_t dims() const override { return snapshot_->dims; }
  std::uint64_t version() const override { return snapshot_->version; }

 private:
  SnapshotPointer snapshot_;
};

class TextPort : public TextIndex {
 public:
  explicit TextPort(index::Engine& engine) : engine_(engine) {}
  Result<void> add(IndexDocument document) override { return engine_.add_document(std::move(document)); }
  Result<void> remove(ImageId id) override { return engine_.remove_document(id); }
  Result<void> commit() override { return engine_.commit(); }
  Result<std::shared_ptr<const TextSnapshot>> snapshot() const override {
    return std::shared_ptr<const TextSnapshot>(std::make_shared<TextView>(engine_.snapshot()));
  }

 private:
  index::Engine& engine_;
};

class VectorPort : public VectorIndex {
 public:
  explicit VectorPort(index::Engine& engine) : engine_(engine) {}
  Result<void> add(ImageId id, std::span<const PictureVector> vectors) override { return engine_.add_vectors(id, vectors); }
  Result<void> remove(ImageId id) override { return engine_.remove_vectors(id); }
  Result<void> commit() override { return engine_.commit(); }
  Result<std::shared_ptr<const VectorSnapshot>> snapshot() const override {
    return std::shared_ptr<const VectorSnapshot>(std::make_shared<VectorView>(engine_.snapshot()));
  }

 private:
  index::Engine& engine_;
};

class EmbeddedIndex : public Index {
 public:
  explicit EmbeddedIndex(std::unique_ptr<index::Engine> engine) : engine_(std::move(engine)) {}
  TextIndex& text() override { return text_; }
  VectorIndex& vectors() override { return vectors_; }
  Result<bool> refresh() override { return engine_->refresh(); }
  Result<void> merge_all() override { return engine_->merge_all(); }
  Result<void> purge() override { return engine_->purge(); }
  Result<void> verify() const override { return engine_->verify(); }
  std::uint64_t bytes() const override { return engine_->snapshot()->bytes(); }

 private:
  std::unique_ptr<index::Engine> engine_;
  TextPort text_{*engine_};
  VectorPort vectors_{*engine_};
};

}  // namespace

Result<std::unique_ptr<Index>> open_index(const fs::path& folder, IndexOptions options) {
  index::EngineOptions engine_options{.access = options.read_only ? index::Access::kRead : index::Access::kWrite,
                                      .vector_space = std::move(options.vector_space),
                                      .merge_in_background = options.merge_in_background};
  if (options.graph_vectors_min) engine_options.graph_vectors_min = *options.graph_vectors_min;
  MAGPIE_TRY(std::unique_ptr<index::Engine> engine, index::Engine::open(folder, std::move(engine_options)));
  return std::unique_ptr<Index>(std::make_unique<EmbeddedIndex>(std::move(engine)));
}

}  // namespace magpie::embedded
