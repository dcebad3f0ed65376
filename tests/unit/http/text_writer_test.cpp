#include "libgateway/http/text_writer.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "tests/support/catch.hpp"

using gateway::http::TextWriter;

TEST_CASE("text writer: pieces of every length follow each other, and nothing is written behind the last",
          "[http][text_writer]") {
    const std::size_t size = GENERATE(range(std::size_t{0}, std::size_t{70}));
    std::string piece;
    for (std::size_t i = 0; i < size; ++i) piece += static_cast<char>('a' + i % 26);
    std::array<char, 160> block;
    block.fill('#');
    TextWriter out(block.data());
    out << piece << '|' << std::string_view(piece) << std::string_view();
    const std::string whole = piece + "|" + piece;
    CHECK(out.bytes() == whole);
    CHECK(std::all_of(block.begin() + static_cast<std::ptrdiff_t>(whole.size()), block.end(),
                      [](char c) { return c == '#'; }));
}
