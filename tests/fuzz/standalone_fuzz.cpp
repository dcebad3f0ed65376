// Standalone API mode takes any body: it answers, its JSON is JSON, what it took it shows in JSON and YAML alike, and
// versions never go back. Input: a byte (1: YAML, 2: only validation), then bodies, put one after the other, between
// lines of "----".
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "libgateway/config/yaml_reader.hpp"
#include "tests/support/memory_configuration.hpp"

namespace {

using namespace gateway;

constexpr std::string_view between = "\n----\n";

json::Value checked(const admin::Reply& reply) {
    json::ParseFailure why;
    auto value = json::try_parse(reply.body, why);
    if (!value) std::abort();
    return std::move(*value);
}

std::int64_t version(const json::Value& shown) {
    const json::Value* found = shown.find("routes_conf_version");
    if (!found || !found->as_int64()) std::abort();
    return *found->as_int64();
}

json::Value show(test::StandaloneClient& client) {
    const json::Value as_json = checked(client.ask("GET", "/configs"));
    const admin::Reply yaml = client.ask("GET", "/configs", {}, {{"Accept", "application/yaml"}});
    json::ParseFailure why;
    const auto read = config::try_read_yaml(yaml.body, why);
    const bool deep = !read && why.what.find("nested") != std::string::npos;  // YAML is read less deep than JSON
    if (!deep && (!read || !json::equal(*read, as_json))) std::abort();
    return as_json;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    std::string_view rest(reinterpret_cast<const char*>(data + 1), size - 1);
    const bool yaml = (data[0] & 1) != 0, validate = (data[0] & 2) != 0;
    const admin::Fields type{{"Content-Type", yaml ? "application/yaml" : "application/json"}};
    test::StandaloneClient client;
    std::int64_t before = 0;
    for (int n = 0; n < 8 && !rest.empty(); ++n) {
        const std::size_t end = rest.find(between);
        const std::string body(rest.substr(0, end));
        rest = end == rest.npos ? std::string_view() : rest.substr(end + between.size());
        const admin::Reply reply =
            validate ? client.ask("POST", "/configs/validate", body, type) : client.put(std::to_string(n), body, type);
        if (reply.status != 202) checked(reply);
        const std::int64_t now = version(show(client));
        if (now < before) std::abort();
        before = now;
    }
    return 0;
}
