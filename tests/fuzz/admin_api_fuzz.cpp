// The Admin API takes any bytes as target and body: it answers, its JSON is JSON, and what it stored it can show.
// Input: a byte that chooses the method, the target up to the first line end, then the body.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "tests/support/admin_client.hpp"

namespace {

using namespace gateway;

constexpr const char* methods[] = {"GET", "PUT", "POST", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE"};

void prepare(test::AdminClient& client) {
    client.objects.put(config::Kind::route, "1", R"({"id":"1","uri":"/a","desc":"d","plugins":{"key-auth":{}}})");
    client.objects.put(config::Kind::consumer, "jack", R"({"username":"jack","plugins":{"key-auth":{"key":"k"}}})");
    client.objects.put(config::Kind::upstream, "u", R"({"id":"u","nodes":{"127.0.0.1:1":1}})");
}

void check_reply(const admin::Reply& reply) {
    if (reply.status < 200 || reply.status > 599) std::abort();
    if (reply.content_type != "application/json" || reply.body.empty()) return;
    json::ParseFailure why;
    if (!json::try_parse(reply.body, why)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    std::string_view rest(reinterpret_cast<const char*>(data + 1), size - 1);
    const std::string_view target = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), target.size() + 1));
    test::AdminClient client;
    prepare(client);
    check_reply(client.ask(methods[data[0] % std::size(methods)], std::string(target), std::string(rest)));
    for (const char* list : {"/routes", "/consumers", "/upstreams", "/services", "/plugin_metadata"})
        check_reply(client.ask("GET", list));
    return 0;
}
