#pragma once
// What `inspect image` and `inspect duplicates` tell of a picture. Decoding happens in sandboxed child processes (process/worker_pool.h),
// this program started again as `magpie inspect image --worker`: a picture that crashes, hangs or eats its decoder costs one error.
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "analyse/copy_sketch.h"
#include "base/files.h"
#include "base/hash.h"
#include "base/result.h"
#include "image/colours.h"
#include "image/hash.h"
#include "image/sniff.h"
#include "process/worker_pool.h"

namespace magpie::cmd {

struct PictureFacts {
  image::Header header;
  image::Size upright;  // px, as it is shown
  Sha256 sha256{};
  image::PerceptualHashes hashes;  // of the upright first frame at full size
  std::vector<image::DominantColour> colours;
  image::ColourGrid colour_grid{};
};

/// What `inspect duplicates` compares.
struct FileSketch {
  Sha256 sha256{};
  analyse::CopySketch sketch;
};

class PictureReader {
 public:
  /// `workers` child processes, 1..16. They start in the background.
  explicit PictureReader(std::size_t workers);

  /// Waits for the answer. Errors: of reading the file; kBadInput, kTooLarge, kTimeout (15 s) of decoding; kInternal when the decoder died.
  Result<PictureFacts> read(const fs::path& path);
  /// Gives `take` each one's sketch or error, in the order of `paths`, on the caller's thread, while the next ones are made.
  void sketch_all(const std::vector<fs::path>& paths, const std::function<void(std::size_t, Result<FileSketch>)>& take);

 private:
  std::future<Result<std::string>> ask(std::uint32_t kind, const fs::path& path);

  WorkerPool pool_;
};

/// The child's side: runs until its socket ends; gives the exit code.
int run_picture_worker(int fd);

}  // namespace magpie::cmd
