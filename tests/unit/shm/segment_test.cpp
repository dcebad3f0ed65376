#include "libgateway/shm/segment.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <string>

#include "tests/support/catch.hpp"

using namespace gateway;
using shm::Segment;

namespace {

constexpr std::array<shm::ZoneRequest, 2> two_zones{shm::ZoneRequest{"small", 10}, shm::ZoneRequest{"large", 1u << 30}};

// A sealed memfd with the first page of a good segment, changed at one place.
UniqueFd forged(std::size_t offset, char value) {
    const Segment segment = Segment::create(two_zones);
    std::array<char, 4096> page{};
    REQUIRE(::pread(segment.fd(), page.data(), page.size(), 0) == 4096);
    page[offset] = static_cast<char>(page[offset] + value);
    struct stat status = {};
    ::fstat(segment.fd(), &status);
    UniqueFd fd(::memfd_create("forged", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    REQUIRE(::ftruncate(fd.get(), status.st_size) == 0);
    REQUIRE(::pwrite(fd.get(), page.data(), page.size(), 0) == 4096);
    ::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SHRINK);
    return fd;
}

UniqueFd copy_of(int fd) {
    return UniqueFd(::fcntl(fd, F_DUPFD_CLOEXEC, 3));
}

}  // namespace

TEST_CASE("segment: zones are zeroed, page aligned, apart and found by name", "[shm][segment]") {
    const Segment segment = Segment::create(two_zones);
    const auto small = segment.zone("small"), large = segment.zone("large");
    CHECK(small.size() == 4096);
    CHECK(large.size() == 1u << 30);
    CHECK(reinterpret_cast<std::uintptr_t>(small.data()) % 4096 == 0);
    CHECK(large.data() >= small.data() + small.size());
    CHECK(large.back() == std::byte{0});
    CHECK(segment.zone("other").empty());
    CHECK(segment.zone_as<std::array<char, 5000>>("small") == nullptr);
    CHECK(segment.zone_as<int>("small") != nullptr);
}

TEST_CASE("segment: memory that nobody touched costs nothing", "[shm][segment]") {
    const Segment segment = Segment::create(two_zones);
    struct stat status = {};
    REQUIRE(::fstat(segment.fd(), &status) == 0);
    CHECK(status.st_size > 1 << 30);
    CHECK(status.st_blocks * 512 < 64 * 1024);
}

TEST_CASE("segment: one who attaches sees what another writes", "[shm][segment]") {
    const Segment first = Segment::create(two_zones);
    const Segment second = Segment::attach(copy_of(first.fd()));
    *first.zone_as<int>("large") = 42;
    CHECK(*second.zone_as<int>("large") == 42);
}

TEST_CASE("segment: a holder of the descriptor cannot shrink it", "[shm][segment]") {
    const Segment segment = Segment::create(two_zones);
    CHECK(::ftruncate(segment.fd(), 4096) != 0);
    CHECK(::ftruncate(segment.fd(), std::int64_t{1} << 33) != 0);
}

TEST_CASE("segment: what is no segment is refused with its reason", "[shm][segment]") {
    // Offsets in the directory: magic 0, version 8, count 12, size 16, first entry 24 (name 32 bytes, offset, size).
    CHECK_NOTHROW(Segment::attach(forged(4000, 1)));
    CHECK_THROWS_WITH(Segment::attach(forged(0, 1)), "shared memory: not a segment of a gateway");
    CHECK_THROWS_WITH(Segment::attach(forged(8, 1)), "shared memory: of another version");
    CHECK_THROWS_WITH(Segment::attach(forged(13, 1)), "shared memory: too many zones");
    CHECK_THROWS_WITH(Segment::attach(forged(16, 1)), "shared memory: size differs from its directory");
    CHECK_THROWS_WITH(Segment::attach(forged(24 + 31, 1)), "shared memory: name of a zone without end");
    CHECK_THROWS_WITH(Segment::attach(forged(24 + 33, 16)), "shared memory: a zone lies outside or across others");
    CHECK_THROWS_WITH(Segment::attach(forged(24 + 46, 1)), "shared memory: a zone lies outside or across others");
    CHECK_THROWS_WITH(Segment::attach(UniqueFd()), "shared memory: descriptor cannot be read");
    UniqueFd empty(::memfd_create("empty", MFD_CLOEXEC));
    CHECK_THROWS_WITH(Segment::attach(std::move(empty)), "shared memory: too small or too large");
}

TEST_CASE("segment: an entry damaged after attaching is no zone", "[shm][segment]") {
    const Segment segment = Segment::create(two_zones);
    const std::uint64_t wild = std::uint64_t{1} << 60;
    // The directory is the page before the first zone.
    std::memcpy(segment.zone("small").data() - 4096 + 24 + 32, &wild, sizeof wild);
    CHECK(segment.zone("small").empty());
}

TEST_CASE("segment: wrong names and sizes are not laid out", "[shm][segment]") {
    const std::string name = GENERATE(std::string(), std::string(32, 'x'));
    const std::array<shm::ZoneRequest, 1> zones{shm::ZoneRequest{name, 1}};
    CHECK_THROWS(Segment::create(zones));
}
