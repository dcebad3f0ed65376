// Any text as certificate and key: refused in words or taken, and nothing stays in the error queue.
#include <openssl/err.h>

#include <cstdlib>

#include "libgateway/tls/pair.hpp"

using namespace gateway;

namespace {

void check_pair(std::string_view certificate, std::string_view key) {
    std::string problem;
    const tls::PairBytes bytes = tls::read_pair(certificate, key, problem);
    if (!problem.empty()) return;
    if (bytes.chain.empty() || bytes.key.empty()) std::abort();
    const std::optional<tls::Pair> pair = tls::build_pair(bytes, problem);
    if (pair.has_value() == !problem.empty()) std::abort();
    if (!pair) return;
    (void)tls::refusal_of(*pair);
    const std::string names[] = {"a.test", "*.b.test", "*", "127.0.0.1"};
    (void)tls::warnings_of(*pair, names, 0);
    (void)tls::facts_of(pair->chain.front().get());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    check_pair(text, text);
    (void)tls::authorities_refusal(text);
    if (ERR_peek_error() != 0) std::abort();
    return 0;
}
