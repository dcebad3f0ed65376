#include "libgateway/net/resolver.hpp"

#include <ares.h>
#include <netdb.h>

#include <boost/system/errc.hpp>
#include <cstring>
#include <mutex>
#include <random>
#include <unordered_map>

#include "libgateway/base/log.hpp"
#include "libgateway/base/strings.hpp"

namespace gateway::net {

namespace {

// Readiness of one of c-ares' own descriptors.
struct AresSocket : Waiter {
    AresSocket(Wake wake, ares_channel owner) : Waiter(wake), channel(owner) {}
    ares_channel channel;
    Descriptor descriptor;
};

// One coroutine that waits for a name, for as long as its asker stays.
class Join : Waiter {
public:
    // Without an asker it waits for the answer, whatever comes.
    Join(Reactor& reactor, std::vector<Join*>& waiting, Descriptor* asker) noexcept
        : Waiter([](Waiter& waiter) { static_cast<Join&>(waiter).leave(); }),
          reactor_(reactor),
          waiting_(waiting),
          asker_(asker) {}
    bool await_ready() const noexcept { return gone(); }
    void await_suspend(std::coroutine_handle<> handle) {
        handle_ = handle;
        waiting_.push_back(this);
        if (asker_) asker_->watch(this, hangup);
    }
    // False: the asker has gone.
    bool await_resume() const noexcept { return !gone(); }
    // The name is answered: goes on from the loop, since c-ares must not be called by what it calls.
    void answered() {
        if (asker_) asker_->watch(nullptr, 0);
        reactor_.post(handle_);
    }

private:
    bool gone() const noexcept { return asker_ && asker_->has(hangup); }
    void leave() {
        asker_->watch(nullptr, 0);
        std::erase(waiting_, this);
        handle_.resume();
    }
    Reactor& reactor_;
    std::vector<Join*>& waiting_;
    Descriptor* asker_;
    std::coroutine_handle<> handle_;
};

// RFC 6761, 6.3: such names are this machine, and nobody is asked about them.
bool is_localhost(std::string_view name) noexcept {
    if (name.ends_with('.')) name.remove_suffix(1);
    constexpr std::string_view local = "localhost";
    if (name.size() < local.size() || !iequals(name.substr(name.size() - local.size()), local)) return false;
    return name.size() == local.size() || name[name.size() - local.size() - 1] == '.';
}

struct StringHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>()(text); }
};

}  // namespace

struct Resolver::Impl {
    struct Entry {
        std::string name;
        SocketAddress address;
        bool known = false, asking = false;
        std::int64_t expires_ms = 0, usable_ms = 0;
        std::string error;
        std::vector<Join*> waiting;
    };
    struct Query {
        Impl* impl;
        Entry* entry;
    };

    Impl(Reactor& loop, ResolverSettings chosen) : reactor(loop), settings(std::move(chosen)) { open(); }
    ~Impl() {
        closing = true;
        if (channel) ::ares_destroy(channel);
    }

    void open() {
        if (channel) ::ares_destroy(channel);
        channel = nullptr;
        stale = false;
        static std::once_flag once;
        std::call_once(once, [] { ::ares_library_init(ARES_LIB_INIT_ALL); });
        ares_options options{};
        options.sock_state_cb = [](void* self, ares_socket_t fd, int reads, int writes) {
            static_cast<Impl*>(self)->socket_changed(fd, reads || writes);
        };
        options.sock_state_cb_data = this;
        options.timeout = static_cast<int>(settings.timeout.count());
        options.tries = 2;
        char lookups[] = "fb";
        options.lookups = lookups;
        options.flags = settings.search ? 0 : ARES_FLAG_NOSEARCH;
        const int mask =
            ARES_OPT_SOCK_STATE_CB | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS | ARES_OPT_FLAGS;
        if (::ares_init_options(&channel, &options, mask) != ARES_SUCCESS) channel = nullptr;
        std::string servers;
        for (const auto& server : settings.servers) servers += (servers.empty() ? "" : ",") + server;
        if (channel && !servers.empty()) ::ares_set_servers_ports_csv(channel, servers.c_str());
    }
    void socket_changed(ares_socket_t fd, bool wanted) {
        if (!wanted) {
            const auto found = sockets.find(fd);
            if (found == sockets.end()) return;
            static_cast<void>(found->second->descriptor.release());
            sockets.erase(found);
            return;
        }
        auto& socket = sockets[fd];
        if (socket) return;
        socket = std::make_unique<AresSocket>(
            [](Waiter& waiter) {
                auto& self = static_cast<AresSocket&>(waiter);
                const ares_channel owner = self.channel;
                const int at = self.descriptor.fd();
                const bool reads = self.descriptor.has(readable), writes = self.descriptor.has(writable);
                self.descriptor.clear(readable | writable);
                ::ares_process_fd(owner, reads ? at : ARES_SOCKET_BAD, writes ? at : ARES_SOCKET_BAD);
            },
            channel);
        if (socket->descriptor.open(reactor, UniqueFd(fd), 0))
            socket->descriptor.watch(socket.get(), readable | writable);
    }

