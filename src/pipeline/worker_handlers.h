#pragma once
// What a worker process can be asked: to read pages, to look at pictures, or to embed words. The manager's side builds the requests here
// too, so that both ends of the pipe stand in one file.
//   kExtractPage     payload: PageContext, and the page itself; without it, file: the page's archive record   -> encode_page()
//   kAnalysePicture and its like: see analyse/analyse_picture.h; kEmbedTexts: analyse/embed_texts.h
#include <optional>
#include <string>

#include "core/archive.h"
#include "core/records.h"
#include "extract/extract_page.h"
#include "process/worker_loop.h"
#include "process/worker_pool.h"

namespace magpie::pipeline {

/// Kinds of request; the analyse stage's are numbered from 1, this from 100.
inline constexpr std::uint32_t kExtractPage = 100;

/// How workers are set up; travels to them as the pool's config. Those for pages need no decoders and no network, and start in no time.
struct WorkerConfig {
  bool pictures = false;        // else they read pages
  std::string model_folder;     // of the embedder; empty: pictures are not embedded
  std::string detector_folder;  // likewise; empty: nothing is looked for in them
  std::string text_folder;      // of a text network; with it they embed words and do nothing else
  bool in_background = false;   // nobody waits for what they do
};
std::string encode_worker_config(const WorkerConfig& config);

/// Runs in the worker process: loads the model and names the handlers. kNotFound or kCorrupt when the model cannot be loaded.
Result<WorkerHandlers> make_worker_handlers(std::string_view config);

/// The request for a page at `place` of `archive`. `html` is its body where the caller has it still: up to 1 MiB then travels along, so
/// that the worker need not unpack the record.
Result<WorkRequest> extract_request(const Archive& archive, const ArchivePlace& place, const PageContext& context,
                                    std::optional<std::string_view> html);

/// The body of the archive record that came with a request. kCorrupt when there is none.
Result<std::string> body_of(const FileSlice& slice);

}  // namespace magpie::pipeline
