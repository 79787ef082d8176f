#include "index/graph_file.h"

#include <array>
#include <system_error>

#include "base/log.h"
#include "index/segment.h"
#include "vec/dot.h"

namespace magpie::index {
namespace {

using Head = std::array<std::uint32_t, 4>;
constexpr std::size_t kRowsAtOnce = 100;  // about 30 ms
constexpr std::size_t kTrials = 50;

}  // namespace

std::string graph_file_name(std::uint64_t number) { return fmt::format("segment-{:08}.graph", number); }

Result<GraphFile> GraphFile::open(const fs::path& path, const SegmentFile& segment) {
  MAGPIE_TRY(SegmentFile file, SegmentFile::open(path));
  GraphFile graph(std::move(file));
  MAGPIE_TRY(const auto head, graph.file_.column<std::uint32_t>(Section::kGraphHead, std::tuple_size_v<Head>));
  const bool has_sketches = !segment.section(Section::kSketchWords).empty();
  const bool fits = has_sketches && graph.file_.counts().vectors == segment.counts().vectors && head[1] == vec::kGraphDegree &&
                    head[2] == segment.sum(Section::kSketchWords) && head[0] < segment.counts().vectors;
  if (!fits) return fail(Code::kCorrupt, "{} is not the graph of its segment", path.string());
  const std::uint64_t vectors = segment.counts().vectors, size = vec::padded(segment.counts().dims);
  MAGPIE_TRY(graph.edges_, graph.file_.column<std::uint32_t>(Section::kGraphEdges, vectors * vec::kGraphDegree));
  MAGPIE_TRY(graph.rows_, graph.file_.column<vec::ReducedRow>(Section::kGraphRows, vectors));
  MAGPIE_TRY(graph.directions_, graph.file_.column<std::uint8_t>(Section::kGraphDirections, vec::kReducedSize * size));
  MAGPIE_TRY(graph.scales_, graph.file_.column<vec::DirectionScale>(Section::kGraphDirectionScales, vec::kReducedSize));
  graph.entry_ = head[0];
  graph.good_ = head[3] >= static_cast<std::uint32_t>(kGraphRecallMin * 1'000);
  graph.file_.expect_random_access(Section::kGraphEdges);
  graph.file_.expect_random_access(Section::kGraphRows);
  return graph;
}

Result<bool> build_graph(const fs::path& path, const Segment& segment, const std::function<bool()>& go_on) {
  vec::GraphBuilder builder(segment.graph_rows());
  do {
    if (!go_on()) return false;
  } while (builder.add(kRowsAtOnce));
  const vec::Graph graph = builder.finish();
  const double recall = vec::graph_recall(segment.graph_rows(), graph.view(segment.sketch_centre), kGraphBeamMin, kTrials);
  log::info("index.graph_tried", {{"vectors", segment.vectors()}, {"recall", recall}, {"walked", recall >= kGraphRecallMin}});
  const fs::path unfinished = path.string() + ".new";
  MAGPIE_TRY(SegmentFileWriter file, SegmentFileWriter::create(unfinished));
  const Head head{graph.entry, vec::kGraphDegree, segment.sketches_sum(), static_cast<std::uint32_t>(recall * 1'000)};
  file.begin(Section::kGraphHead);
  file.append(std::span<const std::uint32_t>(head));
  file.write(Section::kGraphEdges, graph.edges);
  file.write(Section::kGraphDirections, graph.directions);
  file.write(Section::kGraphDirectionScales, graph.scales);
  file.write(Section::kGraphRows, graph.rows);
  MAGPIE_TRY_DO(file.finish({segment.documents(), segment.vectors(), segment.dims()}));
  std::error_code error;
  fs::rename(unfinished, path, error);
  if (error) return fail(Code::kUnavailable, "cannot rename {}: {}", unfinished.string(), error.message());
  return true;
}

}  // namespace magpie::index
