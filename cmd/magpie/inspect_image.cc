#include <charconv>

#include "inspect.h"
#include "picture_facts.h"

namespace magpie::cmd {
namespace {

void write_facts(const PictureFacts& facts, JsonWriter& json) {
  json.field("format", to_string(facts.header.format));
  json.field("width", facts.header.size.width).field("height", facts.header.size.height);
  json.field("frames", facts.header.frames).field("animated", is_animated(facts.header));
  json.field("duration_ms", facts.header.duration.count())
      .field("plays", facts.header.plays)
      .field("orientation", static_cast<int>(facts.header.orientation));
  json.field("sha256", to_hex(facts.sha256));
  json.field("phash", to_hex(facts.hashes.phash)).field("dhash", to_hex(facts.hashes.dhash));
  json.field("pdq", image::to_hex(facts.hashes.pdq)).field("pdq_quality", static_cast<int>(facts.hashes.pdq_quality));
  json.key("colours").begin_array();
  for (const image::DominantColour& colour : facts.colours) {
    const std::string hex = fmt::format("#{:02x}{:02x}{:02x}", colour.rgb.red, colour.rgb.green, colour.rgb.blue);
    json.begin_object()
        .field("rgb", hex)
        .field("share", static_cast<double>(colour.share))
        .field("name", to_string(colour.name))
        .end_object();
  }
  json.end_array();
}

int inspect_files(PictureReader& pictures, const InspectArgs& paths) {
  for (const std::string& path : paths) {
    JsonWriter json;
    json.begin_object().field("path", path);
    if (const Result<PictureFacts> facts = pictures.read(path)) {
      write_facts(*facts, json);
    } else {
      json.field("error", facts.error().message);
    }
    json.end_object();
    print_line(json.text());
  }
  return 0;
}

}  // namespace

int inspect_image(InspectArgs args) {
  if (!args.empty() && args[0] == "--worker") {
    const std::string fd_words = take_flag(args, "--fd").value_or("3");
    int fd = 3;
    std::from_chars(fd_words.data(), fd_words.data() + fd_words.size(), fd);
    return run_picture_worker(fd);
  }
  PictureReader pictures(1);
  if (!args.empty()) return inspect_files(pictures, args);
  return answer_questions([&](const Question& question, JsonWriter& json) -> Result<void> {
    MAGPIE_TRY(const std::string path, question.required("path"));
    MAGPIE_TRY(const PictureFacts facts, pictures.read(path));
    json.field("path", path);
    write_facts(facts, json);
    return {};
  });
}

}  // namespace magpie::cmd
