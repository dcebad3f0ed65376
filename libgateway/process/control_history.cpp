#include "libgateway/process/control_history.hpp"

#include <fmt/format.h>

#include "libgateway/base/strings.hpp"
#include "libgateway/config/read_file.hpp"
#include "libgateway/process/control_file_form.hpp"

namespace gateway::process {

using config::Kind;
using control::Answer;
using control::Request;
using control::Status;

namespace {

constexpr std::uint64_t rows_by_default = 20;

// Among objects of one kind: the store brings them back, etcd gives them anew.
enum class Ranks : std::uint8_t { kept, of_etcd };

json::Value text_or_null(const std::string& text) {
    return text.empty() ? json::Value() : json::Value(text);
}

json::Value row_of(const store::Revision& revision) {
    return json::Value::object({{"revision", revision.number},
                                {"time", time_text(revision.at_ms)},
                                {"author", json::Value(revision.author.name)},
                                {"from", text_or_null(revision.author.from)},
                                {"action", json::Value(revision.action)},
                                {"source", text_or_null(revision.source)},
                                {"changes", revision.changes},
                                {"digest", json::Value(revision.digest)}});
}

json::Value rows_of(const store::Difference& difference, const keyring::Keyring& ring) {
    json::Value rows = json::Value::array();
    for (const store::ObjectChange& change : difference) {
        json::Value before, after;
        if (change.before) before = content_of(change.kind, change.id, change.before->json, ring);
        if (change.after) after = content_of(change.kind, change.id, change.after->json, ring);
        json::Value row =
            change_row({change.kind, change.id}, change.before ? &before : nullptr, change.after ? &after : nullptr);
        row.set("owner", change.layer == store::Layer::file ? "file" : "store");
        rows.push(std::move(row));
    }
    return rows;
}

// An argument that is a whole number, if it is given; false if it is none.
bool read_number(const Request& request, std::string_view name, std::optional<std::uint64_t>& number) {
    if (!request.arguments.find(name)) return true;
    number = parse_decimal<std::uint64_t>(request.text(name));
    return number.has_value();
}

Answer good(const json::Value& result) {
    Answer answer;
    answer.result = json::write(result);
    return answer;
}

std::string not_kept(std::uint64_t number, std::uint64_t oldest) {
    return fmt::format("revision {} is not in the history, whose oldest is {}", number, oldest);
}

// Work on the store, with its failure as an answer. `work` returns an Answer.
template <class Work>
asio::awaitable<Answer> ask_store(Control& control, Work work) {
    if (!control.store().usable()) co_return control::refuse(Status::refused, control.store().problem());
    std::string why;
    try {
        Answer answer = co_await control.store().with(std::move(work));
        co_return answer;
    } catch (const std::exception& error) {
        why = error.what();
    }
    co_return control::refuse(Status::refused, why);
}

Answer one_revision(store::Store& store, std::uint64_t number, const keyring::Keyring& ring) {
    const auto revision = store.revision(number);
    if (!revision) return control::refuse(Status::refused, not_kept(number, store.oldest()));
    json::Value row = row_of(*revision);
    row.set("difference", rows_of(store.difference(number), ring));
    return good(row);
}

Answer newest_revisions(store::Store& store, std::uint64_t most) {
    json::Value rows = json::Value::array();
    for (const store::Revision& revision : store.history(most)) rows.push(row_of(revision));
    return good(rows);
}

// What an object was at a past revision, by what the history says of it and by what it is now.
class PastContents {
public:
    PastContents(const Catalogue& now, const store::Past& past) : now_(now), past_(past), ring_(*now.keyring()) {}

