#include "libgateway/shm/segment.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <stdexcept>
#include <string>
#include <system_error>

namespace gateway::shm {

namespace {

constexpr std::uint64_t magic_value = 0x31304D4853545747;  // "GWTSHM01"
constexpr std::uint32_t version_value = 1;
constexpr std::size_t page = 4096, max_zones = 32, max_name = 31;
constexpr std::uint64_t max_size = std::uint64_t{1} << 40;

struct Entry {
    std::array<char, max_name + 1> name{};
    std::uint64_t offset = 0, size = 0;
};
// The first page of the segment.
struct Directory {
    std::uint64_t magic = magic_value;
    std::uint32_t version = version_value, count = 0;
    std::uint64_t size = 0;
    std::array<Entry, max_zones> entries{};
};
static_assert(sizeof(Directory) <= page);

std::string_view name_of(const Entry& entry) noexcept {
    const std::string_view all(entry.name.data(), entry.name.size());
    return all.substr(0, all.find('\0'));
}

std::uint64_t whole_pages(std::uint64_t size) noexcept {
    return (size + page - 1) / page * page;
}

Directory lay_out(std::span<const ZoneRequest> zones) {
    if (zones.size() > max_zones) throw std::invalid_argument("shared memory: too many zones");
    Directory directory;
    std::uint64_t offset = page;
    for (const ZoneRequest& zone : zones) {
        if (zone.name.empty() || zone.name.size() > max_name || zone.size == 0 || zone.size > max_size) {
            throw std::invalid_argument("shared memory: zone " + std::string(zone.name) + " has a wrong name or size");
        }
        Entry& entry = directory.entries[directory.count++];
        std::copy(zone.name.begin(), zone.name.end(), entry.name.begin());
        entry.offset = offset;
        entry.size = whole_pages(zone.size);
        offset += entry.size;
    }
    directory.size = offset;
    return directory;
}

std::byte* map(int fd, std::size_t size) {
    void* base = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
    if (base == MAP_FAILED) throw std::system_error(errno, std::system_category(), "shared memory: mmap");
    return static_cast<std::byte*>(base);
}

void require(bool condition, const char* what) {
    if (!condition) throw std::runtime_error(std::string("shared memory: ") + what);
}

void check(const Directory& directory, std::uint64_t size) {
    require(directory.magic == magic_value, "not a segment of a gateway");
    require(directory.version == version_value, "of another version");
    require(directory.size == size, "size differs from its directory");
    require(directory.count <= max_zones, "too many zones");
    std::uint64_t next = page;
    for (std::uint32_t i = 0; i < directory.count; ++i) {
        const Entry& entry = directory.entries[i];
        require(entry.name.back() == '\0', "name of a zone without end");
        require(entry.offset == next && entry.size > 0 && entry.size % page == 0 && entry.size <= size - next,
                "a zone lies outside or across others");
        next += entry.size;
    }
}

}  // namespace

Segment Segment::create(std::span<const ZoneRequest> zones) {
    const Directory directory = lay_out(zones);
    Segment segment;
    segment.fd_.reset(::memfd_create("gateway-segment", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (!segment.fd_ || ::ftruncate(segment.fd_.get(), static_cast<off_t>(directory.size)) != 0) {
        throw std::system_error(errno, std::system_category(), "shared memory: memfd");
    }
    // Nobody who holds the descriptor can make the others fault by cutting the file.
    ::fcntl(segment.fd_.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
    segment.size_ = directory.size;
    segment.base_ = map(segment.fd_.get(), segment.size_);
    *reinterpret_cast<Directory*>(segment.base_) = directory;
    return segment;
}

Segment Segment::attach(UniqueFd fd) {
    struct stat status = {};
    require(::fstat(fd.get(), &status) == 0, "descriptor cannot be read");
    const auto size = static_cast<std::uint64_t>(status.st_size);
    require(size >= page && size <= max_size, "too small or too large");
    // Without this seal another holder could shrink the file under the mapping.
    require((::fcntl(fd.get(), F_GET_SEALS) & F_SEAL_SHRINK) != 0, "not sealed against shrinking");
    Segment segment;
    segment.fd_ = std::move(fd);
    segment.size_ = size;
    segment.base_ = map(segment.fd_.get(), size);
    try {
        const Directory copy = *reinterpret_cast<const Directory*>(segment.base_);
        check(copy, size);
    } catch (...) {
        ::munmap(segment.base_, segment.size_);
        throw;
    }
    return segment;
}

std::span<std::byte> Segment::zone(std::string_view name) const noexcept {
    const Directory& directory = *reinterpret_cast<const Directory*>(base_);
    for (std::uint32_t i = 0; i < std::min<std::uint32_t>(directory.count, max_zones); ++i) {
        const Entry& entry = directory.entries[i];
        if (name_of(entry) != name) continue;
        // The directory is writable by every process: a damaged entry is no zone, never a wild pointer.
        if (entry.offset > size_ || entry.size > size_ - entry.offset) return {};
        return {base_ + entry.offset, static_cast<std::size_t>(entry.size)};
    }
    return {};
}

}  // namespace gateway::shm
