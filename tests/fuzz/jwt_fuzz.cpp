// jwt-auth takes any bytes for a token; nobody gets in but with the one that was signed.
#include <cstdlib>

#include "libgateway/base/log.hpp"
#include "tests/support/fake_consumers.hpp"
#include "tests/support/fake_exchange.hpp"

using namespace gateway;
using namespace gateway::test;

namespace {

// Signed with the secret below; the corpus has it too.
constexpr std::string_view right =
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJrZXkiOiJqYWNrLWtleSIsImV4cCI6NDEwMjQ0NDgwMH0."
    "WH3KJkxSjJ2pvoKouTFDGeHzmS2BXlv5QNJsmBsMZfg";

const FakeConsumers& consumers() {
    static const FakeConsumers all = [] {
        log::set_sink([](LogLevel, std::string_view) {});
        FakeConsumers made;
        made.add("jack", R"({"jwt-auth":{"key":"jack-key","secret":"jack-secret-0123456789abcdef"}})");
        return made;
    }();
    return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const Ref<const Chain> chain = chain_of("jwt-auth", R"({"store_in_ctx":true})");
    std::string_view text(reinterpret_cast<const char*>(data), size);
    FakeExchange exchange;
    exchange.use(consumers());
    exchange.with("Authorization", text);
    const Step step = chain->run<Phase::rewrite>(exchange);
    if (text.starts_with("Bearer ") || text.starts_with("bearer ")) text.remove_prefix(7);
    if ((step.verdict() == Verdict::next) != (text == right)) std::abort();
    return 0;
}
