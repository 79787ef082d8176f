#include "app/forget_search.h"

#include <algorithm>
#include <array>
#include <bitset>
#include <fstream>
#include <unordered_map>
#include <unordered_set>

#include "base/ascii.h"
#include "store/warc.h"

namespace magpie {
namespace {

constexpr std::size_t kPieceBytes = std::size_t{8} << 20;
constexpr std::size_t kOverlapBytes = 16 * 1024;  // no name is longer

std::string_view bytes_of(const Sha256& digest) { return {reinterpret_cast<const char*>(digest.data()), digest.size()}; }

/// Many words of at least four bytes, found in one pass.
class Words {
 public:
  void add(std::string word) {
    if (word.size() < 4) return;
    first_two_.set(key_of_two(word));
    by_four_.emplace(word.substr(0, 4), std::move(word));
  }
  std::size_t size() const { return by_four_.size(); }

  /// Calls `found(at, word)` for each.
  template <class Found>
  void each(std::string_view text, Found&& found) const {
    for (std::size_t at = 0; at + 4 <= text.size(); ++at) {
      if (!first_two_.test(key_of_two(text.substr(at)))) continue;
      const auto [begin, end] = by_four_.equal_range(std::string(text.substr(at, 4)));
      for (auto one = begin; one != end; ++one) {
        if (text.substr(at).starts_with(one->second)) found(at, one->second);
      }
    }
  }

 private:
  static std::size_t key_of_two(std::string_view text) {
    return std::size_t{static_cast<unsigned char>(text[0])} << 8 | static_cast<unsigned char>(text[1]);
  }
  std::bitset<65'536> first_two_;
  std::unordered_multimap<std::string, std::string> by_four_;
};

class Search {
 public:
  Search(Collection& collection, const ForgetPlan& plan, const std::set<std::string>& digests, ForgetReport& report)
      : collection_(collection), plan_(plan), gone_(plan), contents_(plan.contents.begin(), plan.contents.end()), report_(report) {
    for (const Sha256& content : plan.contents) {
      digests_.add(std::string(bytes_of(content)));
      digests_.add(to_hex(content));
    }
    for (const std::string& digest : digests) digests_.add(digest);
    for (const std::string& url : plan.urls) {
      // From behind the scheme: all share that.
      const std::size_t slashes = url.find("://");
      if (slashes == std::string::npos) continue;
      addresses_.insert(url.substr(slashes + 1));
      lengths_.insert(url.size() - slashes - 1);
    }
  }

  Result<void> run() {
    MAGPIE_TRY_DO(note_other_hosts());
    report_.searched = true;
    report_.names = plan_.urls.size() + digests_.size() + (plan_.host.empty() ? 0 : 1);
    std::vector<fs::path> files;
    std::error_code error;
    for (fs::recursive_directory_iterator entry(collection_.folder().path(), error), end; !error && entry != end; entry.increment(error)) {
      std::error_code gone;
      if (entry->is_regular_file(gone) && !is_of_the_forgetting(entry->path())) files.push_back(entry->path());
    }
    if (error) return fail(Code::kUnavailable, "{}: {}", collection_.folder().path().string(), error.message());
    for (const fs::path& file : files) MAGPIE_TRY_DO(search_file(file));
    MAGPIE_TRY(const std::uint64_t left,
               collection_.frontier().forget([&](std::string_view url) { return gone_.has(url); }, /*really=*/false));
    if (left > 0) found(collection_.folder().frontier(), fmt::format("{} addresses", left));
    return {};
  }

 private:
  bool is_of_the_forgetting(const fs::path& file) const {
    const fs::path journal = collection_.folder().forgetting();
    return file == journal || file.string().starts_with(journal.string() + ".");
  }

  /// In the index hosts stand side by side, so one that is part of another's name cannot be told from it.
  Result<void> note_other_hosts() {
    if (plan_.host.empty()) return {};
    MAGPIE_TRY(const CatalogStats stats, collection_.catalog().stats());
    host_is_part_of_another_ = std::any_of(stats.pages_by_shop.begin(), stats.pages_by_shop.end(),
                                           [&](const auto& shop) { return shop.first.find(plan_.host) != std::string::npos; });
    return {};
  }

  void found(const fs::path& file, std::string_view what) {
    if (report_.found.size() >= ForgetReport::kFoundMax) return;
    report_.found.push_back(fmt::format("{}: {}", file.lexically_relative(collection_.folder().path()).string(), what));
  }

  Result<void> search_file(const fs::path& file) {
    std::error_code gone;
    const std::uintmax_t size = fs::file_size(file, gone);
    if (gone) return {};  // a merge, or a commit's old file
    ++report_.files;
    report_.bytes += size;
    return file.string().ends_with(".warc.gz") ? search_archive(file) : search_bytes(file);
  }

