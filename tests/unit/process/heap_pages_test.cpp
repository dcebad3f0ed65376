#include "libgateway/process/heap_pages.hpp"

#include <unistd.h>

#include <cstring>

#include "tests/support/catch.hpp"

using gateway::process::HeapPages;

TEST_CASE("heap pages: a small heap stays as it is", "[process][heap_pages]") {
    HeapPages pages;
    for (int i = 0; i < 100; ++i) pages.tidy();
    CHECK(pages.moved() == 0);
}

// The kernel may lack the call or have no huge page left; whatever it does, what is on the heap stays.
TEST_CASE("heap pages: what lies on a large heap is unchanged by moving it", "[process][heap_pages]") {
    HeapPages pages;
    constexpr std::size_t size = HeapPages::small_heap + 4 * HeapPages::piece;
    auto* bytes = static_cast<unsigned char*>(::sbrk(size));
    REQUIRE(bytes != reinterpret_cast<unsigned char*>(-1));
    for (std::size_t i = 0; i < size; i += 64) bytes[i] = static_cast<unsigned char>(i / 64);
    for (int i = 0; i < 100; ++i) pages.tidy();
    CHECK(pages.moved() <= size / HeapPages::piece);
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < size; i += 64) wrong += bytes[i] != static_cast<unsigned char>(i / 64);
    CHECK(wrong == 0);
}
