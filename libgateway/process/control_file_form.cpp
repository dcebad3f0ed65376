#include "libgateway/process/control_file_form.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "libgateway/config/consumer_objects.hpp"
#include "libgateway/config/environment.hpp"
#include "libgateway/config/objects.hpp"
#include "libgateway/config/yaml_reader.hpp"
#include "libgateway/process/control_admin_route.hpp"
#include "libgateway/process/control_draft.hpp"
#include "libgateway/sources/document_reader.hpp"
#include "libgateway/sources/secrets.hpp"

namespace gateway::process {

using config::Kind;

namespace {

constexpr std::array item_kinds{Kind::upstream, Kind::service,         Kind::plugin_config, Kind::consumer_group,
                                Kind::consumer, Kind::plugin_metadata, Kind::global_rule,   Kind::ssl,
                                Kind::secret,   Kind::proto,           Kind::stream_route,  Kind::route};

std::optional<Kind> kind_of_list(std::string_view name) {
    for (const Kind kind : item_kinds) {
        if (config::list_name(kind) == name) return kind;
    }
    return std::nullopt;
}

void read_list(Kind kind, const json::Value& list, std::string_view name, FileEdits& result) {
    const std::string_view list_name = config::list_name(kind);
    if (list.is_null()) return;
    if (!list.is_array()) return result.errors.push_back(fmt::format("{}: {}: expected a list", name, list_name));
    std::size_t position = 0;
    for (const json::Value& item : list.items()) {
        ++position;
        const bool object = item.is_object();
        const bool named = object && (item.find("id") || (kind == Kind::consumer && item.find("username")));
        if (!named) {
            const char* wrong = object ? "it needs an id" : "expected an object";
            result.errors.push_back(fmt::format("{}:{}: {}/{}: {}", name, item.where.line, list_name, position, wrong));
            continue;
        }
        result.edits.push_back({kind, sources::id_of_item(kind, item, position), json::write(item), {}, 0, 0});
    }
}

// In a file every item tells its name.
void name_item(Kind kind, const std::string& id, json::Value& item) {
    const bool credential = kind == Kind::consumer && config::credential_name(id);
    if (kind == Kind::consumer && !credential) return;
    item.set("id", json::Value(id));
}

std::string line_of(const Catalogue& in_force, const sources::Object& object) {
    const auto shelved = in_force.shelf().find({object.kind, object.id});
    const bool of_file = in_force.file().find(object.kind, object.id) != nullptr;
    const bool stored = !of_file && shelved != in_force.shelf().end() && shelved->second.stored;
    json::Value item = json::parse(stored ? shelved->second.stored->json : object.json);
    name_item(object.kind, object.id, item);
    if (!stored) sources::seal_item(object.kind, object.id, item, *in_force.keyring());
    return "  - " + json::write(item) + "\n";
}

json::Value masked(const Catalogue::Key& key, const json::Value* value) {
    if (!value) return {};
    json::Value copy = *value;
    sources::mask_item(key.first, key.second, copy);
    return copy;
}

}  // namespace

FileEdits edits_of_file(std::string_view text, std::string_view name) {
    FileEdits result;
    json::ParseFailure why;
    auto file = json::try_parse(text, why);
    if (!file) file = config::try_read_yaml(text, why);
    if (!file || !(file->is_object() || file->is_null())) {
        result.errors.push_back(file ? fmt::format("{}: expected an object of lists", name)
                                     : fmt::format("{}:{}:{}: failed to parse the file: {}", name, why.where.line,
                                                   why.where.column, why.what));
        return result;
    }
    for (const json::Member& member : file->members()) {
        if (kind_of_list(member.key) || member.value.size() == 0) continue;
        result.errors.push_back(
            fmt::format("{}:{}: \"{}\" cannot be in the store; expected lists of routes, services, "
                        "upstreams, plugin_configs, global_rules, consumers, consumer_groups, "
                        "plugin_metadata, secrets, protos or stream_routes",
                        name, member.where.line, member.key));
    }
    for (const Kind kind : item_kinds) {
        if (const json::Value* list = file->find(config::list_name(kind))) read_list(kind, *list, name, result);
    }
    return result;
}

std::vector<std::string> errors_of_file(const Catalogue& in_force, std::string_view text, const std::string& name) {
    sources::RouteFileSettings settings{name, false, false, false};
    const sources::RouteFileResult result = sources::parse_route_file(
        text, settings, rules_for(in_force.settings(), in_force.keyring()), config::process_environment(), {});
    std::vector<std::string> errors;
    for (const config::Diagnostic& one : result.diagnostics.list()) {
        if (one.severity == config::Severity::error) errors.push_back(one.text());
    }
    return errors;
}

std::vector<std::string> unreadable_secrets(const std::vector<store::Edit>& edits, const keyring::Keyring& ring) {
    std::vector<std::string> errors;
    for (const store::Edit& edit : edits) {
        json::Value item = json::parse(*edit.json);
        sources::each_item_secret(
            config::list_name(edit.kind), edit.id, item,
            [&](const std::string& path, json::Value& text, sources::SecretKind) {
                if (keyring::shape_of(text.string()) != keyring::Shape::sealed || ring.decrypt(text.string())) return;
                errors.push_back(fmt::format(
                    "{}/{} {}: encrypted with key {}, which is not in the keyring: bring the "
                    "key along (file `keyring` in data_dir)",
                    config::list_name(edit.kind), edit.id, path, text.string().substr(3, keyring::Key::id_size)));
            });
    }
    return errors;
}

std::string file_of(const Catalogue& in_force, const std::string& heading) {
    std::string text = "# " + heading + "\n";
    const std::vector<sources::ObjectPtr> objects = in_force.document().objects();
    for (const Kind kind : item_kinds) {
        if (in_force.document().size(kind) == 0) continue;
        text.append(config::list_name(kind)) += ":\n";
        for (const sources::ObjectPtr& object : objects) {
            if (object->kind == kind && !is_admin_route(kind, object->id)) text += line_of(in_force, *object);
        }
    }
    return text + "#END\n";
}

std::string file_of_stored(const std::vector<store::StoredPtr>& objects) {
    std::string text = "{";
    for (const Kind kind : item_kinds) {
        std::string items;
        for (const store::StoredPtr& object : objects) {
            if (object->kind != kind) continue;
            json::Value item = json::parse(object->json);
            name_item(kind, object->id, item);
            items += (items.empty() ? "\n" : ",\n") + json::write(item);
        }
        if (items.empty()) continue;
        text += (text.size() == 1 ? "\"" : ",\"") + std::string(config::list_name(kind)) + "\":[" + items + "]";
    }
    return text + "}";
}

json::Value content_of(Kind kind, std::string_view id, std::string_view text, const keyring::Keyring& ring) {
    json::Value value = json::parse(text);
    config::Errors ignored;
    sources::open_item(kind, id, value, ring, ignored);
    sources::normalise_item(kind, value);
    for (const std::string_view member : {"create_time", "update_time", "id"}) value.erase(member);
    return value;
}

Contents contents_of(const sources::Document& document, const keyring::Keyring& ring) {
    Contents contents;
    for (const sources::ObjectPtr& object : document.objects()) {
        if (!config::is_listed(object->kind) || is_admin_route(object->kind, object->id)) continue;
        contents.emplace(Catalogue::Key{object->kind, object->id},
                         content_of(object->kind, object->id, object->json, ring));
    }
    return contents;
}

json::Value change_row(const Catalogue::Key& key, const json::Value* before, const json::Value* after) {
    const char* change = !before ? "made" : after ? "changed" : "removed";
    return json::Value::object({{"object", json::Value(fmt::format("{}/{}", config::list_name(key.first), key.second))},
                                {"change", change},
                                {"before", masked(key, before)},
                                {"after", masked(key, after)}});
}

json::Value changes_between(const Contents& before, const Contents& after) {
    json::Value rows = json::Value::array();
    auto a = before.begin(), b = after.begin();
    while (a != before.end() || b != after.end()) {
        const bool only_a = b == after.end() || (a != before.end() && a->first < b->first);
        const bool only_b = !only_a && (a == before.end() || b->first < a->first);
        if (only_a) {
            rows.push(change_row(a->first, &a->second, nullptr));
        } else if (only_b) {
            rows.push(change_row(b->first, nullptr, &b->second));
        } else if (!json::equal(a->second, b->second)) {
            rows.push(change_row(a->first, &a->second, &b->second));
        }
        if (!only_b) ++a;
        if (!only_a) ++b;
    }
    return rows;
}

}  // namespace gateway::process
