#include "app/forgetting.h"

#include <charconv>
#include <unordered_set>

#include "app/forget_search.h"
#include "app/shops.h"
#include "base/log.h"

namespace magpie {
namespace {

fs::path move_file(const CollectionFolder& folder) { return folder.forgetting().string() + ".move"; }

std::string_view name_of(Store store) { return store == Store::kArchive ? "archive" : "variants"; }

/// Leads the catalog along, on the recorder's thread.
class Moves final : public FileMoves {
 public:
  Moves(Collection& collection, Store store) : collection_(collection), store_(store) {}
  Result<void> begins(std::uint32_t from, std::uint32_t to) override {
    return write_file_atomic(move_file(collection_.folder()), fmt::format("{} {} {}\n", name_of(store_), from, to));
  }
  Result<void> moved(std::uint32_t, std::uint32_t, const std::vector<MovedPlace>& places) override {
    MAGPIE_TRY(const auto transaction, collection_.catalog().begin());
    MAGPIE_TRY_DO(transaction->move_places(store_, places));
    return transaction->commit();
  }

 private:
  Collection& collection_;
  const Store store_;
};

std::uint64_t key_of(const VariantPlace& place) { return std::uint64_t{place.file} << 40 | place.offset; }  // a file has 1 GiB

}  // namespace

Forgetting::Forgetting(Collection& collection, pipeline::Recorder& recorder, ForgetPlan plan)
    : collection_(collection),
      recorder_(recorder),
      plan_(std::move(plan)),
      gone_(plan_),
      contents_(plan_.contents.begin(), plan_.contents.end()) {
  report_.target = plan_.target;
}

Result<std::optional<ForgetPlan>> Forgetting::unfinished(const CollectionFolder& folder) {
  const auto bytes = read_file(folder.forgetting());
  if (!bytes && bytes.error().code == Code::kNotFound) return std::optional<ForgetPlan>();
  if (!bytes) return Failure(bytes.error());
  MAGPIE_TRY(ForgetPlan plan, decode_forget_plan(*bytes));
  return std::optional(std::move(plan));
}

RecordFate Forgetting::judge(const std::string& url, std::string& header, std::string& body) {
  if (gone_.has(url) || (!contents_.empty() && contents_.contains(sha256(body)))) {
    digests_.insert(sha1_base32(body));
    return RecordFate::kDrop;
  }
  std::size_t mentions = gone_.overwrite(header, url);
  if (is_text_answer(header)) mentions += gone_.overwrite(body, url);
  return mentions > 0 ? RecordFate::kChange : RecordFate::kKeep;
}

/// Those that some picture refers to, but for pictures that are about to go.
std::function<bool(const VariantPlace&)> Forgetting::keeps_variant(const ForgetPlan* without) const {
  const auto kept = std::make_shared<std::unordered_set<std::uint64_t>>();
  const std::set<ImageId> going = without ? std::set<ImageId>(without->images.begin(), without->images.end()) : std::set<ImageId>();
  const auto read = collection_.catalog().each_image([&](const Image& image) -> Result<void> {
    if (going.contains(image.id)) return {};
    kept->insert(key_of(image.thumbnail));
    kept->insert(key_of(image.preview));
    return {};
  });
  if (!read) return [](const VariantPlace&) { return true; };  // rather too much than too little; the search will say so
  return [kept](const VariantPlace& place) { return kept->contains(key_of(place)); };
}

Result<ForgetReport> Forgetting::count() {
  report_.dry_run = true;
  MAGPIE_TRY_DO(recorder_.alone([&]() -> Result<void> {
    MAGPIE_TRY(const auto transaction, collection_.catalog().begin());
    MAGPIE_TRY(report_.catalog, transaction->forget(plan_));
    return {};  // and not committed
  }));
  MAGPIE_TRY(report_.variants, collection_.variants().rewrite(keeps_variant(&plan_), nullptr));
  MAGPIE_TRY(report_.archive,
             collection_.archive().rewrite([&](auto& url, auto& header, auto& body) { return judge(url, header, body); }, nullptr));
  MAGPIE_TRY(report_.frontier, collection_.frontier().forget([&](std::string_view url) { return gone_.has(url); }, /*really=*/false));
  return report_;
}

Result<ForgetReport> Forgetting::run() {
  MAGPIE_TRY_DO(write_file_atomic(collection_.folder().forgetting(), encode(plan_)));
  log::info("forget.started",
            {{"kind", to_string(plan_.target.kind)}, {"pictures", plan_.images.size()}, {"addresses", plan_.urls.size()}});
  MAGPIE_TRY_DO(recorder_.alone([&] { return settle_move(collection_); }));
  MAGPIE_TRY_DO(forget_rows());
  MAGPIE_TRY_DO(recorder_.alone([&] { return rewrite_variants(); }));
  MAGPIE_TRY_DO(recorder_.alone([&] { return rewrite_archive(); }));
  MAGPIE_TRY(report_.frontier, collection_.frontier().forget([&](std::string_view url) { return gone_.has(url); }, /*really=*/true));
  MAGPIE_TRY_DO(remove_shops());
  MAGPIE_TRY_DO(recorder_.alone([&] { return collection_.catalog().compact(); }));
  // Learnt from what the forgotten pages said, too; it is learnt anew from what is left. One being learnt finds no folder to write to.
  std::error_code kept;
  fs::remove_all(collection_.folder().bridge(), kept);
  if (kept) return fail(Code::kUnavailable, "{} cannot be removed: {}", collection_.folder().bridge().string(), kept.message());
  MAGPIE_TRY_DO(search_for_forgotten(collection_, plan_, digests_, report_));
  std::error_code ignored;
  fs::remove(move_file(collection_.folder()), ignored);
  fs::remove(collection_.folder().forgetting(), ignored);
  log::info("forget.finished",
            {{"kind", to_string(plan_.target.kind)}, {"records", report_.archive.removed}, {"found", report_.found.size()}});
  return report_;
}

// One of the two files of a move that was cut short is one too many. A file that is gone was followed by the catalog before.
Result<void> Forgetting::settle_move(Collection& collection) {
  const auto text = read_file(move_file(collection.folder()), 1'000);
  if (!text) return text.error().code == Code::kNotFound ? Result<void>() : Failure(text.error());
  const bool is_archive = text->starts_with(name_of(Store::kArchive));
  std::uint32_t from = 0, to = 0;
  const std::size_t first = text->find(' ') + 1;
  const auto [middle, error] = std::from_chars(text->data() + first, text->data() + text->size(), from);
  if (error != std::errc() || std::from_chars(middle + 1, text->data() + text->size(), to).ec != std::errc())
    return fail(Code::kCorrupt, "{} does not read", move_file(collection.folder()).string());
  const Store store = is_archive ? Store::kArchive : Store::kVariants;
  MAGPIE_TRY(const bool follows, collection.catalog().refers_to(store, to));
  if (!is_archive) {
    MAGPIE_TRY_DO(collection.variants().remove_file(follows ? from : to));
  } else {
    const bool is_old_there = collection.archive().open_file(from).has_value();
    MAGPIE_TRY_DO(collection.archive().remove_file(follows || !is_old_there ? from : to));
  }
  std::error_code ignored;  // settled: what is added to the new file from now on must not count for it
  fs::remove(move_file(collection.folder()), ignored);
  return {};
}

Result<void> Forgetting::forget_rows() {
  MAGPIE_TRY_DO(recorder_.transact([&](CatalogTransaction& transaction) -> Result<void> {
    MAGPIE_TRY(report_.catalog, transaction.forget(plan_));
    // Where a run before this one came to: those rows have gone, and the index may not know.
    return transaction.mark_dirty(plan_.images);
  }));
  MAGPIE_TRY_DO(recorder_.reload_known_pictures());
  MAGPIE_TRY_DO(recorder_.flush());
  return collection_.purge_index();
}

Result<void> Forgetting::rewrite_variants() {
  Moves moves(collection_, Store::kVariants);
  MAGPIE_TRY(report_.variants, collection_.variants().rewrite(keeps_variant(nullptr), &moves));
  return {};
}

Result<void> Forgetting::rewrite_archive() {
  Moves moves(collection_, Store::kArchive);
  const std::lock_guard lock(collection_.archive_writing());
  MAGPIE_TRY(report_.archive,
             collection_.archive().rewrite([&](auto& url, auto& header, auto& body) { return judge(url, header, body); }, &moves));
  return {};
}

Result<void> Forgetting::remove_shops() {
  if (plan_.host.empty()) return {};
  const ShopFolder shops(collection_.folder().shops());
  for (const Shop& shop : shops.all()) {
    if (host_of_url(shop.address) != plan_.host) continue;
    MAGPIE_TRY_DO(shops.remove(shop.name));
    ++report_.shops;
  }
  return {};
}

}  // namespace magpie
