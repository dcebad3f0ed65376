#include "libgateway/process/control_etcd.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/detached.hpp>

#include "libgateway/base/clock.hpp"
#include "libgateway/base/hash.hpp"
#include "libgateway/base/log.hpp"
#include "libgateway/etcd/layout.hpp"

namespace gateway::process {

namespace {

using config::Kind;

constexpr auto longest_write = std::chrono::milliseconds(5'000);  // other changes wait meanwhile
constexpr std::size_t most_tried_again = 100;
constexpr std::uint64_t store_bit = std::uint64_t{1} << 63;

etcd::Options for_writing(etcd::Options options) {
    options.timeout = std::min(options.timeout, longest_write);
    return options;
}

// In the order of creation on every machine; those of one revision in an order that is the same everywhere too.
std::uint64_t rank_of(std::uint64_t created, std::string_view id) {
    return store_bit | (created << 8) | (hash128(id).low & 0xff);
}

std::string name_of(const Catalogue::Key& key) {
    return fmt::format("{} [{}]", config::kind_name(key.first), key.second);
}

// The advice for a transaction that is beyond etcd's limits; empty if that was not the failure. Nothing was written
// then. A limit of ours would only guess: etcd does not tell what it was started with.
std::string over_the_limit(std::string_view failure, std::size_t writes) {
    const auto says = [&](std::string_view text) { return failure.find(text) != failure.npos; };
    if (says("too many operations in txn request"))
        return fmt::format(
            "etcd does not take {} writes as one (its --max-txn-ops is 128 by default): start every "
            "member of it with a higher --max-txn-ops, or write fewer objects at once; nothing was "
            "written",
            writes);
    if (says("request is too large") || says("larger than max"))
        return fmt::format(
            "etcd does not take {} writes of this size as one (its --max-request-bytes is 1.5 MiB by "
            "default): start every member of it with a higher --max-request-bytes, or write fewer "
            "objects at once; nothing was written",
            writes);
    return {};
}

}  // namespace

EtcdSource::EtcdSource(asio::io_context& loop, const config::EtcdSettings& settings, Take take,
                       std::function<void()> changed)
    : loop_(loop),
      patience_(settings.startup_retry),
      prefix_(settings.prefix),
      take_(std::move(take)),
      changed_(std::move(changed)),
      reader_(loop, etcd::options_of(settings)),
      writer_(loop, for_writing(etcd::options_of(settings))),
      mirror_(loop, reader_, *this) {}

void EtcdSource::run() {
    asio::co_spawn(loop_, mirror_.run(), asio::detached);
}

asio::awaitable<std::optional<std::vector<store::Entry>>> EtcdSource::first(std::chrono::milliseconds limit) {
    const auto deadline = std::chrono::steady_clock::now() + limit;
    asio::steady_timer tick(loop_);
    while (!first_ && mirror_.failures() <= patience_ && std::chrono::steady_clock::now() < deadline) {
        tick.expires_after(std::chrono::milliseconds(5));
        co_await tick.async_wait(quietly);
    }
    waiting_ = false;
    if (!first_) co_return std::nullopt;
    std::vector<store::Entry> entries;
    for (Incoming& one : *first_) {
        const store::Stored stored{one.edit.kind, one.edit.id, std::move(*one.edit.json), one.created, one.modified, 0};
        entries.push_back({std::make_shared<const store::Stored>(stored), one.edit.rank});
    }
    first_.reset();
    complete_ = true;
    co_return entries;
}

EtcdGauges EtcdSource::gauges() const {
    EtcdGauges all = gauges_;
    all.reachable = problem_.empty();
    all.followed = mirror_.revision();
    all.store = std::max(all.store, all.followed);
    return all;
}

void EtcdSource::note(const etcd::Entry& entry) {
    const auto name = etcd::object_name(prefix_, entry.key);
    if (name && !etcd::is_placeholder(entry.key, entry.value)) gauges_.note(name->list, entry.modified);
}

std::optional<Incoming> EtcdSource::incoming_of(etcd::Event event) {
    etcd::Entry& entry = event.entry;
    const auto name = etcd::object_name(prefix_, entry.key);
    if (!name || name->id.empty() || etcd::is_placeholder(entry.key, entry.value)) return std::nullopt;
    Kind kind{};
    if (!config::parse_kind(name->list, kind) || !config::is_listed(kind) || config::list_name(kind) != name->list) {
        if (unknown_.emplace(name->list).second)
            log::warn("etcd: {}/{} is nothing that this build knows: it is ignored", prefix_, name->list);
        return std::nullopt;
    }
    Incoming object{{kind, std::string(name->id), std::nullopt, std::nullopt, 0, 0}, entry.created, entry.modified};
    if (event.removed) return object;
    object.edit.rank = rank_of(entry.created, name->id);
    object.edit.json = std::move(entry.value);
    return object;
}

asio::awaitable<void> EtcdSource::replace(std::vector<etcd::Entry> all, std::uint64_t) {
    std::vector<Incoming> objects;
    gauges_.newest = {};
    for (etcd::Entry& entry : all) {
        note(entry);
        auto object = incoming_of({false, std::move(entry)});
        if (object) objects.push_back(std::move(*object));
    }
    loaded_ = true;
    if (waiting_) {
        problem_.clear();
        first_ = std::move(objects);
        waiting_ = false;
        co_return;
    }
    // Nothing is written here before it is known what etcd has.
    co_await take_(std::move(objects), true);
    problem_.clear();
    changed_();
}

// Of a key that changed more than once only the last state counts.
asio::awaitable<void> EtcdSource::change(std::vector<etcd::Event> events, std::uint64_t) {
    std::vector<Incoming> objects;
    std::map<Catalogue::Key, std::size_t> places;
    for (etcd::Event& event : events) {
        if (!event.removed) note(event.entry);
        auto object = incoming_of(std::move(event));
        if (!object) continue;
        const auto [place, fresh] = places.emplace(Catalogue::Key{object->edit.kind, object->edit.id}, objects.size());
        if (fresh)
            objects.push_back(std::move(*object));
        else
            objects[place->second] = std::move(*object);
    }
    if (!objects.empty()) co_await take_(std::move(objects), false);
}

void EtcdSource::synchronised() {
    problem_.clear();
    changed_();
    log::notice("etcd: {} is followed", address());
}

void EtcdSource::lost(const std::string& why) {
    problem_ = why;
    changed_();
    log::warn("etcd cannot be followed: {}; what is in force stays", why);
}

namespace {

// What is in force and not named is gone.
void add_missing(const std::set<Catalogue::Key>& named, const Catalogue::Shelf& shelf, std::vector<Incoming>& objects) {
    for (const auto& one : shelf) {
        const Catalogue::Key& key = one.first;
        if (named.count(key) == 0) objects.push_back({{key.first, key.second, std::nullopt, std::nullopt, 0, 0}, 0, 0});
    }
}

}  // namespace

std::vector<Incoming> EtcdSource::news(std::vector<Incoming> objects, bool whole, const Catalogue::Shelf& shelf) {
    std::set<Catalogue::Key> named;
    std::erase_if(removed_, [this](const auto& one) { return one.second <= mirror_.revision(); });
    std::erase_if(objects, [&](const Incoming& object) {
        const Catalogue::Key key{object.edit.kind, object.edit.id};
        if (object.edit.json) named.insert(key);
        refused_.erase(key);
        const auto found = shelf.find(key);
        const bool there = found != shelf.end();
        const std::uint64_t has = there && found->second.stored ? found->second.stored->modified : 0;
        if (!object.edit.json) return !there || has > object.modified;
        const auto gone = removed_.find(key);
        return has >= object.modified || (gone != removed_.end() && gone->second >= object.modified);
    });
    if (whole) add_missing(named, shelf, objects);
    if (whole) std::erase_if(refused_, [&](const auto& one) { return named.count(one.first) == 0; });
    // A consumer that goes takes its credentials along; then they must be gone already.
    std::stable_partition(objects.begin(), objects.end(), [](const Incoming& object) {
        return !object.edit.json && object.edit.id.find('/') != std::string::npos;
    });
    // What was refused for want of another object may be good now.
    std::size_t again = 0;
    for (const auto& [key, one] : refused_) {
        if (!objects.empty() && again++ < most_tried_again) objects.push_back(one.object);
    }
    return objects;
}

void EtcdSource::refused(const Incoming& object, const std::string& why) {
    Refused& kept = refused_[{object.edit.kind, object.edit.id}];
    if (kept.why != why) log::error("etcd: {}; it stays as it was", why);
    kept = {object, why, wall_ms()};
}

std::vector<Catalogue::LeftOut> EtcdSource::left_out() const {
    std::vector<Catalogue::LeftOut> list;
    for (const auto& [key, one] : refused_)
        list.push_back({{std::string(config::list_name(key.first)), key.second, one.why}, one.since_ms});
    return list;
}

asio::awaitable<std::string> EtcdSource::commit(Draft& draft) {
    draft.status = store::WriteStatus::unavailable;
    std::string why;
    try {
        const etcd::Committed result = co_await send(draft);
        gauges_.store = std::max(gauges_.store, result.revision);
        if (result.done) {
            draft.stamp(result.revision);
            for (const Draft::Step& step : draft.steps) {
                if (step.fresh) step.fresh->expires_ms = 0;  // the lease ends it
                if (!step.after.there()) removed_[step.key] = result.revision;
            }
            draft.status = store::WriteStatus::ok;
            co_return std::string();
        }
        draft.status = store::WriteStatus::conflict;
        why = lost_race(draft, result.found);
    } catch (const etcd::Failure& failure) {
        why = over_the_limit(failure.what(), draft.steps.size());
        if (!why.empty()) draft.status = store::WriteStatus::refused;
        const bool told = failure.cause == etcd::Cause::refused || failure.cause == etcd::Cause::denied;
        const bool unsure = why.empty() && failure.sent && !told;
        if (why.empty()) why = std::string("etcd: ") + failure.what();
        if (unsure) why += "; whether it was carried out is not known";
    }
    co_return why;
}

// The first object that is not what was expected: others changed it, and the watch has not told yet.
std::string EtcdSource::lost_race(const Draft& draft, const std::vector<etcd::Entry>& found) const {
    std::string text = "value changed before overwritten";
    for (const Draft::Step& step : draft.steps) {
        if (!step.expected) continue;
        const auto same = [key = key_of(step)](const etcd::Entry& entry) { return entry.key == key; };
        const auto entry = std::find_if(found.begin(), found.end(), same);
        const std::uint64_t has = entry == found.end() ? 0 : entry->modified;
        if (has == *step.expected) continue;
        text += ": " + name_of(step.key);
        return text + (has == 0 ? " is gone" : fmt::format(" has revision {}, expected {}", has, *step.expected));
    }
    return text;
}

std::string EtcdSource::key_of(const Draft::Step& step) const {
    return etcd::object_key(prefix_, config::list_name(step.key.first), step.key.second);
}

asio::awaitable<etcd::Committed> EtcdSource::send(const Draft& draft) {
    std::int64_t lease = 0, life = 0;
    for (const Draft::Step& step : draft.steps) {
        const std::int64_t end = step.fresh ? step.fresh->expires_ms : 0;
        if (end != 0) life = std::max<std::int64_t>(1, (end - wall_ms() + 999) / 1000);
    }
    if (life != 0) lease = co_await writer_.grant(std::chrono::seconds(life));
    std::vector<etcd::Write> writes = writes_of(draft, lease);
    const etcd::Committed result = co_await writer_.commit(std::move(writes));
    co_return result;
}

std::vector<etcd::Write> EtcdSource::writes_of(const Draft& draft, std::int64_t lease) const {
    std::vector<etcd::Write> writes;
    for (const Draft::Step& step : draft.steps) {
        if (!step.before.there() && !step.after.there()) continue;
        etcd::Write write{key_of(step), std::nullopt, step.expected, 0};
        if (step.after.stored) write.value = step.after.stored->json;
        if (step.fresh && step.fresh->expires_ms != 0) write.lease = lease;
        write.keeps_lease = step.keeps_end && step.expected.value_or(0) != 0;
        writes.push_back(std::move(write));
    }
    return writes;
}

}  // namespace gateway::process
