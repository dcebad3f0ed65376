// Router::nearest, for explain.
#include <algorithm>

#include "libgateway/route/condition.hpp"
#include "libgateway/route/router.hpp"
#include "libgateway/route/search.hpp"

namespace gateway::route {
namespace {

constexpr std::size_t visit_limit = 20'000;

// Keeps the first word about each route until there are enough.
class Misses {
public:
    Misses(const MatchInput& input, std::size_t limit) : input_(input), limit_(limit) {}

    // True when nothing more is wanted.
    bool add(const Entry& entry, std::string failed) {
        const bool known =
            std::any_of(found_.begin(), found_.end(), [&](const NearMiss& m) { return m.rule == entry.rule; });
        if (!known && !full()) found_.push_back({entry.rule, entry.pattern.text(), std::move(failed)});
        return ++visits_ >= visit_limit || full();
    }
    // An entry beside the path, for later: of these the ones that share most of it count.
    bool add_beside(const Entry& entry) {
        const std::string_view literal = entry.pattern.literal();
        beside_.push_back({&entry, ForwardKey(input_.path).common(0, literal)});
        return ++visits_ >= visit_limit;
    }
    void settle_beside() {
        std::stable_sort(beside_.begin(), beside_.end(),
                         [](const Beside& a, const Beside& b) { return a.shared > b.shared; });
        for (const Beside& one : beside_) add(*one.entry, "path");
    }
    // An entry whose group is on the path.
    bool add_on_path(const Entry& entry) {
        std::string failed = first_failure(entry, input_);
        return add(entry, failed.empty() ? "order" : std::move(failed));
    }
    bool full() const noexcept { return found_.size() >= limit_; }
    std::vector<NearMiss> take() { return std::move(found_); }

private:
    struct Beside {
        const Entry* entry;
        std::size_t shared;
    };
    const MatchInput& input_;
    std::size_t limit_, visits_ = 0;
    std::vector<NearMiss> found_;
    std::vector<Beside> beside_;
};

}  // namespace

std::vector<NearMiss> Router::nearest(const MatchInput& input, std::size_t limit) const {
    Misses misses(input, limit);
    // What the live search looks at, then entries of the same groups for other hosts, then neighbours on the path.
    search_all(*this, input, [&](const Entry& entry) { return misses.add_on_path(entry); });
    const auto on_path = [&](const EntryGroup& group) {
        return group.visit_all([&](const Entry& entry) { return misses.add_on_path(entry); });
    };
    const auto same_path = [&](const PathIndex& index) { return index.visit(ForwardKey(input.path), on_path); };
    if (!misses.full()) same_path(paths_) || hosts_.visit_all(same_path);
    // A few of each index: its nearest come first.
    const auto neighbours = [&](const PathIndex& index) {
        std::size_t taken = 0;
        bool enough = false;
        index.visit_nearest(input.path, [&](const EntryGroup& group) {
            return group.visit_all([&](const Entry& entry) {
                enough = misses.add_beside(entry);
                return enough || ++taken >= 4 * limit;
            });
        });
        return enough;
    };
    if (!misses.full()) {
        neighbours(paths_) || hosts_.visit_all(neighbours);
        misses.settle_beside();
    }
    return misses.take();
}

}  // namespace gateway::route
