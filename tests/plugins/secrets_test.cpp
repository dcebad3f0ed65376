// The secrets of all plugins: marked as the specification marks them, and in no message.
#include <map>
#include <set>

#include "libgateway/plugin/check.hpp"
#include "libgateway/plugin/encrypted_fields.hpp"
#include "libgateway/plugin/registry.hpp"
#include "tests/support/catch.hpp"

using namespace gateway;

namespace {

constexpr std::string_view secret = "Very-Secret-Text";

// The object that has `leaf` at a dotted path.
json::Value at_path(std::string_view path, json::Value leaf) {
    const std::size_t dot = path.find('.');
    json::Value below = dot == path.npos ? std::move(leaf) : at_path(path.substr(dot + 1), std::move(leaf));
    return json::Value::object({{path.substr(0, dot), std::move(below)}});
}

std::vector<json::Value> leaves() {
    const json::Value text(secret);
    return {text, json::Value::array({text}), json::Value::object({{secret, text}}),
            json::Value::array({json::Value::array({text})})};
}

std::string texts_of(const config::Errors& errors, const std::vector<std::string>& warnings) {
    std::string all;
    for (const config::Finding& finding : errors.findings())
        all += finding.text + finding.message + finding.hint + "\n";
    for (const std::string& warning : warnings) all += warning + "\n";
    return all;
}

std::set<std::string_view> names(std::span<const std::string> paths) {
    return {paths.begin(), paths.end()};
}

}  // namespace

TEST_CASE("secrets: fields are marked as the pages of the plugins say", "[plugins][secrets]") {
    using Names = std::set<std::string_view>;
    const std::map<std::string_view, Names> of_credentials{
        {"key-auth", {"key"}}, {"basic-auth", {"password"}}, {"jwt-auth", {"secret"}}, {"hmac-auth", {"secret_key"}}};
    for (const auto& [name, fields] : of_credentials) {
        INFO(name);
        CHECK(names(plugin_registry().find(name)->credential_encrypt_fields) == fields);
        CHECK(plugin_registry().find(name)->encrypt_fields.empty());
    }
    CHECK(names(plugin_registry().find("csrf")->encrypt_fields) == Names{"key"});
    for (const std::string_view name : {"limit-count", "limit-conn", "limit-req"})
        CHECK(names(plugin_registry().find(name)->encrypt_fields) == Names{"redis_password", "sentinel_password"});
    CHECK(names(plugin_registry().find("http-logger")->encrypt_fields) == Names{"auth_header"});
}

TEST_CASE("secrets: no check says what a secret is, whatever is wrong with it", "[plugins][secrets]") {
    std::size_t checked = 0;
    for (const PluginType& type : plugin_registry().types()) {
        for (const bool credential : {false, true}) {
            for (const std::string& path : credential ? type.credential_encrypt_fields : type.encrypt_fields) {
                for (json::Value& leaf : leaves()) {
                    config::Errors errors;
                    std::vector<std::string> warnings;
                    const PluginPlace place = credential ? PluginPlace::credential : PluginPlace::ordinary;
                    json::Value entry = at_path(path, std::move(leaf));
                    check_plugin(type.name, entry, errors, warnings, place);
                    entry.set("_meta", json::Value::object({{"disable", true}}));
                    check_plugin(type.name, entry, errors, warnings, place);
                    check_plugin(type.name, json::Value(secret), errors, warnings, place);
                    INFO(type.name);
                    CHECK(texts_of(errors, warnings).find(secret) == std::string::npos);
                    ++checked;
                }
            }
        }
    }
    CHECK(checked >= 4 * 11);
}

TEST_CASE("secrets: a masked entry holds none", "[plugins][secrets]") {
    for (const PluginType& type : plugin_registry().types()) {
        for (const auto* paths :
             {&type.encrypt_fields, &type.credential_encrypt_fields, &type.metadata_encrypt_fields}) {
            for (const std::string& path : *paths) {
                json::Value entry = at_path(path, json::Value(secret));
                mask_secrets(type.name, entry);
                INFO(type.name);
                CHECK(json::write(entry).find(secret) == std::string::npos);
            }
        }
    }
}
