// Groups of copies: which there are and why, and what a person says of them.
#include <map>

#include "app/collection.h"
#include "app/manager_client.h"
#include "base/json_writer.h"
#include "command.h"
#include "core/clock.h"
#include "flags.h"
#include "pipeline/copy_groups.h"

namespace magpie::cmd {
namespace {

struct CopiesFlags {
  std::string action = "list";
  std::vector<std::uint64_t> numbers;
  ImageId after = 0;
  std::uint64_t count = 20;
  bool unreviewed = false;
};

std::string first_address(const Catalog& catalog, ImageId id) {
  const auto details = catalog.image_details(id);
  return details && *details && !(*details)->urls.empty() ? (*details)->urls.front() : "named by nothing";
}

Result<void> print_group(const Catalog& catalog, const CopyGroup& group, const std::map<ImageId, CopyLink>& links) {
  fmt::print("group {}: {} pictures{}\n", group.id, group.images.size(), group.is_reviewed ? ", kept" : "");
  for (const ImageId id : group.images) {
    MAGPIE_TRY(const std::optional<Image> image, catalog.image(id));
    if (!image) continue;
    const auto link = links.find(id);
    const std::string because = link == links.end() ? "" : fmt::format("  copy of {}: {}", link->second.other, link->second.words);
    fmt::print("  {:>8}  {} x {}  {}{}\n", id, image->width, image->height, first_address(catalog, id), because);
  }
  return {};
}

void write_group(JsonWriter& json, const CopyGroup& group, const std::vector<CopyLink>& links) {
  json.begin_object().field("group", group.id).field("kept", group.is_reviewed).key("images").begin_array();
  for (const ImageId id : group.images) json.number(std::uint64_t{id});
  json.end_array().key("links").begin_array();
  for (const CopyLink& link : links) {
    json.begin_object().field("image", link.image).field("copy_of", link.other).field("found_by", to_string(link.cause));
    json.field("because", link.words).end_object();
  }
  json.end_array().end_object();
}

Result<int> list(const Common& common, const CopiesFlags& flags) {
  MAGPIE_TRY(const CollectionFolder folder, CollectionFolder::choose(common.collection, false));
  MAGPIE_TRY(const auto collection, Collection::open_to_read(folder));
  const Catalog& catalog = collection->catalog();
  MAGPIE_TRY(std::vector<CopyGroup> groups, catalog.copy_groups(flags.after, flags.unreviewed, flags.count + 1));
  const bool more = groups.size() > flags.count;
  if (more) groups.pop_back();
  for (const CopyGroup& group : groups) {
    MAGPIE_TRY(const std::vector<CopyLink> links, catalog.copy_links(group.id));
    if (common.json) {
      JsonWriter json;
      write_group(json, group, links);
      fmt::print("{}\n", json.take());
      continue;
    }
    std::map<ImageId, CopyLink> by_image;
    for (const CopyLink& link : links) by_image.try_emplace(link.image, link);
    MAGPIE_TRY_DO(print_group(catalog, group, by_image));
  }
  if (more && !common.json) fmt::print("more: --after {}\n", groups.back().id);
  if (groups.empty() && !common.json) fmt::print("no {}groups of copies\n", flags.unreviewed ? "unreviewed " : "");
  return groups.empty() ? kNothing : kDone;
}

void print_review(const Common& common, const CopyReview& review) {
  if (common.json) {
    JsonWriter json;
    json.begin_object().field("review", review.id).field("action", to_string(review.action)).key("images").begin_array();
    for (const ImageId id : review.images) json.number(std::uint64_t{id});
    fmt::print("{}\n", json.end_array().field("undone", review.undone).end_object().take());
    return;
  }
  fmt::print("review {}: {} {}{}\n", review.id, to_string(review.action), fmt::join(review.images, " "), review.undone ? ", undone" : "");
}

Result<int> list_reviews(const Common& common, const CopiesFlags& flags) {
  MAGPIE_TRY(const CollectionFolder folder, CollectionFolder::choose(common.collection, false));
  MAGPIE_TRY(const auto collection, Collection::open_to_read(folder));
  MAGPIE_TRY(const std::vector<CopyReview> reviews, collection->catalog().copy_reviews(flags.count));
  for (const CopyReview& review : reviews) print_review(common, review);
  return reviews.empty() ? kNothing : kDone;
}

/// Asks the collection's server, or does it here where there is none; the index follows with the next command that writes.
template <class There, class Here>
Result<int> change(const Common& common, There&& there, Here&& here) {
  MAGPIE_TRY(const CollectionFolder folder, CollectionFolder::choose(common.collection, false));
  if (auto manager = ManagerClient::connect(folder)) {
    MAGPIE_TRY(const CopyReview made, there(*manager));
    print_review(common, made);
    return kDone;
  }
  MAGPIE_TRY(const auto collection, Collection::open_to_manage(folder));
  MAGPIE_TRY(pipeline::CopyGroups groups, pipeline::CopyGroups::load(collection->catalog()));
  MAGPIE_TRY(const auto transaction, collection->catalog().begin());
  MAGPIE_TRY(const CopyReview made, here(collection->catalog(), groups, *transaction));
  MAGPIE_TRY_DO(transaction->commit());
  print_review(common, made);
  return kDone;
}

Result<int> review(const Common& common, CopyAction action, const std::vector<ImageId>& images) {
  const SystemClock clock;
  return change(
      common, [&](ManagerClient& manager) { return manager.review_copies(action, images); },
      [&](const Catalog& catalog, pipeline::CopyGroups& groups, CatalogTransaction& transaction) -> Result<CopyReview> {
        for (const ImageId id : images) {
          MAGPIE_TRY(const std::optional<Image> image, catalog.image(id));
          if (!image) return fail(Code::kNotFound, "no picture has the id {}", id);
        }
        return groups.review(transaction, action, images, clock.now());
      });
}

Result<int> undo(const Common& common, std::uint64_t id) {
  return change(
      common, [&](ManagerClient& manager) { return manager.undo_copy_review(id); },
      [&](const Catalog& catalog, pipeline::CopyGroups& groups, CatalogTransaction& transaction) -> Result<CopyReview> {
        MAGPIE_TRY(std::optional<CopyReview> made, catalog.copy_review(id));
        if (!made) return fail(Code::kNotFound, "there is no review {}; magpie copies reviews lists them", id);
        MAGPIE_TRY(const std::vector<CopyReview> later, catalog.copy_reviews_since(id));
        MAGPIE_TRY_DO(groups.undo(transaction, *made, later));
        made->undone = true;
        return std::move(*made);
      });
}

Result<int> run(const Common& common, const CopiesFlags& flags) {
  const bool counts = !flags.numbers.empty();
  if (flags.action == "list" && !counts) return list(common, flags);
  if (flags.action == "reviews" && !counts) return list_reviews(common, flags);
  if (flags.action == "undo" && flags.numbers.size() == 1) return undo(common, flags.numbers.front());
  if (flags.action == "undo") return fail(Code::kBadInput, "undo wants one review's number; magpie copies reviews lists them");
  const std::optional<CopyAction> action = copy_action_from_string(flags.action);
  if (!action) return fail(Code::kBadInput, "magpie copies knows list, keep, split, merge, reviews and undo, not '{}'", flags.action);
  if (!counts) return fail(Code::kBadInput, "{} wants numbers of pictures, as magpie copies list gives them", flags.action);
  std::vector<ImageId> images;
  for (const std::uint64_t number : flags.numbers) {
    if (number == 0 || number > UINT32_MAX) return fail(Code::kBadInput, "no picture has the number {}", number);
    images.push_back(static_cast<ImageId>(number));
  }
  return review(common, *action, images);
}

}  // namespace

void add_copies(CLI::App& app, Common& common) {
  Subcommand command(app, "copies", "Which pictures are copies of one another, and why; say where that is wrong");
  auto flags = std::make_shared<CopiesFlags>();
  command.option("action", flags->action, "list, keep, split, merge, reviews, undo", {.value = "ACTION", .show_default = true});
  command.option("numbers", flags->numbers, "Of pictures; for undo, of a review", {.value = "NUMBER"});
  command.option("--after", flags->after, "For list: groups behind this one", {.value = "N"});
  command.option("--count", flags->count, "At most so many groups or reviews",
                 {.value = "N", .show_default = true, .least = 1, .most = 10'000});
  command.flag("--unreviewed", flags->unreviewed, "For list: only groups that nobody has kept");
  command.footer(
      "Examples:\n"
      "  magpie copies                   groups, and why each picture is in its group\n"
      "  magpie copies split 17 23       these two are no copies of the rest of their group\n"
      "  magpie copies merge 17 40       these two, and with them their groups, are copies\n"
      "  magpie copies keep 17           its group is right: list --unreviewed leaves it out\n"
      "  magpie copies undo 3            takes review 3 of 'magpie copies reviews' back");
  command.common_flags(common);
  command.runs(common, [&common, flags] { return run(common, *flags); });
}

}  // namespace magpie::cmd
