#include "pipeline/copy_groups.h"

#include <algorithm>

namespace magpie::pipeline {
namespace {

bool share_a_pair(const CopyReview& one, const CopyReview& other) {
  std::set<std::pair<ImageId, ImageId>> pairs;
  for (const CopyPair& pair : one.before) pairs.emplace(pair.image, pair.other);
  return std::any_of(other.before.begin(), other.before.end(), [&](const CopyPair& pair) {
    return pairs.contains({pair.image, pair.other});
  });
}

}  // namespace

Result<CopyGroups> CopyGroups::load(const Catalog& catalog) {
  CopyGroups groups;
  MAGPIE_TRY_DO(catalog.each_copy_link([&](const CopyLink& link) -> Result<void> {
    groups.note(link);
    return {};
  }));
  MAGPIE_TRY_DO(catalog.each_copy_verdict([&](const CopyPair& pair) -> Result<void> {
    groups.verdicts_[pair.image][pair.other] = *pair.verdict;
    groups.verdicts_[pair.other][pair.image] = *pair.verdict;
    return {};
  }));
  MAGPIE_TRY_DO(catalog.each_copy([&](ImageId image, ImageId group) -> Result<void> {
    groups.put(image, group);
    return {};
  }));
  return groups;
}

ImageId CopyGroups::group_of(ImageId image) const {
  const auto found = groups_.find(image);
  return found == groups_.end() ? image : found->second;
}

std::vector<ImageId> CopyGroups::members_of(ImageId group) const {
  std::vector<ImageId> members = {group};
  if (const auto others = members_.find(group); others != members_.end())
    members.insert(members.end(), others->second.begin(), others->second.end());
  std::sort(members.begin(), members.end());
  return members;
}

void CopyGroups::put(ImageId image, ImageId group) {
  if (const auto before = groups_.find(image); before != groups_.end()) {
    std::erase(members_[before->second], image);
    groups_.erase(before);
  }
  if (image == group) return;
  groups_[image] = group;
  members_[group].push_back(image);
}

// Whether a person has taken a picture of the one group and a picture of the other apart.
bool CopyGroups::are_apart(ImageId one, ImageId other) const {
  if (verdicts_.empty()) return false;
  for (const ImageId image : members_of(one)) {
    const auto said = verdicts_.find(image);
    if (said == verdicts_.end()) continue;
    for (const auto& [neighbour, verdict] : said->second) {
      if (verdict == CopyVerdict::kApart && group_of(neighbour) == other) return true;
    }
  }
  return false;
}

bool CopyGroups::note(const CopyLink& link) {
  auto& links = link.cause == CopyCause::kOtherColour ? other_colours_ : found_;
  if (!links[link.image].insert(link.other).second) return true;
  links[link.other].insert(link.image);
  if (link.tone) tones_[link.image] = *link.tone;
  if (link.other_tone) tones_[link.other] = *link.other_tone;
  return false;
}

bool CopyGroups::are_other_colours(ImageId one, ImageId other) const {
  if (other_colours_.empty()) return false;
  for (const ImageId image : members_of(one)) {
    const auto known = other_colours_.find(image);
    if (known == other_colours_.end()) continue;
    for (const ImageId neighbour : known->second) {
      if (group_of(neighbour) == other) return true;
    }
  }
  return false;
}

// Of its first coloured picture.
std::optional<Tone> CopyGroups::tone_of_group(ImageId group) const {
  if (tones_.empty()) return std::nullopt;
  for (const ImageId image : members_of(group)) {
    if (const auto known = tones_.find(image); known != tones_.end()) return known->second;
  }
  return std::nullopt;
}

// Whether a link between the two joins their groups. Of two coloured pictures it says itself that their colours agree.
bool CopyGroups::may_join(ImageId image, ImageId other) const {
  const ImageId one = group_of(image), two = group_of(other);
  if (one == two || are_apart(one, two) || are_other_colours(one, two)) return false;
  if (tones_.contains(image) && tones_.contains(other)) return true;
  const std::optional<Tone> tone = tone_of_group(one), other_tone = tone_of_group(two);
  return !tone || !other_tone || same_tone(*tone, *other_tone);
}

Result<void> CopyGroups::unite(CatalogTransaction& transaction, ImageId one, ImageId other) {
  if (!may_join(one, other)) return {};
  one = group_of(one);
  other = group_of(other);
  const ImageId group = std::min(one, other);
  for (const ImageId image : members_of(std::max(one, other))) {
    put(image, group);
    MAGPIE_TRY_DO(transaction.set_copy_group(image, group));
  }
  return {};
}

Result<void> CopyGroups::join(CatalogTransaction& transaction, std::span<const CopyLink> links) {
  for (const CopyLink& link : links) {
    if (note(link)) continue;
    MAGPIE_TRY_DO(transaction.put_copy_link(link));
    if (link.cause != CopyCause::kOtherColour) MAGPIE_TRY_DO(unite(transaction, link.image, link.other));
  }
  return {};
}

std::optional<CopyVerdict> CopyGroups::verdict_of(ImageId one, ImageId other) const {
  const auto said = verdicts_.find(one);
  if (said == verdicts_.end()) return std::nullopt;
  const auto known = said->second.find(other);
  return known == said->second.end() ? std::nullopt : std::optional(known->second);
}

Result<void> CopyGroups::set_verdict(CatalogTransaction& transaction, const CopyPair& pair) {
  for (const auto& [image, other] : {std::pair(pair.image, pair.other), std::pair(pair.other, pair.image)}) {
    if (pair.verdict) verdicts_[image][other] = *pair.verdict;
    else if (const auto said = verdicts_.find(image); said != verdicts_.end() && said->second.erase(other) > 0 && said->second.empty())
      verdicts_.erase(said);
  }
  return transaction.set_copy_verdict(pair);
}

// Takes whole groups to pieces and puts them together again: by what people say first, then by the links found, in order of id.
Result<void> CopyGroups::regroup(CatalogTransaction& transaction, std::set<ImageId> images) {
  // Links that a verdict kept from joining may join now, so the groups behind them belong to it.
  std::set<ImageId> groups;
  for (const ImageId image : images) groups.insert(group_of(image));
  for (std::vector<ImageId> open(images.begin(), images.end()); !open.empty();) {
    const auto found = found_.find(open.back());
    open.pop_back();
    if (found == found_.end()) continue;
    for (const ImageId linked : found->second) {
      if (!groups.insert(group_of(linked)).second) continue;
      for (const ImageId member : members_of(group_of(linked))) {
        if (images.insert(member).second) open.push_back(member);
      }
    }
  }
  std::map<ImageId, ImageId> before;
  for (const ImageId image : images) before[image] = group_of(image);
  for (const ImageId image : images) put(image, image);
  const auto unite_quietly = [&](ImageId one, ImageId other) {
    one = group_of(one);
    other = group_of(other);
    if (one == other) return;
    for (const ImageId image : members_of(std::max(one, other))) put(image, std::min(one, other));
  };
  for (const ImageId image : images) {
    const auto said = verdicts_.find(image);
    if (said == verdicts_.end()) continue;
    for (const auto& [other, verdict] : said->second) {
      if (verdict == CopyVerdict::kCopies && other < image && !are_apart(group_of(image), group_of(other))) unite_quietly(image, other);
    }
  }
  for (const ImageId image : images) {
    const auto found = found_.find(image);
    if (found == found_.end()) continue;
    for (const ImageId other : found->second) {
      if (other < image && may_join(image, other)) unite_quietly(image, other);
    }
  }
  for (const auto& [image, group] : before) {
    if (group_of(image) != group) MAGPIE_TRY_DO(transaction.set_copy_group(image, group_of(image)));
  }
  return {};
}

Result<CopyReview> CopyGroups::review(CatalogTransaction& transaction, CopyAction action, std::span<const ImageId> images, Timestamp now) {
  const std::set<ImageId> chosen(images.begin(), images.end());
  std::set<ImageId> groups, touched;
  for (const ImageId image : chosen) groups.insert(group_of(image));
  for (const ImageId group : groups) {
    for (const ImageId member : members_of(group)) touched.insert(member);
  }
  if (chosen.empty() || (action == CopyAction::kMerge && chosen.size() < 2))
    return fail(Code::kBadInput, "name the pictures: {} to {}", action == CopyAction::kMerge ? "two and more" : "one and more",
                to_string(action));
  if (action != CopyAction::kMerge && groups.size() != 1)
    return fail(Code::kBadInput, "pictures {} are of {} groups; {} those of one at a time", fmt::join(chosen, ", "), groups.size(),
                to_string(action));
  if (action != CopyAction::kMerge && touched.size() < 2) return fail(Code::kNotFound, "picture {} has no copies", *chosen.begin());
  CopyReview review{.action = action, .images = {chosen.begin(), chosen.end()}, .at = now};
  const auto say = [&](ImageId one, ImageId other, CopyVerdict verdict) -> Result<void> {
    CopyPair pair{.image = std::max(one, other), .other = std::min(one, other), .verdict = verdict_of(one, other)};
    review.before.push_back(pair);
    if (pair.verdict == verdict) return {};
    pair.verdict = verdict;
    return set_verdict(transaction, pair);
  };
  if (action == CopyAction::kKeep) review.images = {touched.begin(), touched.end()};
  if (action == CopyAction::kSplit) {
    const std::size_t rest = touched.size() - chosen.size();
    if (rest == 0) return fail(Code::kBadInput, "all {} pictures of the group are named: which are to stay?", touched.size());
    if (chosen.size() * rest > kPairsMax)
      return fail(Code::kBadInput, "{} of {} pictures are too many to split at once: at most {} pairs", chosen.size(), touched.size(),
                  kPairsMax);
    ImageId first_left = kNoId;
    for (const ImageId other : touched) {
      if (chosen.contains(other)) continue;
      for (const ImageId one : chosen) MAGPIE_TRY_DO(say(one, other, CopyVerdict::kApart));
      // Those that stay may hang together by nothing but what goes: they were a group, and are one still.
      if (first_left != kNoId) MAGPIE_TRY_DO(say(other, first_left, CopyVerdict::kCopies));
      if (first_left == kNoId) first_left = other;
    }
  }
  if (action == CopyAction::kMerge) {
    for (const ImageId one : chosen) {
      if (one != *chosen.begin()) MAGPIE_TRY_DO(say(one, *chosen.begin(), CopyVerdict::kCopies));
    }
    // What was taken apart between them before does not hold any more.
    for (const ImageId one : touched) {
      const auto said = verdicts_.find(one);
      if (said == verdicts_.end()) continue;
      for (const auto& [other, verdict] : std::map(said->second)) {
        if (verdict != CopyVerdict::kApart || other > one || !touched.contains(other) || group_of(one) == group_of(other)) continue;
        review.before.push_back({.image = one, .other = other, .verdict = verdict});
        MAGPIE_TRY_DO(set_verdict(transaction, {.image = one, .other = other, .verdict = std::nullopt}));
      }
    }
  }
  if (action != CopyAction::kKeep) MAGPIE_TRY_DO(regroup(transaction, std::move(touched)));
  MAGPIE_TRY(review.id, transaction.add_copy_review(review));
  return review;
}

Result<void> CopyGroups::undo(CatalogTransaction& transaction, const CopyReview& review, std::span<const CopyReview> later) {
  if (review.undone) return fail(Code::kBusy, "review {} is undone already", review.id);
  for (const CopyReview& other : later) {
    if (!other.undone && share_a_pair(other, review))
      return fail(Code::kBusy, "review {} speaks of the same pictures and is later: undo that first", other.id);
  }
  std::set<ImageId> touched;
  for (const ImageId image : review.images) {
    for (const ImageId member : members_of(group_of(image))) touched.insert(member);
  }
  for (const CopyPair& pair : review.before) {
    MAGPIE_TRY_DO(set_verdict(transaction, pair));
    for (const ImageId image : {pair.image, pair.other}) {
      for (const ImageId member : members_of(group_of(image))) touched.insert(member);
    }
  }
  if (review.action != CopyAction::kKeep) MAGPIE_TRY_DO(regroup(transaction, std::move(touched)));
  return transaction.undo_copy_review(review.id);
}

}  // namespace magpie::pipeline
