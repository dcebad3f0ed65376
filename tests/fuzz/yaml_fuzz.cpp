// The YAML reader takes any bytes; what it accepts survives a round trip through JSON.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "libgateway/config/yaml_reader.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace gateway;
    json::ParseFailure why;
    const auto value =
        config::try_read_yaml({reinterpret_cast<const char*>(data), size}, why, {1 << 16, 10'000, 1 << 16});
    if (!value) {
        if (why.what.empty()) std::abort();
        return 0;
    }
    const auto again = json::try_parse(json::write(*value), why);
    if (!again || !json::equal(*again, *value)) std::abort();
    return 0;
}
