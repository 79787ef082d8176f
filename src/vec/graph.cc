#include "vec/graph.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <queue>

#include "base/check.h"
#include "vec/dot.h"

namespace magpie::vec {
namespace {

// On Fashion-MNIST walks to a recall@10 of 0.99 look at a tenth fewer rows than with 128, for a third more time to build. Of many rows a
// build takes minutes, and half of them are worth more than that tenth.
constexpr std::size_t build_beam(std::size_t rows) { return rows < 200'000 ? 200 : 100; }
// A neighbour is left out when one already taken is that much nearer to it than the row itself is (DiskANN's alpha). With 1.1 the nearest
// take all room, and clusters become islands that no walk finds: on the made vectors of tools/bench_vec.py a beam of 24 then has a
// recall@10 of .980, with 1.05 of .997; on Fashion-MNIST both are alike.
constexpr float kAlpha = 1.05F;
// Squared distance within which two rows are the same but for their codes' rounding: each leads to the other, or a picture that is there a
// hundred times would fill the lists of all of them.
constexpr float kSame = 1e-4F;
// While building, lists may grow this long before they are pruned to kGraphDegree: pruning is what building costs.
constexpr std::size_t kBuildDegree = kGraphDegree + kGraphDegree / 2;

constexpr std::size_t kNoLimit = std::numeric_limits<std::size_t>::max();

// Before a walk so many rows, spread evenly, are looked at, and it starts at the best of them too. They are the same for every walk, so
// that they stay in the cache: on Fashion-MNIST it then looks at 310 rows in place of 430.
constexpr std::size_t kStarts = 256;
constexpr std::size_t kStartsTaken = 4;

// So many rows are reduced in the time that one is added.
constexpr std::size_t kReducedForOne = 25;

class Marks {
 public:
  explicit Marks(std::size_t count) : bits_((count + 63) / 64, 0) {}
  /// False if it was marked before.
  bool mark(std::uint32_t row) {
    std::uint64_t& word = bits_[row / 64];
    const std::uint64_t before = word;
    word |= std::uint64_t{1} << (row % 64);
    return word != before;
  }

 private:
  std::vector<std::uint64_t> bits_;
};

void prefetch(const void* from, std::size_t bytes) {
  for (std::size_t at = 0; at < bytes; at += 64) __builtin_prefetch(static_cast<const char*>(from) + at);
}

std::vector<float> floats_of(const GraphRows& rows, std::size_t row) {
  std::vector<float> vector(rows.size);
  for (std::size_t i = 0; i < rows.size; ++i)
    vector[i] = rows.scales[row].scale * static_cast<float>(static_cast<int>(rows.codes[row * rows.size + i]) - 128);
  return vector;
}

/// By one-byte codes.
float similarity(const GraphRows& rows, std::size_t a, std::size_t b) {
  const std::int32_t sum = dot_functions().pair(rows.codes + a * rows.size, rows.codes + b * rows.size, rows.size);
  return rows.scales[a].scale * rows.scales[b].scale * static_cast<float>(sum);
}

// What a walk keeps. take() offers a row, and tells whether it is one of the next to be led from; next() is the most similar one not led
// from, none where the walk ends; lead() takes it.

/// Where every row may be answered: the best are also those to lead from, in one list in order.
class Beam {
 public:
  explicit Beam(std::size_t size) : size_(size), scores_(size + 1), rows_(size + 1) {}
  bool take(Scored one) {
    if (count_ == size_ && !(one.score > scores_[count_ - 1])) return false;
    std::size_t place = 0;
    for (std::size_t i = 0; i < count_; ++i) place += scores_[i] >= one.score ? 1 : 0;  // no branch: all are compared at once
    std::copy_backward(scores_.begin() + place, scores_.begin() + count_, scores_.begin() + count_ + 1);
    std::copy_backward(rows_.begin() + place, rows_.begin() + count_, rows_.begin() + count_ + 1);
    scores_[place] = one.score;
    rows_[place] = {one.id, false};
    count_ = std::min(count_ + 1, size_);
    const bool soon = place <= next_ + kSoon;
    next_ = std::min(next_, place);
    return soon;
  }
  std::optional<std::uint32_t> next() {
    while (next_ < count_ && rows_[next_].led_from) ++next_;
    return next_ < count_ ? std::optional(rows_[next_].row) : std::nullopt;
  }
  void lead() { rows_[next_++].led_from = true; }
  std::vector<Scored> best() const {
    std::vector<Scored> best;
    for (std::size_t i = 0; i < count_; ++i) best.push_back({scores_[i], rows_[i].row});
    std::sort(best.begin(), best.end(), better);
    return best;
  }

 private:
  static constexpr std::size_t kSoon = 1;  // places behind the next one: those further on are seldom led from before better ones come
  struct Kept {
    std::uint32_t row = 0;
    bool led_from = false;
  };
  std::size_t size_, count_ = 0, next_ = 0;  // none before next_ is to be led from
  std::vector<float> scores_;                // best first
  std::vector<Kept> rows_;
};

/// Where a filter lets only some be answered, any number of others may have to be led from.
class FilteredBeam {
 public:
  FilteredBeam(std::size_t size, const std::function<bool(std::uint32_t)>& passes) : best_(size), passes_(passes) {}
  bool take(Scored one) {
    if (one.score < best_.floor()) return false;
    ahead_.push(one);
    if (passes_(one.id)) best_.offer(one);
    return ahead_.top().id == one.id;
  }
  std::optional<std::uint32_t> next() const {
    return ahead_.empty() || ahead_.top().score < best_.floor() ? std::nullopt : std::optional(ahead_.top().id);
  }
  void lead() { ahead_.pop(); }
  std::vector<Scored> best() { return best_.take(); }

 private:
  struct BestFirst {
    bool operator()(const Scored& a, const Scored& b) const { return better(b, a); }
  };
  TopK best_;
  std::priority_queue<Scored, std::vector<Scored>, BestFirst> ahead_;
  const std::function<bool(std::uint32_t)>& passes_;
};

/// One walk over one graph; `Neighbours` gives a row's list.
template <class Kept, class Neighbours>
class Walk {
 public:
  Walk(std::span<const ReducedRow> rows, const ReducedQuery& query, Kept kept, Neighbours neighbours)
      : rows_(rows), query_(query), kept_(std::move(kept)), neighbours_(neighbours), seen_(rows.size()) {}

  /// Starts at the best of some rows of all, too.
  void start_near() {
    TopK best(kStartsTaken);
    const std::size_t starts = std::min(kStarts, rows_.size());
    for (std::size_t done = 0; done < starts;) {
      const std::size_t count = std::min(kBuildDegree, starts - done);
      for (std::size_t i = 0; i < count; ++i, ++done) near_[i] = static_cast<std::uint32_t>((2 * done + 1) * rows_.size() / (2 * starts));
      look(count, [&](Scored one) { best.offer(one); });
    }
    for (const Scored& one : best.take()) {
      seen_.mark(one.id);
      kept_.take(one);
    }
  }

  Walked run(std::uint32_t entry, std::size_t looks_max) {
    if (seen_.mark(entry)) kept_.take({query_.similarity(rows_[entry]), entry});
    std::optional<std::uint32_t> from = kept_.next();
    for (; from && looks_ <= looks_max; from = kept_.next()) step(*from);
    return {kept_.best(), looks_, looks_ <= looks_max};
  }

 private:
  void step(std::uint32_t from) {
    kept_.lead();
    std::size_t count = 0;
    for (const std::uint32_t row : neighbours_(from)) {
      if (row >= rows_.size()) break;
      near_[count] = row;
      count += seen_.mark(row) ? 1 : 0;  // no branch, which would be guessed wrong every other time
    }
    look(count, [&](Scored one) {
      if (!kept_.take(one)) return;
      const auto list = neighbours_(one.id);  // it takes longer to come than what is left to do before it is wanted
      prefetch(list.data(), list.size_bytes());
    });
  }

  /// Calls use(row with its similarity) for the first `count` of near_.
  template <class Use>
  void look(std::size_t count, Use&& use) {
    for (std::size_t i = 0; i < count; ++i) prefetch(codes_[i] = rows_[near_[i]].codes, sizeof(ReducedRow));
    looks_ += count;
    query_.sums(codes_, count, sums_);
    for (std::size_t i = 0; i < count; ++i) use(Scored{query_.similarity(rows_[near_[i]], sums_[i]), near_[i]});
  }

  const std::span<const ReducedRow> rows_;
  const ReducedQuery& query_;
  Kept kept_;
  Neighbours neighbours_;
  Marks seen_;
  std::size_t looks_ = 0;
  std::uint32_t near_[kBuildDegree];
  const std::uint8_t* codes_[kBuildDegree];
  std::int32_t sums_[kBuildDegree];
};

}  // namespace

Walked walk(const GraphView& graph, const ReducedQuery& query, const WalkOptions& options,
            const std::function<bool(std::uint32_t)>& passes) {
  if (graph.entry >= graph.rows.size() || graph.edges.size() < graph.rows.size() * kGraphDegree) return {};
  const auto neighbours = [&](std::uint32_t row) { return graph.edges.subspan(row * kGraphDegree, kGraphDegree); };
  const auto run = [&](auto kept) {
    Walk walk(graph.rows, query, std::move(kept), neighbours);
    walk.start_near();
    return walk.run(graph.entry, options.looks_max);
  };
  return passes ? run(FilteredBeam(options.beam, passes)) : run(Beam(options.beam));
}

double graph_recall(const GraphRows& rows, const GraphView& graph, std::size_t beam, std::size_t trials) {
  constexpr std::size_t kNearest = 10;
  double found = 0, wanted = 0;
  for (std::size_t trial = 0; trial < trials; ++trial) {
    const auto own = static_cast<std::uint32_t>((2 * trial + 1) * rows.count / (2 * trials));
    TopK nearest(kNearest);
    for (std::uint32_t row = 0; row < rows.count; ++row) {
      if (row != own) nearest.offer({similarity(rows, own, row), row});
    }
    const Walked walked = walk(graph, {floats_of(rows, own), graph.reduction}, {.beam = beam});
    const float edge = nearest.floor();  // copies are as good as one another
    const std::size_t expected = nearest.take().size();
    std::size_t right = 0;
    for (const Scored& one : walked.best) right += one.id != own && similarity(rows, own, one.id) >= edge ? 1 : 0;
    found += static_cast<double>(std::min(right, expected));
    wanted += static_cast<double>(expected);
  }
  return wanted > 0 ? found / wanted : 1;
}

class GraphBuilder::Impl {
 public:
  explicit Impl(const GraphRows& rows) : rows_(rows), reduction_(rows), edges_(rows.count * kBuildDegree, kNoRow), used_(rows.count, 0) {
    MAGPIE_CHECK(rows.count < kNoRow, "a graph of {} rows", rows.count);
  }

