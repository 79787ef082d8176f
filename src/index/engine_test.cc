#include "index/engine.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <fstream>
#include <map>
#include <random>

#include "index/merge_policy.h"

namespace magpie::index {
namespace {

class EngineTest : public ::testing::Test {
 protected:
  EngineTest() {
    std::string name = (fs::temp_directory_path() / "magpie-index-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }
  ~EngineTest() override { fs::remove_all(folder_); }

  std::unique_ptr<Engine> open(EngineOptions options = {.merge_in_background = false}) {
    auto engine = Engine::open(folder_, std::move(options));
    EXPECT_TRUE(engine) << engine.error().message;
    return engine ? std::move(*engine) : nullptr;
  }
  static void add(Engine& engine, ImageId id, const std::string& title = "horse") {
    ASSERT_TRUE(engine.add_document({.id = id, .title = title, .language = "en"}));
    const float x = static_cast<float>(id % 100) / 100;
    ASSERT_TRUE(add_vector(engine, id, {x, 1, 0.5F}));
  }
  static Result<void> add_vector(Engine& engine, ImageId id, const std::vector<float>& vector) {
    const PictureVector whole{.embedding = vector};
    return engine.add_vectors(id, std::span(&whole, 1));
  }
  static std::size_t matches(const Engine& engine, const std::string& words) {
    return match_words(*engine.snapshot(), {.words = words}).scores.ids().count();
  }
  std::size_t segment_files() const {
    std::size_t count = 0;
    for (const auto& entry : fs::directory_iterator(folder_)) count += entry.path().extension() == ".seg" ? 1 : 0;
    return count;
  }

  fs::path folder_;
};

TEST_F(EngineTest, OneWriterAtATime) {
  const auto first = open();
  const auto second = Engine::open(folder_);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::kBusy);
}

TEST_F(EngineTest, AReaderSeesCommitsAfterRefresh) {
  const auto writer = open();
  const auto reader = open({.access = Access::kRead});
  add(*writer, 1);
  ASSERT_TRUE(writer->commit());
  EXPECT_EQ(matches(*reader, "horse"), 0U);
  EXPECT_TRUE(*reader->refresh());
  EXPECT_FALSE(*reader->refresh());
  EXPECT_EQ(matches(*reader, "horse"), 1U);
  EXPECT_EQ(add_vector(*reader, 1, {1}).error().code, Code::kForbidden);
}

TEST_F(EngineTest, AReaderKeepsWorkingWhileFilesAreMergedAway) {
  const auto writer = open();
  add(*writer, 1);
  ASSERT_TRUE(writer->commit());
  const auto reader = open({.access = Access::kRead});
  add(*writer, 2);
  ASSERT_TRUE(writer->commit());
  ASSERT_TRUE(writer->merge_all());
  EXPECT_EQ(matches(*reader, "horse"), 1U);
  EXPECT_TRUE(*reader->refresh());
  EXPECT_EQ(matches(*reader, "horse"), 2U);
}

TEST_F(EngineTest, MergingKeepsFewSegmentsAndEveryRow) {
  const auto engine = open();
  for (ImageId id = 1; id <= 100; ++id) {
    add(*engine, id);
    if (id > 10) add(*engine, id - 10, "lighthouse");
    ASSERT_TRUE(engine->commit());
  }
  EXPECT_LT(engine->snapshot()->segments.size(), 2 * kMergeWidth);
  EXPECT_EQ(segment_files(), engine->snapshot()->segments.size());
  EXPECT_EQ(engine->snapshot()->documents(), 100U);
  EXPECT_EQ(engine->snapshot()->vectors(), 100U);
  EXPECT_EQ(matches(*engine, "lighthouse"), 90U);
  EXPECT_EQ(matches(*engine, "horse"), 10U);
}

TEST_F(EngineTest, ScoresDoNotDependOnMerging) {
  const auto engine = open();
  for (ImageId id = 1; id <= 30; ++id) {
    add(*engine, id, id % 3 == 0 ? "horse and cart" : "horse");
    ASSERT_TRUE(engine->commit());
  }
  const auto before = match_words(*engine->snapshot(), {.words = "horse cart", .rule = WordRule::kAny});
  ASSERT_TRUE(engine->merge_all());
  const auto after = match_words(*engine->snapshot(), {.words = "horse cart", .rule = WordRule::kAny});
  ASSERT_EQ(before.scores.ids(), after.scores.ids());
  before.scores.ids().for_each([&](ImageId id) { EXPECT_EQ(*before.scores.get(id), *after.scores.get(id)); });
}

// BM25F again, document by document and without windows, blocks or segments.
TEST_F(EngineTest, ScoresAreThoseOfTheFormulaForEveryDocument) {
  struct Text {
    double horses = 0, carts = 0, title = 0, horses_told = 0, told = 0;  // occurrences, and words of title and description
  };
  std::map<ImageId, Text> texts;
  const auto engine = open();
  for (ImageId id = 1; id <= 10'000; ++id) {
    Text text;
    IndexDocument document{.id = id, .language = "xx"};  // without stems
    for (ImageId i = 0; i < (id % 2 == 0 ? 1 + id % 3 : 0); ++i, ++text.horses, ++text.title) document.title += "horse ";
    if (id % 7 == 0 || id == 8'191) document.title += "cart ", ++text.carts, ++text.title;
    for (ImageId i = 0; i < id % 4; ++i, ++text.title) document.title += "more ";
    if (id % 5 == 0) document.description = "a horse there", text.horses_told = 1, text.told = 3;
    texts[id] = text;
    ASSERT_TRUE(engine->add_document(std::move(document)));
    if (id % 4'000 == 0) { ASSERT_TRUE(engine->commit()); }
  }
  for (ImageId id = 11; id <= 10'000; id += 37) {
    ASSERT_TRUE(engine->remove_document(id));
    texts.erase(id);
  }
  ASSERT_TRUE(engine->commit());
  const auto all = static_cast<double>(texts.size());
  double title = 0, told = 0, with_horse = 0, with_cart = 0;
  for (const auto& [id, text] : texts) {
    title += text.title / all;
    told += text.told / all;
    with_horse += text.horses + text.horses_told > 0 ? 1 : 0;
    with_cart += text.carts;
  }
  const auto norm = [](double length, double average) { return 0.5 + 0.5 * length / std::max(average, 1.0); };
  const auto part = [&](double with, double weight) {
    return std::log(1 + (all - with + 0.5) / (with + 0.5)) * weight * 2.2 / (weight + 1.2);
  };
  for (const WordRule rule : {WordRule::kAll, WordRule::kAny}) {
    const WordMatches matches = match_words(*engine->snapshot(), {.words = "horse cart", .rule = rule});
    std::size_t found = 0;
    for (const auto& [id, text] : texts) {
      const double horse = 4 * text.horses / norm(text.title, title) + text.horses_told / norm(text.told, told);
      const double cart = 4 * text.carts / norm(text.title, title);
      const bool expected = rule == WordRule::kAll ? horse > 0 && cart > 0 : horse + cart > 0;
      ASSERT_EQ(matches.scores.get(id).has_value(), expected) << id;
      if (!expected) continue;
      ++found;
      const double score = part(with_horse, horse) + part(with_cart, cart);
      ASSERT_NEAR(*matches.scores.get(id), score, 1e-5 * score) << id;
      ASSERT_GE(matches.best, *matches.scores.get(id));
    }
    EXPECT_EQ(matches.scores.ids().count(), found);
  }
}

// What an earlier version left of pictures without words.
TEST_F(EngineTest, SegmentsOfBeforeBlocksWithoutAnyWordAreRead) {
  auto file = SegmentFileWriter::create(folder_ / segment_file_name(1));
  ASSERT_TRUE(file);
  DocumentsWriter documents;
  documents.add({.id = 1, .copy_group = 1});
  documents.write(*file);
  file->begin(Section::kPostings);
  write_string_table(*file, Section::kTerms, {}, "");
  file->write<std::uint64_t>(Section::kPostingStarts, {0});
  file->write<std::uint32_t>(Section::kTermCounts, {});
  write_vectors(*file, {}, 0);
  ASSERT_TRUE(file->finish({1, 0, 0}));
  ASSERT_TRUE(write_manifest(folder_, {.version = 1, .next_segment = 2, .segments = {{.number = 1, .documents = 1}}}));
  const auto engine = open();
  ASSERT_NE(engine, nullptr);
  EXPECT_EQ(engine->snapshot()->documents(), 1U);
  EXPECT_EQ(matches(*engine, "horse"), 0U);
}

// What an earlier version left: postings as varints, without positions.
TEST_F(EngineTest, SegmentsOfBeforeBlocksAreReadAndMerged) {
  auto file = SegmentFileWriter::create(folder_ / segment_file_name(1));
  ASSERT_TRUE(file);
  DocumentsWriter documents;
  for (ImageId id = 1; id <= 3; ++id) {
    DocumentRow row{.id = id, .copy_group = id, .lengths = {2, 0, 0, 0}};
    row.facets[static_cast<std::size_t>(Facet::kLanguage)] = {"en"};
    documents.add(row);
  }
  documents.write(*file);
  const std::string_view terms = "cartdarkhorse";  // horses in title of all, a cart in that of 2, dark in alt of 3
  const std::string_view postings(
      "\x01\x01"
      "\x02\x04"
      "\x00\x01\x01\x01\x01\x01",
      10);
  file->begin(Section::kPostings);
  file->append(postings);
  write_string_table(*file, Section::kTerms, {4, 8, 13}, terms);
  file->write<std::uint64_t>(Section::kPostingStarts, {0, 2, 4, 10});
  file->write<std::uint32_t>(Section::kTermCounts, {1, 1, 3});
  write_vectors(*file, {}, 0);
  ASSERT_TRUE(file->finish({3, 0, 0}));
  ASSERT_TRUE(write_manifest(folder_, {.version = 1, .next_segment = 2, .segments = {{.number = 1, .documents = 3}}}));

  const auto engine = open();
  ASSERT_NE(engine, nullptr);
  const auto phrase = [&](const std::string& words) {
    return match_words(*engine->snapshot(), {.phrases = {words}}).scores.ids().to_vector();
  };
  for (const bool merged : {false, true}) {
    if (merged) {
      ASSERT_TRUE(engine->add_document({.id = 4, .title = "cart, horse", .language = "en"}));
      ASSERT_TRUE(engine->commit());
      ASSERT_TRUE(engine->merge_all());
    }
    EXPECT_EQ(matches(*engine, "horse"), merged ? 4U : 3U);
    EXPECT_EQ(matches(*engine, "horse cart"), merged ? 2U : 1U);
    EXPECT_EQ(phrase("horse cart"), std::vector<ImageId>{2}) << "no more is known than that they share a field";
    EXPECT_EQ(phrase("dark horse"), std::vector<ImageId>{});
    EXPECT_TRUE(filter_documents(*engine->snapshot(), {.without = {"horse cart"}}).contains(2)) << "in doubt nothing is left out";
  }
}

TEST_F(EngineTest, BackgroundMergingLosesNoReplacement) {
  const auto engine = open({});
  std::mt19937 random(3);
  std::map<ImageId, std::string> expected;
  for (int commit = 0; commit < 150; ++commit) {
    for (int i = 0; i < 5; ++i) {
      const ImageId id = 1 + random() % 60;
      expected[id] = random() % 2 == 0 ? "horse" : "lighthouse";
      add(*engine, id, expected[id]);
    }
    ASSERT_TRUE(engine->commit());
  }
  ASSERT_TRUE(engine->merge_all());
  std::size_t horses = 0;
  for (const auto& [id, word] : expected) horses += word == "horse" ? 1 : 0;
  EXPECT_EQ(matches(*engine, "horse"), horses);
  EXPECT_EQ(engine->snapshot()->documents(), expected.size());
  EXPECT_EQ(engine->snapshot()->vectors(), expected.size());
}

TEST_F(EngineTest, EverythingRemovedLeavesNoFile) {
  const auto engine = open();
  add(*engine, 1);
  ASSERT_TRUE(engine->commit());
  ASSERT_TRUE(engine->remove_document(1));
  ASSERT_TRUE(engine->remove_vectors(1));
  ASSERT_TRUE(engine->commit());
  EXPECT_EQ(engine->snapshot()->documents(), 0U);
  EXPECT_EQ(segment_files(), 0U);
}

TEST_F(EngineTest, LeftoversOfAKilledCommitAreRemoved) {
  {
    const auto engine = open();
    add(*engine, 1);
    ASSERT_TRUE(engine->commit());
  }
  std::ofstream(folder_ / "segment-00000099.seg") << "half a segm";
  std::ofstream(folder_ / "manifest.123.new") << "half";
  const auto engine = open();
  EXPECT_EQ(matches(*engine, "horse"), 1U);
  EXPECT_EQ(segment_files(), 1U);
  EXPECT_FALSE(fs::exists(folder_ / "manifest.123.new"));
}

// A child commits one document after the other and says so; it is killed somewhere. What it said must be there, in order and whole.
TEST_F(EngineTest, KillingTheWriterKeepsEveryCommit) {
  std::mt19937 random(7);
  ImageId known = 0;
  for (int round = 0; round < 10; ++round) {
    int pipe_ends[2];
    ASSERT_EQ(::pipe(pipe_ends), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      auto engine = Engine::open(folder_, {.merge_in_background = false});
      for (ImageId id = known + 1; engine && id < known + 10'000; ++id) {
        if (!(*engine)->add_document({.id = id, .title = "horse"}) || !add_vector(**engine, id, {1, 2})) break;
        if (!(*engine)->commit() || ::write(pipe_ends[1], &id, sizeof id) != sizeof id) break;
      }
      ::_exit(1);
    }
    ::close(pipe_ends[1]);
    ImageId said = known;
    for (unsigned wanted = 1 + random() % 15; wanted > 0 && ::read(pipe_ends[0], &said, sizeof said) == sizeof said; --wanted) {}
    ::usleep(random() % 3'000);  // so that the kill falls at any point of the next commit
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    while (::read(pipe_ends[0], &said, sizeof said) == sizeof said) {}
    ::close(pipe_ends[0]);
    ASSERT_GT(said, known);
    const auto engine = open();
    ASSERT_NE(engine, nullptr);
    const std::uint64_t documents = engine->snapshot()->documents();
    EXPECT_GE(documents, said);
    EXPECT_LE(documents, said + 1);  // committed, but killed before it said so
    EXPECT_EQ(engine->snapshot()->vectors(), documents);
    ASSERT_TRUE(engine->verify());
    known = static_cast<ImageId>(documents);
  }
}

TEST_F(EngineTest, DamagedFilesAreToldNotTrusted) {
  {
    const auto engine = open();
    for (ImageId id = 1; id <= 50; ++id) add(*engine, id);
    ASSERT_TRUE(engine->commit());
  }
  for (const char* name : {"segment-00000001.seg", "manifest"}) {
    const fs::path path = folder_ / name;
    const std::string whole = *read_file(path);
    for (std::size_t i = 0; i < 60; ++i) {
      std::string damaged = whole;
      if (i % 2 == 0) damaged.resize(whole.size() * i / 60);
      else damaged[whole.size() * i / 60] ^= 0x10;
      std::ofstream(path, std::ios::binary | std::ios::trunc) << damaged;
      auto engine = Engine::open(folder_, {.access = Access::kRead});
      if (!engine) {
        EXPECT_EQ(engine.error().code, Code::kCorrupt) << engine.error().message;
        continue;
      }
      // Bytes between sections carry nothing, and vector rows are checked by verify() only.
      if (!(*engine)->verify()) continue;
      EXPECT_EQ(matches(**engine, "horse"), 50U);
    }
    std::ofstream(path, std::ios::binary | std::ios::trunc) << whole;
  }
}

/// An engine whose segments get graphs from kGraphRows vectors on.
class GraphTest : public EngineTest {
 protected:
  static constexpr ImageId kGraphRows = 2'600;  // and sketches with it
  std::unique_ptr<Engine> open_with_graphs(bool in_background = false) {
    return open({.merge_in_background = in_background, .graph_vectors_min = kGraphRows});
  }
  static void add_many(Engine& engine, ImageId first, ImageId last) {
    std::mt19937 random(first);
    std::normal_distribution<float> normal;
    for (ImageId id = first; id <= last; ++id) {
      std::vector<float> vector(16);
      for (float& value : vector) value = normal(random);
      ASSERT_TRUE(add_vector(engine, id, vector));
    }
  }
  static std::size_t graphs(const Engine& engine) {
    const auto now = engine.snapshot();
    return static_cast<std::size_t>(std::ranges::count_if(now->segments, [](const auto& state) { return state->segment->has_graph(); }));
  }
  std::size_t graph_files() const {
    std::size_t count = 0;
    for (const auto& entry : fs::directory_iterator(folder_)) count += entry.path().string().find(".graph") != std::string::npos ? 1 : 0;
    return count;
  }
  static VectorMatches nearest(const Engine& engine, bool exact) {
    const std::vector<float> query{1, -1, 0.5F, 2, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0.2F};
    auto matches = search_vectors(*engine.snapshot(), {.vector = query, .k = 10, .exact = exact});
    EXPECT_TRUE(matches);
    return *matches;
  }
};

TEST_F(GraphTest, AGraphComesAfterItsSegmentAndGoesWithIt) {
  auto engine = open_with_graphs();
  add_many(*engine, 1, kGraphRows - 1);
  ASSERT_TRUE(engine->commit());
  EXPECT_EQ(graph_files(), 0U);  // too small
  add_many(*engine, kGraphRows, 2 * kGraphRows);
  ASSERT_TRUE(engine->commit());
  EXPECT_EQ(graph_files(), 1U);
  EXPECT_EQ(graphs(*engine), 1U);
  ASSERT_TRUE(engine->merge_all());
  EXPECT_EQ(graph_files(), 1U);
  engine.reset();
  std::ofstream(folder_ / "segment-00000099.graph") << "of no segment";
  std::ofstream(folder_ / "segment-00000001.graph.new") << "half a gra";
  engine = open_with_graphs();
  EXPECT_EQ(graph_files(), 1U);
  EXPECT_EQ(graphs(*engine), 1U);
  ASSERT_TRUE(engine->verify());
  for (ImageId id = 1; id <= 2 * kGraphRows; ++id) ASSERT_TRUE(engine->remove_vectors(id));
  ASSERT_TRUE(engine->commit());
  EXPECT_EQ(graph_files(), 0U);
}

TEST_F(GraphTest, AReaderTakesOverAGraphThatCameLater) {
  const auto writer = open_with_graphs(/*in_background=*/true);
  add_many(*writer, 1, kGraphRows);
  ASSERT_TRUE(writer->commit());
  const auto reader = open({.access = Access::kRead});
  ASSERT_TRUE(writer->merge_all());  // waits for the graph
  EXPECT_EQ(graphs(*writer), 1U);
  ASSERT_TRUE(reader->refresh());
  EXPECT_EQ(graphs(*reader), 1U);
}

TEST_F(GraphTest, BuildingStopsWhenTheEngineDoesAndIsTakenUpAgain) {
  {
    const auto engine = open_with_graphs(/*in_background=*/true);
    add_many(*engine, 1, 4 * kGraphRows);
    ASSERT_TRUE(engine->commit());
  }
  const auto engine = open_with_graphs(/*in_background=*/true);
  EXPECT_EQ(engine->snapshot()->vectors(), 4 * kGraphRows);
  ASSERT_TRUE(engine->merge_all());
  EXPECT_EQ(graphs(*engine), 1U);
}

TEST_F(GraphTest, CommitsWhileAGraphIsBuiltLoseNothing) {
  const auto engine = open_with_graphs(/*in_background=*/true);
  add_many(*engine, 1, 2 * kGraphRows);
  ASSERT_TRUE(engine->commit());
  for (ImageId id = 1; id <= 200; ++id) {
    ASSERT_TRUE(engine->remove_vectors(id));
    add_many(*engine, 10'000 + id, 10'000 + id);
    ASSERT_TRUE(engine->commit());
  }
  ASSERT_TRUE(engine->merge_all());
  EXPECT_EQ(engine->snapshot()->vectors(), 2 * kGraphRows);
  EXPECT_EQ(engine->snapshot()->segments.size(), 1U);
  EXPECT_EQ(graphs(*engine), 1U);
}

TEST_F(GraphTest, ADamagedGraphIsPassedOverAndMadeAnew) {
  {
    const auto engine = open_with_graphs();
    add_many(*engine, 1, kGraphRows);
    ASSERT_TRUE(engine->commit());
  }
  const fs::path path = folder_ / "segment-00000001.graph";
  const std::string whole = *read_file(path);
  for (std::size_t i = 0; i < 60; ++i) {
    std::string damaged = whole;
    if (i % 2 == 0) damaged.resize(whole.size() * i / 60);
    else damaged[whole.size() - 1 - whole.size() * i / 60] ^= 0x10;
    std::ofstream(path, std::ios::binary | std::ios::trunc) << damaged;
    const auto reader = open({.access = Access::kRead});
    ASSERT_NE(reader, nullptr);
    EXPECT_EQ(graphs(*reader), 0U) << "byte " << whole.size() - 1 - whole.size() * i / 60;
    EXPECT_EQ(nearest(*reader, /*exact=*/true).hits.size(), 10U);
    EXPECT_EQ(nearest(*reader, /*exact=*/false).hits.size(), 10U);
    EXPECT_TRUE(nearest(*reader, /*exact=*/false).complete);
  }
  std::string wrong_edge = whole;
  wrong_edge[whole.size() / 2] ^= 1;
  for (const std::string& damaged : {whole.substr(0, whole.size() - 100), wrong_edge}) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << damaged;
    const auto engine = open_with_graphs();
    ASSERT_TRUE(engine->merge_all());
    EXPECT_EQ(graphs(*engine), 1U);
    EXPECT_EQ(*read_file(path), whole);
  }
}

TEST_F(GraphTest, AnOlderVersionsGraphIsMadeAnew) {
  {
    const auto engine = open_with_graphs();
    add_many(*engine, 1, kGraphRows);
    ASSERT_TRUE(engine->commit());
  }
  const fs::path path = folder_ / "segment-00000001.graph", older = folder_ / "older";
  const std::string whole = *read_file(path);
  {
    const auto graph = SegmentFile::open(path);
    ASSERT_TRUE(graph);
    auto writer = SegmentFileWriter::create(older);
    ASSERT_TRUE(writer);
    for (const Section section : {Section::kGraphHead, Section::kGraphEdges}) {  // all that there was
      writer->begin(section);
      writer->append(graph->section(section));
    }
    ASSERT_TRUE(writer->finish(graph->counts()));
  }
  fs::rename(older, path);
  EXPECT_EQ(graphs(*open({.access = Access::kRead})), 0U);
  const auto engine = open_with_graphs();
  ASSERT_TRUE(engine->merge_all());
  EXPECT_EQ(graphs(*engine), 1U);
  EXPECT_EQ(*read_file(path), whole);
}

TEST_F(GraphTest, AGraphThatCannotBeWrittenIsLeftOutAndCommitsGoOn) {
  {
    const auto engine = open_with_graphs();
    fs::create_directory(folder_ / "segment-00000001.graph.new");  // where the file would go
    add_many(*engine, 1, kGraphRows);
    ASSERT_TRUE(engine->commit());
    add_many(*engine, 10'000, 10'000);
    ASSERT_TRUE(engine->commit());
    EXPECT_EQ(graphs(*engine), 0U);
    EXPECT_EQ(nearest(*engine, /*exact=*/false).hits.size(), 10U);
  }
  fs::remove(folder_ / "segment-00000001.graph.new");
  const auto engine = open_with_graphs();
  ASSERT_TRUE(engine->merge_all());
  EXPECT_EQ(graphs(*engine), 1U);
}

TEST_F(GraphTest, AnotherSegmentsGraphIsNotWalked) {
  const auto engine = open_with_graphs();
  add_many(*engine, 1, kGraphRows);
  ASSERT_TRUE(engine->commit());
  add_many(*engine, 10'001, 10'000 + kGraphRows);
  ASSERT_TRUE(engine->commit());
  ASSERT_EQ(graphs(*engine), 2U);
  fs::copy_file(folder_ / "segment-00000001.graph", folder_ / "segment-00000002.graph", fs::copy_options::overwrite_existing);
  EXPECT_EQ(graphs(*open({.access = Access::kRead})), 1U);
}

TEST(Manifest, GoesThereAndBack) {
  Manifest manifest{.version = 9, .next_segment = 4, .dims = 1'280, .vector_space = "lite0"};
  manifest.segments = {{1, 10, 8, {0, 3, 9}, {}}, {3, 5, 0, {}, {}}};
  const auto decoded = decode_manifest(encode(manifest));
  ASSERT_TRUE(decoded);
  EXPECT_EQ(encode(*decoded), encode(manifest));
  EXPECT_EQ(decoded->segments[0].dead_documents, (std::vector<std::uint32_t>{0, 3, 9}));
}

TEST(MergePolicy, EightOfALevelBecomeOne) {
  std::vector<SegmentSize> sizes(7, {100, 100});
  sizes.push_back({50'000, 50'000});
  EXPECT_TRUE(choose_merge(sizes).empty());
  sizes.push_back({10, 10});
  EXPECT_EQ(choose_merge(sizes), (std::vector<std::size_t>{0, 1, 2, 3, 4, 5, 6, 8}));
}

TEST(MergePolicy, MostlyDeadSegmentsAreRewritten) {
  EXPECT_EQ(choose_merge(std::vector<SegmentSize>{{1'000, 900}, {1'000, 500}}), (std::vector<std::size_t>{1}));
  EXPECT_EQ(choose_merge(std::vector<SegmentSize>{{1'000, 900}, {3, 0}}), (std::vector<std::size_t>{1}));
}

}  // namespace
}  // namespace magpie::index
