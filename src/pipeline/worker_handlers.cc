#include "pipeline/worker_handlers.h"

#include "analyse/analyse_picture.h"
#include "analyse/embed_texts.h"
#include "base/priority.h"
#include "base/wire.h"
#include "core/page_wire.h"
#include "crawl/answer.h"
#include "net/http_headers.h"
#include "store/warc.h"

namespace magpie::pipeline {
namespace {

constexpr std::chrono::milliseconds kExtractTimeMax{20'000};

constexpr std::size_t kInlineBytesMax = 1 << 20;

void encode_context(WireWriter& out, const PageContext& context) {
  for (const std::string* text : {&context.url, &context.content_type, &context.x_robots_tag, &context.agent}) out.bytes(*text);
  for (const std::vector<FieldSelector>* selectors : {&context.selectors, &context.candidates}) {
    out.u64(selectors->size());
    for (const FieldSelector& selector : *selectors) write_selector(out, selector);
  }
  out.boolean(context.learns);
}

PageContext decode_context(WireReader& in) {
  PageContext context;
  for (std::string* text : {&context.url, &context.content_type, &context.x_robots_tag, &context.agent}) *text = in.string();
  for (std::vector<FieldSelector>* selectors : {&context.selectors, &context.candidates}) {
    selectors->resize(in.count());
    for (FieldSelector& selector : *selectors) selector = read_selector(in);
  }
  context.learns = in.boolean();
  return context;
}

Result<std::string> extract(const WorkerRequest& request) {
  WireReader in(request.payload);
  PageContext context = decode_context(in);
  const std::string_view html = in.bytes();
  MAGPIE_TRY_DO(in.finish());
  if (request.file.fd < 0) {
    MAGPIE_TRY(const Page page, extract_page(html, context));
    return encode_page(page);
  }
  MAGPIE_TRY(const WarcRecord record, read_warc_record(request.file.fd, request.file.offset, request.file.size));
  context.x_robots_tag = fmt::format("{}\n{}", context.x_robots_tag, crawl::robots_tag(parse_header_block(record.http_header())));
  MAGPIE_TRY(const Page page, extract_page(record.http_body(), context));
  return encode_page(page);
}

}  // namespace

std::string encode_worker_config(const WorkerConfig& config) {
  WireWriter out;
  out.boolean(config.pictures);
  out.bytes(config.model_folder);
  out.bytes(config.detector_folder);
  out.bytes(config.text_folder);
  out.boolean(config.in_background);
  return out.take();
}

Result<WorkerHandlers> make_worker_handlers(std::string_view config) {
  WireReader in(config);
  const bool pictures = in.boolean();
  analyse::PictureSettings settings;
  settings.model_folder = in.string();
  settings.detector_folder = in.string();
  const std::string text_folder = in.string();
  const bool in_background = in.boolean();
  MAGPIE_TRY_DO(in.finish());
  if (in_background) work_in_background();
  WorkerHandlers handlers;
  if (!text_folder.empty()) MAGPIE_TRY_DO(analyse::add_text_handlers(handlers, text_folder));
  else if (pictures) MAGPIE_TRY_DO(analyse::add_picture_handlers(handlers, settings));
  else handlers.by_kind[kExtractPage] = extract;
  return handlers;
}

Result<std::string> body_of(const FileSlice& slice) {
  if (slice.fd < 0) return fail(Code::kCorrupt, "the request has no file");
  MAGPIE_TRY(const WarcRecord record, read_warc_record(slice.fd, slice.offset, slice.size));
  return std::string(record.http_body());
}

Result<WorkRequest> extract_request(const Archive& archive, const ArchivePlace& place, const PageContext& context,
                                    std::optional<std::string_view> html) {
  WorkRequest request;
  request.kind = kExtractPage;
  request.time_max = kExtractTimeMax;
  request.quick = html && html->size() <= kInlineBytesMax;
  WireWriter payload;
  encode_context(payload, context);
  payload.bytes(request.quick ? *html : std::string_view());
  request.payload = payload.take();
  if (request.quick) return request;
  MAGPIE_TRY(request.file, archive.open_file(place.file));
  request.file_offset = place.offset;
  request.file_size = place.length;
  return request;
}

}  // namespace magpie::pipeline