  bool add(std::size_t count) {
    if (reduced_.size() < rows_.count) {
      reduce(count * kReducedForOne);
      return true;
    }
    for (; count > 0 && next_ < order_.size(); --count) insert(order_[next_++]);
    return next_ < order_.size();
  }

  Graph finish() {
    MAGPIE_CHECK(reduced_.size() == rows_.count && next_ == order_.size(), "{} of {} rows are in the graph", next_, order_.size());
    for (std::uint32_t row = 0; row < rows_.count; ++row) {
      if (used_[row] > kGraphDegree) prune(row, with_similarities(row));
    }
    join_unreached();
    std::vector<std::uint32_t> edges(rows_.count * kGraphDegree, kNoRow);
    for (std::uint32_t row = 0; row < rows_.count; ++row) std::ranges::copy(neighbours(row), edges.begin() + row * kGraphDegree);
    const ReductionView reduction = reduction_.view();
    return {std::move(edges),
            std::move(reduced_),
            {reduction.directions.begin(), reduction.directions.end()},
            {reduction.scales.begin(), reduction.scales.end()},
            entry_};
  }

 private:
  std::span<const std::uint32_t> neighbours(std::uint32_t row) const { return {edges_.data() + row * kBuildDegree, used_[row]}; }

  void reduce(std::size_t count) {
    for (; count > 0 && reduced_.size() < rows_.count; --count) reduced_.push_back(reduction_.reduce(reduced_.size()));
    if (reduced_.size() < rows_.count) return;
    find_entry();
    shuffle();
  }

