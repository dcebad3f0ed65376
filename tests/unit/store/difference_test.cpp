#include "libgateway/store/difference.hpp"

#include <zlib.h>

#include "libgateway/store/database.hpp"
#include "tests/support/catch.hpp"

using namespace gateway::store;
using gateway::config::Kind;

namespace {

Difference some() {
    return {{Layer::store, Kind::route, "made", std::nullopt, Side{R"({"uri":"/a"})", 7, 0}},
            {Layer::store, Kind::consumer, "jack/credentials/c1", Side{"{}", 8, 1234}, Side{"{ }", 8, -1}},
            {Layer::file, Kind::plugin_metadata, "gone", Side{"", 0, 0}, std::nullopt}};
}

}  // namespace

TEST_CASE("difference: what was packed comes out again", "[store][difference]") {
    REQUIRE(unpack(pack({})).empty());
    REQUIRE(unpack(pack(some())) == some());
    REQUIRE(pack(some()) == pack(some()));
}

TEST_CASE("difference: similar objects need little room", "[store][difference]") {
    Difference many;
    std::size_t plain = 0;
    for (int i = 0; i < 1000; ++i) {
        const std::string json = R"({"uri":"/some/path/)" + std::to_string(i) + R"(","upstream_id":"backend"})";
        plain += json.size();
        many.push_back({Layer::store, Kind::route, std::to_string(i), std::nullopt, Side{json, 1, 0}});
    }
    REQUIRE(pack(many).size() < plain / 4);
}

// Before small differences were left as they are, every one was: its size, then zlib's bytes.
TEST_CASE("difference: a small one that is compressed can be read", "[store][difference]") {
    const std::string plain = pack(some()).substr(3 * sizeof(std::uint64_t));
    uLongf size = ::compressBound(plain.size());
    std::string older(sizeof(std::uint64_t) + size, '\0');
    older[0] = static_cast<char>(plain.size());
    ::compress(reinterpret_cast<Bytef*>(older.data() + sizeof(std::uint64_t)), &size,
               reinterpret_cast<const Bytef*>(plain.data()), plain.size());
    older.resize(sizeof(std::uint64_t) + size);
    REQUIRE(unpack(older) == some());
}

TEST_CASE("difference: damaged bytes are told, whatever they are", "[store][difference]") {
    const std::string good = pack(some());
    REQUIRE_THROWS_AS(unpack(""), Failure);
    REQUIRE_THROWS_AS(unpack("1234567"), Failure);
    REQUIRE_THROWS_AS(unpack(std::string(8, '\xff') + "x"), Failure);
    for (std::size_t size = 0; size < good.size(); ++size) REQUIRE_THROWS_AS(unpack(good.substr(0, size)), Failure);
    for (std::size_t at = 0; at < good.size(); ++at) {
        std::string damaged = good;
        damaged[at] = static_cast<char>(damaged[at] ^ 0x41);
        try {
            const Difference read = unpack(damaged);
            CHECK(read == some());  // a bit of zlib's that means nothing
        } catch (const Failure&) {
            continue;
        }
    }
}
