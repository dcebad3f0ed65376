#include "libgateway/shm/tables.hpp"

#include <sys/random.h>

namespace gateway::shm {

namespace {

// Nobody outside can foretell which keys share a bucket.
HashKey secret_key() noexcept {
    HashKey key;
    static_cast<void>(::getrandom(&key, sizeof key, 0));
    return key;
}

bool (*guard_of(std::size_t id) noexcept)(const Cell&) {
    return id == static_cast<std::size_t>(TableId::limit_conn) ? &Gauges::in_use : nullptr;
}

}  // namespace

bool Tables::format(const Segment& segment) {
    const HashKey key = secret_key();
    bool good = true;
    for (const TableZone& zone : table_zones) good = Table::format(segment.zone(zone.name), key) && good;
    return good;
}

Tables::Tables(const Segment& segment, const Claimant& who) {
    for (std::size_t id = 0; id < table_zones.size(); ++id) {
        tables_[id] = Table(segment.zone(table_zones[id].name), who, table_zones[id].name, guard_of(id));
    }
    connections_ = Gauges(table(TableId::limit_conn), segment.zone(lease_zone), who);
}

Tables::Tables(std::size_t size) {
    const std::size_t books = Gauges::zone_size(1);
    own_ = std::make_unique<OwnZone>(size * table_zones.size() + books);
    const auto bytes = own_->bytes();
    for (std::size_t id = 0; id < table_zones.size(); ++id) {
        const auto zone = bytes.subspan(id * size, size);
        Table::format(zone, secret_key());
        tables_[id] = Table(zone, {}, table_zones[id].name, guard_of(id));
    }
    connections_ = Gauges(table(TableId::limit_conn), bytes.subspan(table_zones.size() * size, books), {});
}

void Tables::bury(std::uint32_t slot) noexcept {
    for (const Table& table : tables_) table.bury(slot);
    connections_.bury(slot);
}

}  // namespace gateway::shm
