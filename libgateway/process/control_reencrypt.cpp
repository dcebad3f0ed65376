// keys reencrypt --store: the secrets of the store written anew with the first key, as one revision.
#include <map>

#include "libgateway/process/control_file_form.hpp"
#include "libgateway/process/control_history.hpp"
#include "libgateway/sources/reencrypt.hpp"

namespace gateway::process {

using control::Answer;
using control::Request;
using control::Status;
using sources::SecretState;

namespace {

struct Reencryption {
    std::vector<store::Edit> edits;
    sources::SecretsReport report;
    std::vector<std::string> skipped;  // objects that cannot be written now
};

// The file hides an object of the store, or the checks of today refuse it: then nothing can be written to it.
bool writable(const Catalogue& now, const Catalogue::Key& key, const Catalogue::Shelved& shelved) {
    return shelved.object && !now.file().find(key.first, key.second);
}

store::Edit edit_of(const Catalogue::Shelved& shelved, json::Value item) {
    const store::Stored& kept = *shelved.stored;
    const json::Value before = json::parse(kept.json);
    const json::Value* id = before.find("id");
    if (id) item.set("id", *id);
    if (!id) item.erase("id");
    return {kept.kind, kept.id, json::write(item), kept.modified, kept.expires_ms, shelved.order, true};
}

Reencryption think(const Catalogue& now) {
    Reencryption result;
    std::vector<store::StoredPtr> objects;
    std::map<config::Kind, std::vector<const Catalogue::Shelved*>> of_kind;
    for (const auto& [key, shelved] : now.shelf()) {
        if (!shelved.stored) continue;
        if (!writable(now, key, shelved)) {
            result.skipped.push_back(std::string(config::list_name(key.first)) + "/" + key.second);
            continue;
        }
        objects.push_back(shelved.stored);
        of_kind[key.first].push_back(&shelved);
    }
    sources::SecretsOptions options{"store", true, false};
    const std::string text = file_of_stored(objects);
    sources::Reencrypted anew = sources::reencrypt(text, options, *now.keyring());
    result.report = std::move(anew.report);
    if (!anew.changed || !result.report.problems.ok()) return result;
    const json::Value before = json::parse(text), after = json::parse(anew.text);
    for (const auto& [kind, shelved] : of_kind) {
        const auto& old = before.find(config::list_name(kind))->items();
        const auto& fresh = after.find(config::list_name(kind))->items();
        for (std::size_t i = 0; i < shelved.size(); ++i) {
            if (!json::equal(old[i], fresh[i])) result.edits.push_back(edit_of(*shelved[i], fresh[i]));
        }
    }
    return result;
}

json::Value report_of(const Reencryption& thought) {
    const auto count = [&](SecretState state) { return thought.report.count(state); };
    json::Value skipped = json::Value::array(), unreadable = json::Value::array();
    for (const std::string& name : thought.skipped) skipped.push(json::Value(name));
    for (const sources::SecretObject& object : thought.report.objects) {
        for (const sources::SecretField& field : object.fields) {
            if (field.state == SecretState::unreadable) unreadable.push(json::Value(object.name + " " + field.path));
        }
    }
    return json::Value::object({{"rewritten", count(SecretState::outdated) + count(SecretState::plain)},
                                {"current", count(SecretState::current)},
                                {"not_readable", std::move(unreadable)},
                                {"skipped", std::move(skipped)}});
}

Answer refuse_with(const config::Diagnostics& problems) {
    Answer answer{Status::refused, {}, "null"};
    for (const config::Diagnostic& one : problems.list()) answer.errors.push_back(one.text());
    return answer;
}

}  // namespace

asio::awaitable<Answer> keys_command(Control& control, const Request& request) {
    if (request.text("what") != "reencrypt" || !request.flag("store"))
        co_return control::refuse(Status::usage,
                                  "keys is carried out by gatewayctl itself, but for keys reencrypt --store");
    const Turnstile::Pass pass = co_await control.enter_writes();
    const Catalogue& now = control.catalogue();
    if (!now.keyring() || !now.keyring()->writer())
        co_return control::refuse(Status::refused, "no key may encrypt: set apisix.data_encryption.keyring");
    auto work = [&now] { return think(now); };
    Reencryption thought = co_await on_thread(control.builder(), work);
    if (!thought.report.problems.ok()) co_return refuse_with(thought.report.problems);
    json::Value report = report_of(thought);
    const bool readable = thought.report.count(SecretState::unreadable) == 0;
    Answer answer;
    if (!thought.edits.empty() && !request.flag("dry_run")) {
        Control::Cause cause{"reencrypt", {"gatewayctl", ""}};
        const Control::Outcome outcome = co_await control.change_now(std::move(thought.edits), std::move(cause));
        answer = answer_of(control, outcome);
        if (outcome.status == Status::refused) co_return answer;
    }
    report.set("revision", control.revision());
    answer.result = json::write(report);
    if (!readable) answer.status = Status::refused;
    co_return answer;
}

}  // namespace gateway::process
