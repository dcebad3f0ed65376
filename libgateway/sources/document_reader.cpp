#include "libgateway/sources/document_reader.hpp"

#include <algorithm>
#include <array>
#include <unordered_map>

#include "libgateway/base/strings.hpp"
#include "libgateway/config/objects.hpp"
#include "libgateway/sources/order_keys.hpp"
#include "libgateway/sources/secrets.hpp"

namespace gateway::sources {

using config::Errors;
using config::Kind;
using config::Severity;
using json::Value;

namespace {

constexpr std::array item_kinds{Kind::route,          Kind::service,         Kind::upstream, Kind::plugin_config,
                                Kind::global_rule,    Kind::consumer,        Kind::proto,    Kind::stream_route,
                                Kind::consumer_group, Kind::plugin_metadata, Kind::secret,   Kind::ssl};

struct Item {
    std::string id;
    Value* value;
    bool dropped = false;
};

// Reads one parsed file. Items are views into it.
class Reader {
public:
    Reader(const RouteFileSettings& settings, const CheckRules& rules, const Document& previous,
           RouteFileResult& result)
        : settings_(settings), rules_(rules), previous_(previous), result_(result) {}

    void read(Value& file) {
        if (!file.is_object()) {
            error(file.where, "",
                  file.is_null() ? "the file is empty" : "wrong type: expected object, got " + type_of(file));
            return;
        }
        check_lists(file);
        read_plugin_list(file);
        for (const Kind kind : item_kinds) read_list(file, kind);
        if (!result_.diagnostics.ok() && !settings_.drop_invalid) return;
        cross_check();
        if (!result_.diagnostics.ok() && !settings_.drop_invalid) return;
        build();
    }

private:
    static std::string type_of(const Value& value) { return std::string(config::reference_type(value)); }
    void error(json::Position where, std::string_view object, std::string message) {
        result_.diagnostics.error(settings_.path, where, object, std::move(message));
    }

    void check_lists(const Value& file) {
        const auto& known = config::document_lists();
        for (const json::Member& member : file.members()) {
            const std::string name = member.key;
            if (std::find(known.begin(), known.end(), name) == known.end()) {
                const std::string_view near = nearest(name, known);
                std::string hint = near.empty() ? "" : "did you mean \"" + std::string(near) + "\"?";
                result_.diagnostics.add(
                    {Severity::error, settings_.path, member.where, {}, {}, "unknown key " + name, hint});
            }
            Kind kind{};
            if (config::parse_kind(name, kind) && config::is_idle(kind) && member.value.size() > 0)
                result_.diagnostics.warning(settings_.path, member.where, "", name + ": " + std::string(idle_note));
        }
    }

    // `plugins` of the file: [{name, stream}]; it replaces the list of the static file.
    void read_plugin_list(const Value& file) {
        const Value* list = file.find("plugins");
        if (!list || list->is_null()) return;
        if (!list->is_array())
            return error(list->where, "plugins", "wrong type: expected array, got " + type_of(*list));
        Value names = Value::array();
        for (const Value& item : list->items()) {
            const Value* name = item.find("name");
            if (!name || !name->is_string()) {
                error(item.where, "plugins", "property \"name\" is required");
                continue;
            }
            const Value* stream = item.find("stream");
            if (!stream || !stream->boolean()) names.push(name->string());
        }
        rules_.enabled_plugins.emplace();
        for (const Value& name : names.items()) rules_.enabled_plugins->push_back(name.string());
        plugin_list_ = make_object(Kind::plugins, "list", 0, json::write(names), list->where);
    }

    void read_list(Value& file, Kind kind) {
        Value* list = file.find(config::list_name(kind));
        if (!list || list->is_null() || (list->is_object() && list->size() == 0)) return;
        const std::string name(config::list_name(kind));
        if (!list->is_array()) return error(list->where, name, "wrong type: expected array, got " + type_of(*list));
        std::vector<Item>& items = items_[static_cast<std::size_t>(kind)];
        items.reserve(list->size());
        std::size_t position = 0;
        for (Value& value : list->make_array()) read_item(kind, name, value, ++position, items);
        mark_repeated(name, items);
    }

    void read_item(Kind kind, const std::string& list, Value& value, std::size_t position, std::vector<Item>& items) {
        if (!value.is_object()) {
            const std::string place = list + "/" + std::to_string(position);
            error(value.where, place,
                  "invalid item data of [" + place + "], val: " + json::write(value) + ", it should be an object");
            if (!settings_.drop_invalid) return;
            result_.dropped.push_back(result_.diagnostics.list().back().message);
            result_.left_out.push_back({list, std::to_string(position), "wrong type: expected object"});
            return;
        }
        Item item{id_of_item(kind, value, position), &value};
        normalise_item(kind, value);
        Errors errors, warnings;
        {
            const Errors::Scope scope(errors, "", "", value);
            const Errors::Scope same(warnings, "", "", value);
            if (rules_.open_secrets) rules_.open_secrets(kind, item.id, value, warnings);
            check_item(kind, item.id, value, rules_, errors, warnings);
        }
        if (!errors.empty() || !warnings.empty()) report(kind, item, errors, warnings);
        if (!item.dropped) items.push_back(std::move(item));
    }