    // c-ares counts its own time-outs only when it is called.
    struct Clock : DeadlineNode {
        explicit Clock(Impl& of) noexcept
            : DeadlineNode([](DeadlineNode& node) { static_cast<Clock&>(node).impl.keep_time(); }), impl(of) {}
        Impl& impl;
    };
    void keep_time() {
        if (queries > 0) ::ares_process_fd(channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
        if (queries > 0) reactor.arm(clock, Milliseconds(DeadlineWheel::tick_ms));
    }

    void ask(Entry& entry) {
        if (entry.asking) return;
        if (stale && queries == 0) open();
        entry.asking = true;
        ++queries;
        ares_addrinfo_hints hints{};
        hints.ai_family = settings.ipv6 ? AF_UNSPEC : AF_INET;
        hints.ai_socktype = SOCK_STREAM;
        auto* query = new Query{this, &entry};
        if (!channel) return answered(query, ARES_ENOTINITIALIZED, nullptr);
        ::ares_getaddrinfo(
            channel, entry.name.c_str(), nullptr, &hints,
            [](void* self, int status, int, ares_addrinfo* result) {
                auto* asked = static_cast<Query*>(self);
                asked->impl->answered(asked, status, result);
            },
            query);
        if (queries > 0 && !clock.armed()) reactor.arm(clock, Milliseconds(DeadlineWheel::tick_ms));
    }

    void answered(Query* query, int status, ares_addrinfo* result) {
        Entry& entry = *query->entry;
        delete query;
        --queries;
        entry.asking = false;
        if (status == ARES_SUCCESS && result && result->nodes) {
            take(entry, *result);
        } else if (!closing) {
            entry.error = ::ares_strerror(status);
            log::error("dns resolver domain: {} error: {}", entry.name, entry.error);
        }
        if (result) ::ares_freeaddrinfo(result);
        if (closing) return;
        for (Join* join : entry.waiting) join->answered();
        entry.waiting.clear();
    }

    // IPv4 is preferred, as the reference does; one of the addresses at random.
    void take(Entry& entry, const ares_addrinfo& result) {
        std::vector<const ares_addrinfo_node*> four, six;
        int ttl = INT32_MAX;
        for (const auto* node = result.nodes; node; node = node->ai_next) {
            (node->ai_family == AF_INET ? four : six).push_back(node);
            if (node->ai_ttl < ttl) ttl = node->ai_ttl;
        }
        const auto& pool = four.empty() ? six : four;
        const auto* chosen = pool[random() % pool.size()];
        std::memcpy(&entry.address.storage, chosen->ai_addr, chosen->ai_addrlen);
        entry.address.size = chosen->ai_addrlen;
        entry.known = true;
        entry.error.clear();
        std::int64_t life = settings.fixed_ttl.count() > 0 ? settings.fixed_ttl.count() : std::int64_t(ttl) * 1000;
        if (life < 1000) life = 1000;
        entry.expires_ms = reactor.now_ms() + life;
        entry.usable_ms = entry.expires_ms + std::min<std::int64_t>(10 * life, 300'000);
    }

    Entry& entry_of(std::string_view name) {
        const auto found = entries.find(name);
        if (found != entries.end()) return *found->second;
        auto entry = std::make_unique<Entry>();
        entry->name = std::string(name);
        if (is_localhost(name)) {
            entry->address = *parse_literal("127.0.0.1", 0);
            entry->known = true;
            entry->expires_ms = entry->usable_ms = INT64_MAX;
        }
        return *entries.emplace(entry->name, std::move(entry)).first->second;
    }

    Reactor& reactor;
    ResolverSettings settings;
    ares_channel channel = nullptr;
    bool closing = false, stale = false;
    int queries = 0;
    Clock clock{*this};
    std::minstd_rand random{std::random_device()()};
    std::unordered_map<ares_socket_t, std::unique_ptr<AresSocket>> sockets;
    std::unordered_map<std::string, std::unique_ptr<Entry>, StringHash, std::equal_to<>> entries;
};

Resolver::Resolver(Reactor& reactor, ResolverSettings settings)
    : impl_(std::make_unique<Impl>(reactor, std::move(settings))) {}
Resolver::~Resolver() = default;

// A channel with questions under way is replaced when they have been answered.
void Resolver::configure(ResolverSettings settings) {
    if (impl_->settings == settings) return;
    impl_->settings = std::move(settings);
    impl_->stale = true;
}

const SocketAddress* Resolver::cached(std::string_view name) {
    auto& entry = impl_->entry_of(name);
    const std::int64_t now = impl_->reactor.now_ms();
    if (!entry.known || now >= entry.usable_ms) return nullptr;
    if (now >= entry.expires_ms) impl_->ask(entry);
    return &entry.address;
}

void Resolver::expire(std::string_view name) noexcept {
    auto& entry = impl_->entry_of(name);
    if (entry.usable_ms != INT64_MAX) entry.expires_ms = 0;
}

Task<Result<SocketAddress>> Resolver::resolve(std::string_view name, std::uint16_t port, Descriptor* asker) {
    const std::string kept(name);
    const SocketAddress* address = cached(kept);
    if (!address) {
        auto& entry = impl_->entry_of(kept);
        impl_->ask(entry);
        if (entry.asking) {
            Join join(impl_->reactor, entry.waiting, asker);
            const bool stayed = co_await join;
            if (!stayed) co_return Error{make_error_code(boost::system::errc::operation_canceled), Side::client};
        }
        if (entry.known && impl_->reactor.now_ms() < entry.usable_ms) address = &entry.address;
    }
    if (!address) {
        co_return Error{make_error_code(boost::system::errc::host_unreachable), Side::upstream, true};
    }
    SocketAddress result = *address;
    result.set_port(port);
    co_return result;
}

}  // namespace gateway::net
