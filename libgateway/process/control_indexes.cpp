#include "libgateway/process/control_indexes.hpp"

#include "libgateway/sources/check.hpp"

namespace gateway::process {

using config::Kind;

namespace {

// Most objects have nothing to do with others: their text tells, and is not parsed.
bool concerned(const sources::Object& object) {
    return object.kind == Kind::consumer || sources::ReferenceIndex::concerns(object.json) ||
           SharedGroups::may_concern(object.json);
}

}  // namespace

bool shares_groups(Kind kind) noexcept {
    return kind == Kind::route || kind == Kind::service || kind == Kind::plugin_config || kind == Kind::global_rule;
}

void Indexes::add(const sources::Object& object) {
    if (!config::is_listed(object.kind) || !concerned(object)) return;
    const json::Value value = json::parse(object.json, {.positions = false});
    if (object.kind == Kind::consumer) credentials.add(object.id, value);
    if (shares_groups(object.kind)) groups.add(value);
    references.add(object.kind, object.id, value);
}

void Indexes::remove(const sources::Object& object) {
    if (!config::is_listed(object.kind) || !concerned(object)) return;
    const json::Value value = json::parse(object.json, {.positions = false});
    if (object.kind == Kind::consumer) credentials.remove(object.id, value);
    if (shares_groups(object.kind)) groups.remove(value);
    references.remove(object.kind, object.id, value);
}

// It is text that the checks refused: it may be anything.
void Indexes::add_refused(Kind kind, const std::string& id, const std::string& json) {
    json::ParseFailure ignored;
    if (!sources::ReferenceIndex::concerns(json)) return;
    if (const auto value = json::try_parse(json, ignored, {.positions = false})) references.add(kind, id, *value);
}

void Indexes::remove_refused(Kind kind, const std::string& id, const std::string& json) {
    json::ParseFailure ignored;
    if (!sources::ReferenceIndex::concerns(json)) return;
    if (const auto value = json::try_parse(json, ignored, {.positions = false})) references.remove(kind, id, *value);
}

Indexes empty_indexes() {
    return {sources::CredentialIndex(sources::program_rules().credential_key), {}, {}};
}

Indexes indexes_of(const sources::Document& document) {
    Indexes indexes = empty_indexes();
    for (std::size_t i = 0; i < config::kind_count; ++i)
        document.each(static_cast<Kind>(i), [&](const sources::Object& object) { indexes.add(object); });
    return indexes;
}

}  // namespace gateway::process
