// A schema, a line end, a document: whatever they are, compiling and checking end, and what was filled in is a document
// still.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "libgateway/schema/schema.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace gateway;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const std::size_t line = text.find('\n');
    if (line == std::string_view::npos) return 0;
    json::ParseFailure why;
    const auto document = json::try_parse(text.substr(0, line), why);
    auto value = json::try_parse(text.substr(line + 1), why);
    if (!document || !value) return 0;
    try {
        const schema::Schema schema(*document);
        const std::string first = schema.check(*value);
        const std::string written = json::write(*value);
        if (first.empty() && json::write(json::parse(written)) != written) std::abort();
    } catch (const schema::SchemaError& error) {
        if (std::string_view(error.what()).empty()) std::abort();
    }
    return 0;
}
