#include "libgateway/redis/client.hpp"

#include <openssl/evp.h>

#include <array>
#include <map>

#include "libgateway/redis/cluster.hpp"
#include "libgateway/redis/sentinel.hpp"
#include "libgateway/redis/server.hpp"

namespace gateway::redis {

Script::Script(std::string_view source) : source_(source) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> sum{};
    unsigned size = 0;
    ::EVP_Digest(source.data(), source.size(), sum.data(), &size, ::EVP_sha1(), nullptr);
    constexpr std::string_view digits = "0123456789abcdef";
    for (unsigned i = 0; i < size; ++i) {
        digest_ += digits[sum[i] >> 4];
        digest_ += digits[sum[i] & 15];
    }
}

std::uint16_t slot_of(std::string_view key) noexcept {
    if (const std::size_t open = key.find('{'); open != std::string_view::npos) {
        const std::size_t close = key.find('}', open + 1);
        if (close != std::string_view::npos && close > open + 1) key = key.substr(open + 1, close - open - 1);
    }
    std::uint32_t crc = 0;  // CRC-16/XMODEM, as the cluster specification says
    for (const char byte : key) {
        crc ^= static_cast<std::uint32_t>(static_cast<unsigned char>(byte)) << 8;
        for (int bit = 0; bit < 8; ++bit) crc = crc & 0x8000 ? (crc << 1 ^ 0x1021) & 0xffff : crc << 1;
    }
    return static_cast<std::uint16_t>(crc % 16384);
}

struct Hub::Impl {
    net::Reactor& reactor;
    net::Resolver& resolver;
    std::map<std::string, std::unique_ptr<Server>> servers;
    std::map<std::string, std::unique_ptr<Cluster>> clusters;
    std::map<std::string, std::unique_ptr<Sentinels>> sentinels;
};

namespace {

std::string identity_of(const Target& target) {
    std::string text = target.host + '\0' + target.username + '\0' + target.password + '\0';
    for (const std::int64_t number :
         {std::int64_t{target.port}, std::int64_t{target.database}, std::int64_t{target.timeout.count()},
          std::int64_t{target.connect_timeout.count()}, std::int64_t{target.keepalive.count()},
          std::int64_t{target.keepalive_pool}, std::int64_t{target.tls}, std::int64_t{target.tls_check}})
        text += std::to_string(number) + ' ';
    return text;
}

}  // namespace

Hub::Hub(net::Reactor& reactor, net::Resolver& resolver) : impl_(new Impl{reactor, resolver, {}, {}, {}}) {}
Hub::~Hub() = default;

Database& Hub::server(const Target& target) {
    auto& place = impl_->servers[identity_of(target)];
    if (!place) place = std::make_unique<Server>(impl_->reactor, impl_->resolver, target);
    return *place;
}

Database& Hub::cluster(std::string_view name, const std::vector<std::string>& nodes, const Target& common) {
    std::string identity = std::string(name) + '\0' + identity_of(common);
    for (const std::string& node : nodes) identity += '\0' + node;
    auto& place = impl_->clusters[identity];
    if (!place) place = std::make_unique<Cluster>(impl_->reactor, impl_->resolver, nodes, common);
    return *place;
}

Database& Hub::sentinels(const SentinelGroup& group) {
    std::string identity = group.master_name + '\0' + group.username + '\0' + group.password + '\0' +
                           std::to_string(static_cast<int>(group.role)) + identity_of(group.common);
    for (const auto& [host, port] : group.sentinels) identity += '\0' + host + ':' + std::to_string(port);
    auto& place = impl_->sentinels[identity];
    if (!place) place = std::make_unique<Sentinels>(impl_->reactor, impl_->resolver, group);
    return *place;
}

std::size_t Hub::open_connections() const noexcept {
    std::size_t sum = 0;
    for (const auto& [key, server] : impl_->servers) sum += server->open_connections();
    for (const auto& [key, cluster] : impl_->clusters) sum += cluster->open_connections();
    for (const auto& [key, sentinels] : impl_->sentinels) sum += sentinels->open_connections();
    return sum;
}

}  // namespace gateway::redis
