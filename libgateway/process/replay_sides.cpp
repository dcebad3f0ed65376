// The two sides of a replay on their way from control to the tool.
#include <sys/random.h>

#include <cerrno>
#include <stdexcept>
#include <system_error>

#include "libgateway/base/strings.hpp"
#include "libgateway/process/replay.hpp"
#include "libgateway/sources/secrets.hpp"

namespace gateway::process {

namespace {

using config::Kind;

constexpr std::string_view router_names[] = {"radixtree_uri", "radixtree_uri_with_parameter", "radixtree_host_uri"};

HashKey fresh_key() {
    HashKey key;
    if (::getrandom(&key, sizeof key, 0) != static_cast<ssize_t>(sizeof key))
        throw std::system_error(errno, std::generic_category(), "no random bytes");
    return key;
}

void hide_secrets(const sources::Object& object, json::Value& value, const HashKey& key) {
    sources::each_item_secret(
        config::list_name(object.kind), object.id, value,
        [&](const std::string&, json::Value& text, sources::SecretKind) {
            const Hash128 hash = hash128(text.string(), key);
            text = json::Value("secret " + std::to_string(hash.low) + "." + std::to_string(hash.high));
        });
}

json::Value row_of(const sources::Object& object, const HashKey& key) {
    json::Value value = json::parse(object.json);
    hide_secrets(object, value, key);
    return json::Value::array(
        {json::Value(config::list_name(object.kind)), json::Value(object.id), object.order, value});
}

// Objects of the one that the other does not have just so; those of both, if wanted.
void add_rows(const sources::Document& of, const sources::Document& other, const HashKey& key, json::Value& rows,
              json::Value* both) {
    for (const sources::ObjectPtr& object : of.objects()) {
        if (!config::is_listed(object->kind)) continue;
        const sources::ObjectPtr twin = other.find(object->kind, object->id);
        const bool same = twin && twin->hash == object->hash;
        if (!same) rows.push(row_of(*object, key));
        if (same && both) both->push(row_of(*object, key));
    }
}

json::Value settings_json(const config::StaticConfig& settings) {
    const ExplainSettings how = explain_settings(settings);
    return json::Value::object({{"router", json::Value(router_names[static_cast<std::size_t>(how.router)])},
                                {"delete_uri_tail_slash", how.path.delete_uri_tail_slash},
                                {"normalize_uri_like_servlet", how.path.normalize_uri_like_servlet},
                                {"match_uri_encoded_slash", how.path.match_uri_encoded_slash},
                                {"plugin_config_overrides_route", how.plugin_config_overrides_route},
                                {"access_log_format", json::Value(settings.nginx_config.http.access_log_format)}});
}

[[noreturn]] void refuse() {
    throw std::runtime_error("the gateway's answer is not understood: it is of another version");
}

const json::Value& needed(const json::Value& object, std::string_view name) {
    const json::Value* value = object.find(name);
    if (!value) refuse();
    return *value;
}

ExplainSettings settings_from(const json::Value& value) {
    const auto router = route::router_kind(needed(value, "router").string());
    if (!router) refuse();
    return {*router,
            {needed(value, "delete_uri_tail_slash").boolean(), needed(value, "normalize_uri_like_servlet").boolean(),
             needed(value, "match_uri_encoded_slash").boolean()},
            needed(value, "plugin_config_overrides_route").boolean(),
            false};
}

void put_rows(const json::Value& rows, sources::Document& document) {
    for (const json::Value& row : rows.items()) {
        Kind kind{};
        if (row.size() != 4 || !config::parse_kind(row.items()[0].string(), kind)) refuse();
        const auto order = parse_decimal<std::uint64_t>(row.items()[2].number());
        if (!order) refuse();
        document.put(sources::make_object(kind, row.items()[1].string(), *order, json::write(row.items()[3]), {}));
    }
}

DocumentView view_of(const json::Value& value, std::string_view side, const ExplainSettings& settings) {
    sources::Document document;
    put_rows(needed(value, "both"), document);
    put_rows(needed(value, side), document);
    return DocumentView(encode_full(document, 1), settings);
}

}  // namespace

json::Value sides_to_json(const Catalogue& in_force, const sources::Document& after) {
    const HashKey key = fresh_key();
    json::Value before_rows = json::Value::array(), after_rows = json::Value::array(), both = json::Value::array();
    add_rows(in_force.document(), after, key, before_rows, &both);
    add_rows(after, in_force.document(), key, after_rows, nullptr);
    return json::Value::object({{"settings", settings_json(in_force.settings())},
                                {"before", std::move(before_rows)},
                                {"after", std::move(after_rows)},
                                {"both", std::move(both)}});
}

ReplaySides sides_from_json(const json::Value& value) {
    const json::Value& settings = needed(value, "settings");
    const ExplainSettings how = settings_from(settings);
    return {view_of(value, "before", how), view_of(value, "after", how),
            LogNames(needed(settings, "access_log_format").string()), how.path};
}

}  // namespace gateway::process
