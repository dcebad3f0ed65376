// The tables that the master makes for plugins: which there are, how large, and how a process reaches them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "libgateway/shm/gauge.hpp"
#include "libgateway/shm/segment.hpp"
#include "libgateway/shm/table.hpp"

namespace gateway::shm {

enum class TableId : std::uint8_t { limit_count, limit_req, limit_conn, api_breaker };

struct TableZone {
    std::string_view name;  // of the zone, also in the static file's lua_shared_dict
    std::size_t size;       // default
};
// By TableId.
inline constexpr std::array<TableZone, 4> table_zones{
    TableZone{"plugin-limit-count", 10u << 20}, TableZone{"plugin-limit-req", 10u << 20},
    TableZone{"plugin-limit-conn", 10u << 20}, TableZone{"plugin-api-breaker", 10u << 20}};
inline constexpr std::string_view lease_zone = "limit-conn-leases";
inline constexpr std::size_t least_table_size = 64u << 10;

// One per process, like its Claimant. Zones are found once, here.
class Tables {
public:
    // The master, in the segment that it just made. False if a zone is missing or too small.
    static bool format(const Segment& segment);

    // Tables whose zone is missing stay empty.
    Tables(const Segment& segment, const Claimant& who);
    // Of this process alone: tests, tools.
    explicit Tables(std::size_t size = least_table_size);

    const Table& table(TableId id) const noexcept { return tables_[static_cast<std::size_t>(id)]; }
    Gauges& connections() noexcept { return connections_; }  // of TableId::limit_conn

    // The process that had `slot` is dead. By the master, before the slot is used again.
    void bury(std::uint32_t slot) noexcept;

private:
    std::unique_ptr<OwnZone> own_;
    std::array<Table, table_zones.size()> tables_;
    Gauges connections_;
};

}  // namespace gateway::shm
