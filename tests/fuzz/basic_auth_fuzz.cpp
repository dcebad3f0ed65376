// basic-auth takes any bytes for its field; nobody gets in but with the consumer's name and password.
#include <cstdlib>

#include "libgateway/base/log.hpp"
#include "libplugins/common/base64.hpp"
#include "tests/support/fake_consumers.hpp"
#include "tests/support/fake_exchange.hpp"

using namespace gateway;
using namespace gateway::test;

namespace {

const FakeConsumers& consumers() {
    static const FakeConsumers all = [] {
        log::set_sink([](LogLevel, std::string_view) {});
        FakeConsumers made;
        made.add("foo", R"({"basic-auth":{"username":"foo","password":"bar"}})");
        return made;
    }();
    return all;
}

// Blanks removed, cut behind the second colon: what is left must be the login.
bool is_login(std::string_view decoded) {
    std::string plain;
    for (const char c : decoded) {
        if (std::string_view(" \t\r\n\v\f").find(c) == std::string_view::npos) plain += c;
    }
    return plain == "foo:bar" || plain.rfind("foo:bar:", 0) == 0;
}

bool has_login(std::string_view text) {
    Arena arena;
    for (std::size_t at = 0; at <= text.size(); ++at) {
        const auto decoded = plugins::decode_base64(text.substr(at), arena);
        if (decoded && is_login(*decoded)) return true;
    }
    return false;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const Ref<const Chain> chain = chain_of("basic-auth", R"({"hide_credentials":true})");
    if (size > 2048) return 0;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    FakeExchange exchange;
    exchange.use(consumers());
    exchange.with("Authorization", text);
    const Step step = chain->run<Phase::rewrite>(exchange);
    if (step.verdict() == Verdict::next && !has_login(text)) std::abort();
    return 0;
}