  // The row nearest the centre is about as far from all.
  void find_entry() {
    const ReducedQuery centre(rows_.centre, reduction_.view());
    Scored best{-std::numeric_limits<float>::infinity(), 0};
    for (std::uint32_t row = 0; row < rows_.count; ++row) {
      const Scored one{centre.similarity(reduced_[row]), row};
      if (better(one, best)) best = one;
    }
    entry_ = best.id;
  }

  // A crawl finds look-alikes together; in that order the first rows would know nothing of the rest (Fisher-Yates, with MMIX's numbers).
  void shuffle() {
    for (std::uint32_t row = 0; row < rows_.count; ++row) {
      if (row != entry_) order_.push_back(row);
    }
    std::uint64_t state = 1;
    for (std::size_t left = order_.size(); left > 1; --left) {
      state = state * 6'364'136'223'846'793'005U + 1'442'695'040'888'963'407U;
      std::swap(order_[left - 1], order_[(state >> 33) % left]);
    }
  }

  /// Of the rows in the graph, best first.
  std::vector<Scored> nearest(std::uint32_t row) const {
    const ReducedQuery query(floats_of(rows_, row), reduction_.view());
    const auto list = [&](std::uint32_t from) { return neighbours(from); };
    std::vector<Scored> found = Walk(reduced_, query, Beam(build_beam(rows_.count)), list).run(entry_, kNoLimit).best;
    for (const Scored& one : found) prefetch(rows_.codes + one.id * rows_.size, rows_.size);
    for (Scored& one : found) one.score = similarity(rows_, row, one.id);
    std::sort(found.begin(), found.end(), better);
    return found;
  }

