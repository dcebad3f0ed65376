// A small document for tests: objects by kind and id, and the deltas that lead to it.
#pragma once

#include <chrono>
#include <list>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "libgateway/config/delta.hpp"
#include "libgateway/route/match.hpp"
#include "libgateway/snapshot/snapshot.hpp"
#include "libgateway/upstream/endpoint.hpp"

namespace gateway::test {

using config::Kind;

class Document {
public:
    // Changes gather until delta() or full().
    Document& put(Kind kind, std::string id, std::string json, std::uint64_t order = 0) {
        drop(kind, id);
        const Object& made = objects_[{kind, id}] = {std::move(json), order ? order : ++last_order_};
        digest_.add(config::hash_of(change_of(kind, id, made)));
        changed_.emplace_back(kind, std::move(id));
        return *this;
    }
    Document& remove(Kind kind, std::string id) {
        drop(kind, id);
        objects_.erase({kind, id});
        changed_.emplace_back(kind, std::move(id));
        return *this;
    }
    // Only what changed since the last delta or full document.
    std::vector<char> delta() {
        std::vector<char> bytes;
        config::DeltaWriter writer(bytes);
        writer.begin(revision_, revision_ + 1);
        ++revision_;
        for (const auto& [kind, id] : changed_) {
            const auto found = objects_.find({kind, id});
            writer.add(found == objects_.end() ? config::Change{kind, true, id, 0, {}}
                                               : change_of(kind, id, found->second));
        }
        changed_.clear();
        writer.finish(digest_);
        return bytes;
    }
    std::vector<char> full() {
        std::vector<char> bytes;
        config::DeltaWriter writer(bytes);
        writer.begin(0, ++revision_);
        for (const auto& [key, object] : objects_) writer.add(change_of(key.first, key.second, object));
        changed_.clear();
        writer.finish(digest_);
        return bytes;
    }
    const config::Digest& digest() const { return digest_; }
    std::uint64_t revision() const { return revision_; }

private:
    struct Object {
        std::string json;
        std::uint64_t order = 0;
    };
    static config::Change change_of(Kind kind, std::string_view id, const Object& object) {
        return {kind, false, id, object.order, object.json};
    }
    void drop(Kind kind, const std::string& id) {
        const auto found = objects_.find({kind, id});
        if (found != objects_.end()) digest_.remove(config::hash_of(change_of(kind, id, found->second)));
    }
    std::map<std::pair<Kind, std::string>, Object> objects_;
    std::vector<std::pair<Kind, std::string>> changed_;
    config::Digest digest_;
    std::uint64_t revision_ = 0, last_order_ = 0;
};

// One worker's side: takes over what the document becomes.
class Worker {
public:
    Document document;
    SnapshotPtr snapshot;

    // Throws what the builder throws; `snapshot` is as before then.
    const Snapshot& apply(const std::vector<char>& delta) {
        SnapshotBuilder builder(snapshot, endpoints_);
        builder.feed(delta);
        while (!builder.advance(std::chrono::microseconds(50))) {
        }
        snapshot = builder.take();
        return *snapshot;
    }
    const Snapshot& update() { return apply(document.delta()); }
    const Snapshot& reload() { return apply(document.full()); }

    const route::RouteRule* match(std::string_view path, std::string_view host = "_") const {
        route::MatchInput input;
        input.path = path;
        input.host = input.raw_host = host;
        const route::RouteMatch found = snapshot->router().find(input);
        return found.rule();
    }
    std::string id_for(std::string_view path, std::string_view host = "_") const {
        const route::RouteRule* rule = match(path, host);
        return rule ? rule->id : "none";
    }
    // A copy, as an exchange pins it.
    Ref<const CompiledRoute> compiled(std::string_view path, std::string_view host = "_") const {
        return snapshot->compiled(*match(path, host));
    }
    const upstream::EndpointTable& endpoints() const { return endpoints_; }

private:
    upstream::EndpointTable endpoints_;
};

}  // namespace gateway::test
