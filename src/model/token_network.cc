#include "model/token_network.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <tuple>

namespace magpie::model {
namespace {

Result<BpeTokenizer> read_vocabulary(const ModelManifest& manifest) {
  const std::vector<std::string>& names = manifest.text.vocabulary;
  std::vector<std::string> files;
  for (const std::string& name : names) {
    MAGPIE_TRY(std::string bytes, read_file(manifest.folder / name, kVocabularyBytesMax));
    files.push_back(std::move(bytes));
  }
  const auto read = [&] {
    if (files.size() == 2) return BpeTokenizer::of_vocabulary(files[0], files[1]);
    return names[0].ends_with(".json") ? BpeTokenizer::of_tokenizer_json(files[0]) : BpeTokenizer::of_merges(files[0]);
  };
  auto made = read();
  if (!made) return fail(std::move(made).error(), fmt::format("{}: text: vocabulary", manifest.name));
  return made;
}

bool has(std::string_view name, std::string_view part) { return name.find(part) != std::string_view::npos; }

void put(void* values, NumberType type, std::size_t at, std::int64_t number) {
  if (type == NumberType::kI32) static_cast<std::int32_t*>(values)[at] = static_cast<std::int32_t>(number);
  else static_cast<std::int64_t*>(values)[at] = number;
}

}  // namespace

Result<TokenNetwork> TokenNetwork::load(const ModelManifest& manifest, const NetworkOptions& options) {
  MAGPIE_TRY(BpeTokenizer tokenizer, read_vocabulary(manifest));
  std::vector<std::string> tensors;
  if (!manifest.text.tensor.empty()) tensors.push_back(manifest.text.tensor);
  MAGPIE_TRY(Graph graph, Graph::open(manifest.folder / manifest.text.graph, manifest.name, std::move(tensors), options));
  TokenNetwork network(std::move(tokenizer), std::move(graph));
  network.model_ = manifest.name;
  network.form_ = manifest.text;
  network.dims_ = static_cast<std::size_t>(manifest.embedding_dims);
  MAGPIE_TRY_DO(network.read_marks());
  MAGPIE_TRY_DO(network.bind_inputs());
  MAGPIE_TRY_DO(network.check_table());
  return network;
}

// Where the manifest says no numbers, the vocabulary's own marks.
Result<void> TokenNetwork::read_marks() {
  for (const auto& [field, number, piece] :
       {std::tuple("start", &form_.start, "<|startoftext|>"), std::tuple("end", &form_.end, "<|endoftext|>")}) {
    if (*number >= 0) continue;
    const auto known = tokenizer_.number_of(piece);
    if (!known) return fail(Code::kCorrupt, "{}: the vocabulary has no '{}'; say its number in text: {}", model_, piece, field);
    *number = *known;
  }
  return {};
}

Result<void> TokenNetwork::bind_inputs() {
  const std::array<std::int64_t, 2> shape = {1, form_.context};
  std::size_t of_numbers = 0;
  for (std::size_t i = 0; i < graph_.inputs().size(); ++i) {
    const GraphInput& input = graph_.inputs()[i];
    if (input.type != NumberType::kI32 && input.type != NumberType::kI64)
      return fail(Code::kCorrupt, "{}: the text graph takes '{}', no whole numbers; export the text tower by itself", model_, input.name);
    if (!input.takes(shape)) {
      return fail(Code::kCorrupt, "{}: the text graph takes '{}' of [{}], the manifest says [1, {}]; see text: context", model_, input.name,
                  fmt::join(input.shape, ", "), form_.context);
    }
    Bound bound{.type = input.type};
    if (has(input.name, "mask")) bound.role = Role::kMask;
    else if (has(input.name, "token_type")) bound.role = Role::kTypes;
    else if (has(input.name, "position")) bound.role = Role::kPositions;
    else ++of_numbers;
    MAGPIE_TRY(bound.values, graph_.bind(i, shape));
    inputs_.push_back(bound);
  }
  if (of_numbers != 1)
    return fail(Code::kCorrupt, "{}: the text graph has {} inputs that the words' numbers could go into; 1 is wanted", model_, of_numbers);
  return {};
}

Result<std::vector<float>> TokenNetwork::embed(std::string_view text) {
  std::vector<std::int64_t> numbers = tokenizer_.encode(text, static_cast<std::size_t>(form_.context) - 2);
  numbers.insert(numbers.begin(), form_.start);
  numbers.push_back(form_.end);
  return run(std::move(numbers));
}

// A number behind the end of the graph's table is no error there: such a word means what any other such number means. So the largest in use
// must mean something else than one that no table reaches.
Result<void> TokenNetwork::check_table() {
  constexpr std::int64_t kBeyondAll = std::int64_t{1} << 30;
  const std::int64_t largest = std::max({tokenizer_.number_max(), form_.start, form_.end, form_.pad});
  auto known = run({form_.start, largest, form_.end}), beyond = run({form_.start, kBeyondAll, form_.end});
  if (!known) return Failure(std::move(known).error());
  if (!beyond || *known != *beyond) return {};
  return fail(Code::kCorrupt,
              "{}: the text graph knows no number {}, which text: vocabulary (or start, end, pad) has; do they belong together?", model_,
              largest);
}

Result<std::vector<float>> TokenNetwork::run(std::vector<std::int64_t> numbers) {
  const auto context = static_cast<std::size_t>(form_.context);
  const std::size_t count = numbers.size();
  numbers.resize(context, form_.pad);
  for (const Bound& input : inputs_) {
    for (std::size_t i = 0; i < context; ++i) {
      std::int64_t number = 0;
      switch (input.role) {
        case Role::kNumbers: number = numbers[i]; break;
        case Role::kMask: number = i < count ? 1 : 0; break;
        case Role::kTypes: break;
        case Role::kPositions: number = static_cast<std::int64_t>(i); break;
      }
      put(input.values, input.type, i, number);
    }
  }
  MAGPIE_TRY(const std::vector<OutputTensor> outputs, graph_.run());
  const std::span<const float> values = outputs[0].values;
  if (values.size() == dims_) return std::vector<float>(values.begin(), values.end());
  return fail(Code::kCorrupt, "{}: the text graph gives {} floats where the manifest says {}; see output: embedding_dims, text: tensor",
              model_, values.size(), dims_);
}

}  // namespace magpie::model
