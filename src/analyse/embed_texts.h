#pragma once
// Words to vectors, in worker processes: what people type and what pages say is read by a text network there (model/text_network.h).
//
//   manager:  MAGPIE_TRY(const std::string answer, pool.call(embed_texts_request(texts)));
//             MAGPIE_TRY(const std::vector<Embedding> vectors, decode_text_embeddings(answer, texts.size()));
//   worker:   add_text_handlers(handlers, model_folder);
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/files.h"
#include "base/result.h"
#include "core/records.h"
#include "process/worker_loop.h"
#include "process/worker_pool.h"

namespace magpie::analyse {

/// Kind of request (WorkRequest::kind); those for pictures are in analyse_picture.h.
inline constexpr std::uint32_t kEmbedTexts = 50;
/// Texts of one request at most.
inline constexpr std::size_t kTextsMax = 64;

/// In the worker: loads the model and adds its handler. Errors: those of model::TextNetwork::load.
Result<void> add_text_handlers(WorkerHandlers& handlers, const fs::path& model_folder);

/// At most kTextsMax of them; none is empty.
WorkRequest embed_texts_request(std::span<const std::string> texts);
/// A vector of unit length for each text, all of the same dims. kCorrupt for what is no such answer.
Result<std::vector<Embedding>> decode_text_embeddings(std::string_view answer, std::size_t count);

}  // namespace magpie::analyse