    void report(Kind kind, Item& item, const Errors& errors, const Errors& warnings) {
        const std::string list(config::list_name(kind));
        const std::string object = list + "/" + item.id;
        result_.diagnostics.add(errors, settings_.path, object);
        result_.diagnostics.add(warnings, settings_.path, object, Severity::warning);
        if (errors.empty()) return;
        item.dropped = true;
        if (!settings_.drop_invalid) return;
        result_.left_out.push_back({list, item.id, std::string(errors.first())});
        mask_item(kind, item.id, *item.value);
        std::string line = "failed to check item data of [" + list + "] err:";
        result_.dropped.push_back(line.append(errors.first()).append(" ,val: ").append(json::write(*item.value)));
    }

    // Of equal ids the last wins.
    void mark_repeated(const std::string& list, std::vector<Item>& items) {
        std::unordered_map<std::string_view, std::size_t> last;
        for (std::size_t i = 0; i < items.size(); ++i) {
            const auto [found, fresh] = last.emplace(items[i].id, i);
            if (fresh) continue;
            items[found->second].dropped = true;
            result_.diagnostics.warning(settings_.path, items[i].value->where, list + "/" + items[i].id,
                                        "the id is used again; of equal ids the last wins");
            found->second = i;
        }
        std::erase_if(items, [](const Item& item) { return item.dropped; });
    }

    void cross_check() {
        std::array<std::unordered_map<std::string_view, const Value*>, config::kind_count> known;
        CrossCheck cross(rules_);
        for (const Kind kind : item_kinds) {
            for (const Item& item : items_[static_cast<std::size_t>(kind)]) {
                known[static_cast<std::size_t>(kind)].emplace(item.id, item.value);
                cross.add(kind, item.id, *item.value);
            }
        }
        const Exists exists = [&](Kind kind, std::string_view id) {
            return known[static_cast<std::size_t>(kind)].count(id) > 0;
        };
        for (const Kind kind : {Kind::route, Kind::service, Kind::consumer}) {
            for (const Item& item : items_[static_cast<std::size_t>(kind)]) {
                Errors warnings;
                check_references(kind, *item.value, exists, warnings);
                if (warnings.empty()) continue;
                const std::string object = std::string(config::list_name(kind)) + "/" + item.id;
                result_.diagnostics.add(warnings, settings_.path, object, Severity::warning);
            }
        }
        cross.report(settings_.path, result_.diagnostics);
    }

    void build() {
        Document& document = result_.document.emplace();
        if (plugin_list_) document.put(plugin_list_);
        for (const Kind kind : item_kinds) {
            const std::vector<Item>& items = items_[static_cast<std::size_t>(kind)];
            std::vector<std::optional<std::uint64_t>> old(items.size());
            for (std::size_t i = 0; i < items.size(); ++i) {
                if (const ObjectPtr known = previous_.find(kind, items[i].id)) old[i] = known->order;
            }
            const std::vector<std::uint64_t> keys = order_keys(old);
            for (std::size_t i = 0; i < items.size(); ++i) {
                const Item& item = items[i];
                document.put(make_object(kind, item.id, keys[i], json::write(*item.value), item.value->where));
            }
        }
    }
    static std::vector<std::uint64_t> order_keys_of(const std::vector<std::optional<std::uint64_t>>& old);

    const RouteFileSettings& settings_;
    CheckRules rules_;
    const Document& previous_;
    RouteFileResult& result_;
    std::array<std::vector<Item>, config::kind_count> items_;
    ObjectPtr plugin_list_;
};

}  // namespace

std::string id_of_item(Kind kind, const Value& item, std::size_t position) {
    const bool consumer = kind == Kind::consumer && item.find("username");
    const std::string id = reference_of(item, consumer ? "username" : "id");
    return id.empty() ? "arr_" + std::to_string(position) : id;
}

void normalise_item(Kind kind, Value& item) {
    item.erase("modifiedIndex");
    if (kind == Kind::plugin_metadata) {
        for (const std::string_view own : {"id", "create_time", "update_time"}) item.erase(own);
        return;
    }
    Value* plugins = item.find("plugins");
    if (!plugins) return;
    if (plugins->is_null()) plugins->make_object();
    if (!plugins->is_object()) return;
    for (json::Member& member : plugins->make_object()) {
        if (member.value.is_null()) member.value.make_object();
    }
}

void read_document(Value& file, const RouteFileSettings& settings, const CheckRules& rules, const Document& previous,
                   RouteFileResult& result) {
    Reader(settings, rules, previous, result).read(file);
}

}  // namespace gateway::sources