    // Objects that changed since, as they are in force now and as they were.
    void collect(Contents& then, Contents& today) const {
        for (const auto& entry : past_) {
            const auto& [layer, kind, id] = entry.first;
            if (!config::is_listed(kind)) continue;
            const Catalogue::Key key{kind, id};
            if (const auto text = text_then(key)) then[key] = content_of(kind, id, *text, ring_);
            if (const auto object = now_.document().find(kind, id))
                today[key] = content_of(kind, id, object->json, ring_);
        }
    }
    // The one of the file hides the one of the store.
    std::optional<std::string> text_then(const Catalogue::Key& key) const {
        auto text = text_then(store::Layer::file, key);
        return text ? text : text_then(store::Layer::store, key);
    }
    std::optional<std::string> text_then(store::Layer layer, const Catalogue::Key& key) const {
        const auto found = past_.find({layer, key.first, key.second});
        if (found == past_.end()) return text_now(layer, key);
        return found->second ? std::optional(found->second->json) : std::nullopt;
    }

private:
    std::optional<std::string> text_now(store::Layer layer, const Catalogue::Key& key) const {
        if (layer == store::Layer::file) {
            const auto object = now_.file().find(key.first, key.second);
            return object ? std::optional(object->json) : std::nullopt;
        }
        const auto found = now_.shelf().find(key);
        const bool stored = found != now_.shelf().end() && found->second.stored;
        return stored ? std::optional(found->second.stored->json) : std::nullopt;
    }
    const Catalogue& now_;
    const store::Past& past_;
    const keyring::Keyring& ring_;
};

struct PastAnswer {
    store::Past past;
    std::string problem;
};
asio::awaitable<PastAnswer> past_since(Control& control, std::uint64_t number) {
    PastAnswer result;
    if (!control.store().usable()) {
        result.problem = control.store().problem();
        co_return result;
    }
    auto work = [number](store::Store& store) {
        PastAnswer found;
        if (!store.revision(number)) found.problem = not_kept(number, store.oldest());
        if (found.problem.empty()) found.past = store.since(number);
        return found;
    };
    try {
        result = co_await control.store().with(work);
    } catch (const std::exception& error) {
        result.problem = error.what();
    }
    co_return result;
}

// Objects of a file in the form of a route file; errors if it is none.
Contents contents_of_file(const Catalogue& in_force, std::string_view text, const std::string& name,
                          std::vector<std::string>& errors) {
    const sources::RouteFileResult result =
        sources::parse_route_file(text, {name, false, false, false}, rules_for(in_force.settings(), in_force.keyring()),
                                  config::process_environment(), {});
    for (const config::Diagnostic& one : result.diagnostics.list()) {
        if (one.severity == config::Severity::error) errors.push_back(one.text());
    }
    return result.document ? contents_of(*result.document, *in_force.keyring()) : Contents();
}

// From a past revision, or from what is in force, to a file, or to what is in force.
Answer compare(const Catalogue& in_force, const std::optional<store::Past>& past,
               const std::optional<std::string>& text, const std::string& name) {
    Contents before, after;
    const bool own_file = text && name == in_force.route_file() && !in_force.settings().etcd_provider();
    if (!past) {
        before = contents_of(own_file ? in_force.file() : in_force.document(), *in_force.keyring());
    } else {
        Contents today;
        if (text) before = contents_of(in_force.document(), *in_force.keyring());
        for (const auto& entry : *past) before.erase({std::get<1>(entry.first), std::get<2>(entry.first)});
        PastContents(in_force, *past).collect(before, today);
        if (!text) after = std::move(today);
    }
    std::vector<std::string> errors;
    if (text) after = contents_of_file(in_force, *text, name, errors);
    Answer answer = good(changes_between(before, after));
    if (!errors.empty()) answer = {Status::refused, std::move(errors), "null"};
    return answer;
}

bool same_content(const Catalogue::Key& key, const std::optional<std::string>& a, const std::optional<std::string>& b,
                  const keyring::Keyring& ring) {
    if (!a || !b) return a.has_value() == b.has_value();
    if (!config::is_listed(key.first)) return true;
    return *a == *b ||
           json::equal(content_of(key.first, key.second, *a, ring), content_of(key.first, key.second, *b, ring));
}

// What would have to be done to the route file; one line for each of its objects that differ.
std::string demand(const Catalogue& now, const Catalogue::Key& key, const std::optional<std::string>& then) {
    const std::string name = fmt::format("{} [{}]", config::kind_name(key.first), key.second);
    const std::string place =
        now.file().find(key.first, key.second) ? now.place_of(key.first, key.second) : now.route_file();
    if (!then) return fmt::format("{}: {} would have to be removed", place, name);
    const json::Value content = content_of(key.first, key.second, *then, *now.keyring());
    const json::Value row = change_row(key, nullptr, &content);
    const bool there = now.file().find(key.first, key.second) != nullptr;
    return fmt::format("{}: {} would have to be {}: {}", place, name, there ? "changed to" : "added",
                       json::write(*row.find("after")));
}

// Whether an object of the store stands there as it did. Ranks are etcd's own: they tell when a key was made.
bool stands(const store::Side& then, const Catalogue::Shelved& now, Ranks ranks) {
    const bool same = then.json == now.stored->json && then.expires_ms == now.stored->expires_ms;
    return same && (ranks == Ranks::of_etcd || then.order == now.order);
}

// It is written only if nobody changed the object meanwhile.
store::Edit edit_back(const Catalogue::Key& key, const std::optional<store::Side>& then, const Catalogue::Shelved* now,
                      Ranks ranks) {
    store::Edit edit{key.first, key.second, std::nullopt, now ? now->stored->modified : 0, 0, 0};
    if (!then) return edit;
    edit.json = then->json;
    edit.expires_ms = then->expires_ms;
    if (ranks == Ranks::kept) edit.rank = then->order;
    edit.keeps_end = ranks == Ranks::of_etcd;  // the history does not know of leases
    return edit;
}

struct RollbackPlan {
    std::vector<store::Edit> edits;
    std::vector<std::string> demands;
};
RollbackPlan plan_rollback(const Catalogue& now, const store::Past& past, Ranks ranks) {
    RollbackPlan plan;
    const PastContents contents(now, past);
    for (const auto& [which, side] : past) {
        const auto& [layer, kind, id] = which;
        const Catalogue::Key key{kind, id};
        if (layer == store::Layer::file) {
            const auto object = now.file().find(kind, id);
            const auto today = object ? std::optional(object->json) : std::nullopt;
            const auto then = contents.text_then(layer, key);
            if (config::is_listed(kind) && !same_content(key, then, today, *now.keyring()))
                plan.demands.push_back(demand(now, key, then));
            continue;
        }
        const auto shelved = now.shelf().find(key);
        const bool there = shelved != now.shelf().end() && shelved->second.stored;
        if (!side && !there) continue;
        if (side && there && stands(*side, shelved->second, ranks)) continue;
        plan.edits.push_back(edit_back(key, side, there ? &shelved->second : nullptr, ranks));
    }
    return plan;
}

}  // namespace

asio::awaitable<Answer> history_command(Control& control, const Request& request) {
    std::optional<std::uint64_t> number, most;
    if (!read_number(request, "revision", number) || !read_number(request, "count", most))
        co_return control::refuse(Status::usage, "usage: gatewayctl history [-n COUNT] [REVISION]");
    const KeyringPtr ring = control.catalogue().keyring();
    const std::uint64_t count = std::min<std::uint64_t>(most.value_or(rows_by_default), 1'000'000);
    auto work = [number, count, ring](store::Store& store) {
        return number ? one_revision(store, *number, *ring) : newest_revisions(store, count);
    };
    Answer answer = co_await ask_store(control, std::move(work));
    co_return answer;
}

asio::awaitable<Answer> diff_command(Control& control, const Request& request) {
    if (request.arguments.find("replay")) {
        Answer sides = co_await replay_answer(control, request);
        co_return sides;
    }
    std::optional<std::uint64_t> number;
    if (!read_number(request, "revision", number))
        co_return control::refuse(Status::usage, "usage: gatewayctl diff [--rev N] [FILE]");
    if (control.with_etcd() && !number && !request.arguments.find("content"))
        co_return control::refuse(Status::usage, std::string(no_route_file));
    const Turnstile::Pass pass = co_await control.enter_writes();
    const Catalogue& now = control.catalogue();
    if (!now.keyring()) co_return control::refuse(Status::refused, "the keyring is not known: the static file is bad");
    std::optional<store::Past> past;
    if (number) {
        PastAnswer found = co_await past_since(control, *number);
        if (!found.problem.empty()) co_return control::refuse(Status::refused, found.problem);
        past = std::move(found.past);
    }
    std::optional<std::string> text;
    std::string name = now.route_file();
    if (request.arguments.find("content")) {
        text = request.text("content");
        name = request.text("file");
    } else if (!number) {
        text.emplace();
        if (const int error = config::read_file(name, *text))
            co_return control::refuse(Status::refused, name + ": " + config::why_unreadable(name, error));
    }
    auto work = [&now, past = std::move(past), text = std::move(text), name] { return compare(now, past, text, name); };
    Answer answer = co_await on_thread(control.builder(), std::move(work));
    co_return answer;
}

asio::awaitable<Answer> rollback_command(Control& control, const Request& request) {
    std::optional<std::uint64_t> number;
    if (!read_number(request, "revision", number) || !number)
        co_return control::refuse(Status::usage, "usage: gatewayctl rollback REVISION");
    store::Author author{"gatewayctl", ""};
    Answer answer = co_await roll_back(control, *number, std::move(author));
    co_return answer;
}

asio::awaitable<Answer> roll_back(Control& control, std::uint64_t number, store::Author author) {
    const Turnstile::Pass pass = co_await control.enter_writes();
    const Catalogue& now = control.catalogue();
    if (!now.keyring()) co_return control::refuse(Status::refused, "the keyring is not known: the static file is bad");
    PastAnswer found = co_await past_since(control, number);
    if (!found.problem.empty()) co_return control::refuse(Status::refused, found.problem);
    const Ranks ranks = control.with_etcd() ? Ranks::of_etcd : Ranks::kept;
    auto work = [&now, past = std::move(found.past), ranks] { return plan_rollback(now, past, ranks); };
    RollbackPlan plan = co_await on_thread(control.builder(), std::move(work));
    if (!plan.demands.empty()) {
        Answer answer = control::refuse(Status::refused, "objects of the route file differ; change it first:");
        answer.errors.insert(answer.errors.end(), plan.demands.begin(), plan.demands.end());
        co_return answer;
    }
    Control::Cause cause{"rollback", std::move(author)};
    cause.source = fmt::format("revision {}", number);
    cause.ends_trial = control.trial().has_value();
    const Control::Outcome outcome = co_await control.change_now(std::move(plan.edits), std::move(cause));
    co_return answer_of(control, outcome);
}

}  // namespace gateway::process