  Result<void> search_archive(const fs::path& file) {
    MAGPIE_TRY(WarcReader reader, WarcReader::open(file));
    while (true) {
      MAGPIE_TRY(std::optional<WarcItem> item, reader.next());
      if (!item) return {};
      const WarcRecord& record = item->record;
      if (!item->damage.empty()) {
        found(file, fmt::format("does not read at {}: {}", record.offset, item->damage));
        continue;
      }
      if (gone_.has(record.target_uri)) found(file, record.target_uri);
      if (!contents_.empty() && contents_.contains(sha256(record.http_body()))) found(file, "a picture's bytes");
      std::string header(record.http_header());
      std::string text = is_text_answer(header) ? header + std::string(record.http_body()) : std::move(header);
      if (gone_.overwrite(text, record.target_uri) > 0) found(file, fmt::format("named by {}", record.target_uri));
    }
  }

  Result<void> search_bytes(const fs::path& file) {
    const bool is_log = file.filename() == "log.mfl";  // looked through entry by entry
    const bool has_hosts =
        !plan_.host.empty() && !host_is_part_of_another_ && file.string().starts_with(collection_.folder().index().string());
    std::ifstream in(file, std::ios::binary);
    std::string piece, tail;
    while (in) {
      piece = tail;
      const std::size_t before = piece.size();
      piece.resize(before + kPieceBytes);
      in.read(piece.data() + before, static_cast<std::streamsize>(kPieceBytes));
      piece.resize(before + static_cast<std::size_t>(in.gcount()));
      digests_.each(
          piece, [&](std::size_t, const std::string& word) { found(file, word.size() == sizeof(Sha256) ? "a picture's SHA-256" : word); });
      if (!is_log) search_addresses(file, piece);
      if (has_hosts && piece.find(plan_.host) != std::string::npos) found(file, plan_.host);
      tail = piece.substr(piece.size() - std::min(piece.size(), kOverlapBytes));
    }
    if (in.bad()) return fail(Code::kUnavailable, "{} does not read", file.string());
    return {};
  }

  void search_addresses(const fs::path& file, std::string_view text) {
    for (std::size_t at = text.find("//"); at != std::string_view::npos; at = text.find("//", at + 2)) {
      const std::string_view rest = text.substr(at, kOverlapBytes / 2);
      if (!plan_.host.empty() && rest.substr(2).starts_with(plan_.host) && !goes_on_as_a_host(rest.substr(2 + plan_.host.size())))
        found(file, plan_.host);
      for (const std::size_t length : lengths_) {
        if (length > rest.size()) break;
        const auto one = addresses_.find(std::string(rest.substr(0, length)));
        if (one != addresses_.end() && !is_beginning_of_known(text.substr(0, at), rest, length)) found(file, *one);
      }
    }
  }

  static bool goes_on_as_a_host(std::string_view rest) {
    const char next = rest.empty() ? ' ' : ascii_lower(rest.front());
    return (next >= 'a' && next <= 'z') || (next >= '0' && next <= '9') || next == '.' || next == '-' || next == ':';
  }
  /// Whether a longer address stands there that is kept.
  bool is_beginning_of_known(std::string_view before, std::string_view rest, std::size_t length) const {
    const std::string scheme = before.ends_with("https:") ? "https:" : "http:";
    for (std::size_t longer = length + 1; longer <= rest.size() && static_cast<unsigned char>(rest[longer - 1]) > ' '; ++longer) {
      const auto known = collection_.catalog().why(scheme + std::string(rest.substr(0, longer)));
      if (known && *known) return true;
    }
    return false;
  }

  Collection& collection_;
  const ForgetPlan& plan_;
  const GoneAddresses gone_;
  const std::set<Sha256> contents_;
  Words digests_;
  std::unordered_set<std::string> addresses_;  // without their schemes
  std::set<std::size_t> lengths_;              // of those
  bool host_is_part_of_another_ = false;
  ForgetReport& report_;
};

}  // namespace

bool is_text_answer(std::string_view header_block) {
  const std::string header = ascii_lowered(header_block);
  const std::size_t at = header.find("\ncontent-type:");
  if (at == std::string::npos) return true;
  const std::string_view type = std::string_view(header).substr(at + 14, header.find('\n', at + 1) - at - 14);
  constexpr std::array<std::string_view, 4> kTexts = {"text/", "json", "xml", "javascript"};
  return std::any_of(kTexts.begin(), kTexts.end(), [&](std::string_view word) { return type.find(word) != std::string_view::npos; });
}

Result<void> search_for_forgotten(Collection& collection, const ForgetPlan& plan, const std::set<std::string>& digests,
                                  ForgetReport& report) {
  return Search(collection, plan, digests, report).run();
}

}  // namespace magpie
