// The one shared-memory segment: a sparse memfd made by the master before any fork, divided into named zones.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "libgateway/base/unique_fd.hpp"

namespace gateway::shm {

struct ZoneRequest {
    std::string_view name;  // at most 31 characters
    std::size_t size;       // bytes; rounded up to whole pages
};

// Never unmapped while the process lives; pages that nobody touched cost nothing. Zones start zeroed and page aligned.
class Segment {
public:
    // Master only. Throws std::system_error.
    static Segment create(std::span<const ZoneRequest> zones);
    // Maps what `fd` holds and checks magic, version and directory; throws std::runtime_error naming what is wrong.
    static Segment attach(UniqueFd fd);

    Segment(Segment&&) noexcept = default;
    Segment& operator=(Segment&&) noexcept = default;
    int fd() const noexcept { return fd_.get(); }
    // Empty if there is no zone of that name.
    std::span<std::byte> zone(std::string_view name) const noexcept;
    template <class T>
    T* zone_as(std::string_view name) const noexcept {
        const auto bytes = zone(name);
        return bytes.size() >= sizeof(T) ? reinterpret_cast<T*>(bytes.data()) : nullptr;
    }

private:
    Segment() = default;
    UniqueFd fd_;
    std::byte* base_ = nullptr;
    std::size_t size_ = 0;
};

}  // namespace gateway::shm