  void insert(std::uint32_t row) {
    prune(row, nearest(row));
    for (const std::uint32_t neighbour : std::vector<std::uint32_t>(neighbours(row).begin(), neighbours(row).end())) join(neighbour, row);
  }

  void join(std::uint32_t from, std::uint32_t to) {
    edges_[from * kBuildDegree + used_[from]++] = to;
    if (used_[from] == kBuildDegree) prune(from, with_similarities(from));
  }

  std::vector<Scored> with_similarities(std::uint32_t row) const {
    std::vector<Scored> scored;
    for (const std::uint32_t neighbour : neighbours(row)) scored.push_back({similarity(rows_, row, neighbour), neighbour});
    return scored;
  }

  /// Makes the row's list of these: the nearest first, each unless one before it leads there.
  void prune(std::uint32_t row, std::vector<Scored> candidates) {
    std::sort(candidates.begin(), candidates.end(), better);
    const auto apart = [](float similarity) { return std::max(0.0F, 2 - 2 * similarity); };  // squared distance of unit vectors
    std::vector<std::uint32_t> chosen, spare;
    for (const Scored& candidate : candidates) {
      if (candidate.id == row) continue;
      if (chosen.size() == kGraphDegree) break;
      const float limit = std::max(apart(candidate.score) / (kAlpha * kAlpha), kSame);
      const bool led_to =
          std::ranges::any_of(chosen, [&](std::uint32_t one) { return apart(similarity(rows_, one, candidate.id)) < limit; });
      (led_to ? spare : chosen).push_back(candidate.id);
    }
    // Room that is left goes to the nearest of the others.
    for (std::size_t i = 0; i < spare.size() && chosen.size() < kGraphDegree; ++i) chosen.push_back(spare[i]);
    std::ranges::copy(chosen, edges_.begin() + row * kBuildDegree);
    used_[row] = static_cast<std::uint8_t>(chosen.size());
  }

  // Pruning may cut a row off. Each such row is joined from the nearest row that can be reached.
  void join_unreached() {
    std::vector<std::uint32_t> reached_from(rows_.count, kNoRow), waiting;  // a tree that leads from the entry to all that is reached
    const auto reach = [&](std::uint32_t start, std::uint32_t from) {
      reached_from[start] = from;
      waiting.push_back(start);
      while (!waiting.empty()) {
        const std::uint32_t row = waiting.back();
        waiting.pop_back();
        for (const std::uint32_t neighbour : neighbours(row)) {
          if (reached_from[neighbour] != kNoRow) continue;
          reached_from[neighbour] = row;
          waiting.push_back(neighbour);
        }
      }
    };
    reach(entry_, entry_);
    for (std::uint32_t row = 0; row < rows_.count; ++row) {
      if (reached_from[row] != kNoRow) continue;
      for (const Scored& from : nearest(row)) {
        std::uint32_t* const place = place_for(from.id, reached_from);
        if (place == nullptr) continue;
        *place = row;
        reach(row, from.id);
        break;
      }
    }
  }

  /// Where a list can take another row: after its end, or in place of the last row that is reached from elsewhere too.
  std::uint32_t* place_for(std::uint32_t row, std::span<const std::uint32_t> reached_from) {
    std::uint32_t* const list = edges_.data() + row * kBuildDegree;
    if (used_[row] < kGraphDegree) return list + used_[row]++;
    for (std::size_t i = used_[row]; i-- > 0;) {
      if (reached_from[list[i]] != row) return list + i;
    }
    return nullptr;
  }

  const GraphRows rows_;
  const Reduction reduction_;
  std::vector<ReducedRow> reduced_;
  std::uint32_t entry_ = 0;
  std::vector<std::uint32_t> order_;
  std::size_t next_ = 0;
  std::vector<std::uint32_t> edges_;  // kBuildDegree a row
  std::vector<std::uint8_t> used_;
};

GraphBuilder::GraphBuilder(const GraphRows& rows) : impl_(std::make_unique<Impl>(rows)) {}
GraphBuilder::~GraphBuilder() = default;
bool GraphBuilder::add(std::size_t count) { return impl_->add(count); }
Graph GraphBuilder::finish() { return impl_->finish(); }

}  // namespace magpie::vec
