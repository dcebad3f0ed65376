// hmac-auth takes any bytes for its field; nobody gets in but with the signature that belongs to this request.
#include <array>
#include <cstdlib>

#include "libgateway/base/log.hpp"
#include "tests/support/fake_consumers.hpp"
#include "tests/support/fake_exchange.hpp"

using namespace gateway;
using namespace gateway::test;

namespace {

// Of `GET /get` at that date, by algorithm; without the last characters, whose form may vary.
struct Right {
    std::string_view algorithm, signature;
};
constexpr std::array<Right, 3> rights{
    {{"algorithm=\"hmac-sha1\"", "O7KYxvdJwcIqUYL2FVtkfC+8MA"},
     {"algorithm=\"hmac-sha256\"", "nI7XunckoUCZnncFSWJ5Dqk6HSdkMpJMzYK+HVXSLz"},
     {"algorithm=\"hmac-sha512\"",
      "UUBuYgqAJJwLT/Xpg/7eQgTYJY0jSMBgObMbtqFGEVNoqAaoZEw7hPEqv9tuGOV3iKFGJ5XkYslCcOiZ4Z6b7"}}};

const FakeConsumers& consumers() {
    static const FakeConsumers all = [] {
        log::set_sink([](LogLevel, std::string_view) {});
        FakeConsumers made;
        made.add("jack", R"({"hmac-auth":{"key_id":"jack-key","secret_key":"jack-secret-key"}})");
        return made;
    }();
    return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const Ref<const Chain> chain = chain_of("hmac-auth", "{}");
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    FakeExchange exchange("GET", "/get");
    exchange.variables["request_uri"] = "/get";
    exchange.use(consumers());
    exchange.with("Date", "Tue, 19 Jan 2027 03:14:07 GMT").with("Authorization", text);
    const Step step = chain->run<Phase::rewrite>(exchange);
    bool may_pass = false;
    for (const Right& right : rights)
        may_pass = may_pass || (text.find(right.algorithm) != text.npos && text.find(right.signature) != text.npos);
    may_pass = may_pass && text.starts_with("Signature") && text.find("keyId=\"jack-key\"") != text.npos;
    if (step.verdict() == Verdict::next && !may_pass) std::abort();
    return 0;
}
