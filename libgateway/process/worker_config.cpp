#include "libgateway/process/worker_config.hpp"

#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <boost/json.hpp>
#include <cstring>

#include "libgateway/base/log.hpp"
#include "libgateway/process/worker_settings.hpp"
#include "libgateway/proxy/exchange_state.hpp"
#include "libgateway/proxy/session.hpp"

namespace gateway::process {

namespace {

// A turn has requests and freeing (Graveyard) beside it; together they stay below 2 ms.
constexpr std::chrono::microseconds slice{500};

// A read-only view of a memfd; of control's making, so sizes are checked, contents by the reader.
class Mapping {
public:
    explicit Mapping(int fd) {
        struct stat facts {};
        if (fd < 0 || ::fstat(fd, &facts) != 0 || facts.st_size <= 0) return;
        size_ = static_cast<std::size_t>(facts.st_size);
        void* at = ::mmap(nullptr, size_, PROT_READ, MAP_SHARED, fd, 0);
        if (at == MAP_FAILED) {
            size_ = 0;
        } else {
            data_ = static_cast<const char*>(at);
        }
    }
    ~Mapping() {
        if (data_) ::munmap(const_cast<char*>(data_), size_);
    }
    Mapping(const Mapping&) = delete;
    Mapping& operator=(const Mapping&) = delete;
    std::span<const char> bytes() const noexcept { return {data_, size_}; }

private:
    const char* data_ = nullptr;
    std::size_t size_ = 0;
};

std::span<const char> committed_part(std::span<const char> bytes) {
    config::JournalHeader header;
    if (bytes.size() < sizeof header) return {};
    const auto* shared = reinterpret_cast<const config::JournalHeader*>(bytes.data());
    const std::uint64_t committed = __atomic_load_n(&shared->committed, __ATOMIC_ACQUIRE);
    if (shared->magic != config::JournalHeader::magic_value || committed > bytes.size() || committed < sizeof header)
        return {};
    return bytes.subspan(sizeof header, committed - sizeof header);
}

}  // namespace

WorkerConfig::WorkerConfig(proxy::Site& site, const WorkerStart& start, WorkerPage& page, const ControlPage& control,
                           std::function<void(const WorkerSettings&)> settings_changed)
    : site_(site),
      start_(start),
      page_(page),
      control_(control),
      sleeper_(site.reactor),
      metrics_(site.reactor, [this] { say(FromWorker::metrics, 0); }),
      settings_changed_(std::move(settings_changed)) {
    site_.epoch = &control_.epoch;
    site_.adopt = [this] { adopt(); };
    site_.ask_metrics = [this](Arena& arena) { return metrics_.ask(arena); };
}

WorkerConfig::~WorkerConfig() {
    site_.ask_metrics = nullptr;
}

void WorkerConfig::install(SnapshotPtr snapshot) {
    if (snapshot->settings().get() != settings_of_) {
        settings_of_ = snapshot->settings().get();
        site_.settings = make_settings(snapshot->settings(), debug_);
        site_.resolver.configure(make_resolver_settings(*snapshot->settings()));
        const std::string& authorities = snapshot->settings()->file.apisix.ssl.ssl_trusted_certificate;
        net::trust_authorities(authorities == "system" ? std::string() : authorities);
        settings_changed_(*snapshot->settings());
        use_tls_settings(snapshot->settings()->file.apisix.ssl);
    }
    if (site_.tls) site_.tls->use(snapshot->names());
    const auto digest = snapshot->digest();
    const std::uint64_t revision = snapshot->revision();
    site_.snapshot = std::move(snapshot);
    page_.digest_low.store(digest.low, std::memory_order_relaxed);
    page_.digest_high.store(digest.high, std::memory_order_relaxed);
    page_.revision.store(revision, std::memory_order_release);
    worked_ = true;
}

// Sessions and their keys stay while the settings do.
void WorkerConfig::use_tls_settings(const config::SslSection& ssl) {
    const tls::ServerSettings wanted = make_tls_settings(ssl);
    if (ssl.listeners().empty() || (site_.tls && wanted == tls_settings_)) return;
    try {
        site_.tls = make_ref<tls::Server>(wanted);
        tls_settings_ = wanted;
        tickets_version_ = 0;
        look_at_tickets();
    } catch (const std::exception& error) {
        log::error("apisix.ssl stays as it was: {}", error.what());
    }
}

void WorkerConfig::look_at_tickets() {
    if (!site_.tls || control_.ticket_keys.version() == tickets_version_) return;
    const auto keys = control_.ticket_keys.read(tickets_version_);
    if (keys && !keys->empty()) site_.tls->use_ticket_keys(*keys);
}

void WorkerConfig::look_at_debug() {
    look_at_tickets();
    if (control_.debug.version() == debug_version_) return;
    try {
        const auto text = control_.debug.read(debug_version_);
        if (!text) return;
        debug_ = read_debug_state(*text);
    } catch (const std::exception& error) {
        log::error("debug mode stays as it is: {}", error.what());
        return;
    }
    if (site_.snapshot) site_.settings = make_settings(site_.snapshot->settings(), debug_);
}

bool WorkerConfig::load_journal() {
    const Mapping journal(start_.journal.get());
    std::span<const char> rest = committed_part(journal.bytes());
    if (rest.empty()) return false;
    try {
        SnapshotBuilder builder(site_.snapshot, site_.endpoints);
        std::uint64_t last = 0;
        while (!rest.empty()) {
            config::DeltaReader reader(rest);
            if (!reader.ok()) break;
            builder.feed(rest.first(reader.header().size));
            last = reader.header().to;
            rest = rest.subspan(reader.header().size);
        }
        while (!builder.advance(std::chrono::seconds(1))) {
        }
        if (last == 0) return false;
        install(builder.take());
    } catch (const std::exception& error) {
        log::error("the kept configuration cannot be loaded: {}", error.what());
        return false;
    }
    site_.adopted_epoch = control_.epoch.load(std::memory_order_acquire);
    return true;
}

void WorkerConfig::begin() {
    spawn(talk());
}

bool WorkerConfig::connect() {
    UniqueFd fd(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string_view name = start_.channel_address.view();
    if (!fd || name.empty() || name.size() + 1 > sizeof address.sun_path) return false;
    std::memcpy(address.sun_path + 1, name.data(), name.size());
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
    if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), size) != 0) return false;
    return channel_.open(site_.reactor, std::move(fd), net::readable | net::writable);
}

void WorkerConfig::say(FromWorker what, std::uint64_t number, std::string_view text, std::span<const std::byte> body) {
    ChannelHead head;
    head.type = static_cast<std::uint32_t>(what);
    head.number = number;
    head.text.assign(text.substr(0, 239));
    if (channel_.is_open() && send_packet(channel_.fd(), head, body) != PacketStatus::done) channel_.close();
}

void WorkerConfig::say_hello() {
    Hello hello;
    hello.index = start_.index;
    hello.pid = static_cast<std::uint32_t>(::getpid());
    hello.incarnation = start_.incarnation;
    std::uint64_t revision = 0;
    if (site_.snapshot) {
        hello.digest = site_.snapshot->digest();
        revision = site_.snapshot->revision();
    }
    say(FromWorker::hello, revision, {}, bytes_of(hello));
}

Task<void> WorkerConfig::talk() {
    for (;;) {
        if (connect()) {
            prepared_.clear();
            say_hello();
            metrics_.connected();
            co_await serve_channel();
            channel_.close();
            // The master keeps the listener, so the next control finds this worker waiting when it starts.
            co_await site_.reactor.sleep(Milliseconds(2));
            continue;
        }
        co_await site_.reactor.sleep(Milliseconds(50));
    }
}

Task<void> WorkerConfig::serve_channel() {
    while (channel_.is_open()) {
        const PacketStatus status = packets_.receive(channel_.fd());
        if (status == PacketStatus::done) {
            co_await take_packet();
            continue;
        }
        if (status != PacketStatus::again) co_return;
        channel_.clear(net::readable);
        co_await sleeper_.wait(channel_, net::readable | net::hangup, Milliseconds(0));
    }
}

Task<void> WorkerConfig::take_packet() {
    const auto type = static_cast<ToWorkerChannel>(packets_.head().type);
    if (type == ToWorkerChannel::list_connections) {
        const std::string text = describe_connections();
        say(FromWorker::connections, packets_.head().number, {},
            std::as_bytes(std::span<const char>(text.data(), text.size())));
        co_return;
    }
    if (type == ToWorkerChannel::metrics) {
        metrics_.answered(static_cast<unsigned>(packets_.head().number), packets_.body(), packets_.take_fd(0));
        co_return;
    }
    if (type != ToWorkerChannel::delta) co_return;
    const auto body = packets_.body();
    std::vector<char> own(body.size());
    if (!body.empty()) std::memcpy(own.data(), body.data(), body.size());
    co_await prepare(std::move(own), packets_.take_fd(0));
}

// What a delta from that revision builds on; null with from > 0: this worker does not hold it.
SnapshotPtr WorkerConfig::base_for(std::uint64_t from) const {
    for (const SnapshotPtr& snapshot : prepared_) {
        if (snapshot->revision() == from) return snapshot;
    }
    if (site_.snapshot && (from == 0 || site_.snapshot->revision() == from)) return site_.snapshot;
    return nullptr;
}

Task<void> WorkerConfig::prepare(std::vector<char> own, UniqueFd shared) {
    const Mapping mapping(shared.get());
    if (shared && mapping.bytes().empty()) {  // asking for it again would not help: it is not smaller then
        say(FromWorker::failed, packets_.head().number, "no memory to map the change");
        co_return;
    }
    const std::span<const char> bytes = shared ? mapping.bytes() : std::span<const char>(own);
    config::DeltaReader reader(bytes);
    if (!reader.ok()) {
        channel_.close();
        co_return;
    }
    const std::uint64_t from = reader.header().from, to = reader.header().to;
    const SnapshotPtr base = base_for(from);
    if (from != 0 && !base) {
        log::warn("a change from revision {} came, which this worker does not hold: asking for all", from);
        channel_.close();
        co_return;
    }
    std::string failure;
    try {
        SnapshotBuilder builder(base, site_.endpoints);
        builder.feed(bytes.first(reader.header().size));
        worked_ = true;
        while (!builder.advance(slice)) {
            co_await site_.reactor.yield();
            worked_ = true;
        }
        while (!prepared_.empty() && prepared_.back()->revision() > from) prepared_.pop_back();
        prepared_.push_back(builder.take());
    } catch (const std::exception& error) {
        failure = error.what();
        if (failure.empty()) failure = "unknown error";
    }
    if (!failure.empty()) {
        say(FromWorker::failed, to, failure);
        co_return;
    }
    page_.prepared.store(to, std::memory_order_release);
    say(FromWorker::prepared, to);
    adopt();
}

// A prepared revision below the epoch may have been vetoed; it was not if a later one was built on it.
void WorkerConfig::adopt() {
    const std::uint64_t epoch = control_.epoch.load(std::memory_order_acquire);
    site_.adopted_epoch = epoch;
    SnapshotPtr newest;
    while (!prepared_.empty() && prepared_.front()->revision() <= epoch) {
        if (prepared_.front()->revision() != epoch && prepared_.size() == 1) break;
        newest = std::move(prepared_.front());
        prepared_.pop_front();
    }
    if (!newest) return;
    const std::uint64_t revision = newest->revision();
    install(std::move(newest));
    say(FromWorker::adopted, revision);
}

namespace {

// reading: a head (of a request, of PROXY) that is not whole yet.
const char* state_of(const proxy::Session& session) noexcept {
    if (session.idle()) return "idle";
    const proxy::ProxyExchange* exchange = session.exchange();
    if (!exchange) return "reading";
    return exchange->head_sent ? "answering" : "waiting";
}

}  // namespace

std::string WorkerConfig::describe_connections() const {
    boost::json::array list;
    std::size_t total = 0;
    for (const proxy::Session* session = site_.first_session(); session; session = session->next()) {
        ++total;
        if (list.size() >= 500) continue;
        boost::json::object row;
        row["client"] = session->peer_text();
        row["listener"] = session->local_port();
        row["age_ms"] = site_.reactor.now_ms() - session->started_ms();
        row["requests"] = session->requests();
        const proxy::ProxyExchange* exchange = session->exchange();
        row["state"] = state_of(*session);
        if (exchange) {
            row["request"] = exchange->request.line.substr(0, 200);
            if (exchange->route) row["route"] = exchange->route->route_id;
            row["exchange_ms"] = site_.reactor.now_ms() - exchange->started_ms;
        }
        list.push_back(std::move(row));
    }
    boost::json::object all;
    all["worker"] = start_.index;
    all["total"] = total;
    all["connections"] = std::move(list);
    std::string text = boost::json::serialize(all);
    if (text.size() > max_packet - sizeof(ChannelHead)) {
        all["connections"].as_array().resize(100);
        text = boost::json::serialize(all);
    }
    return text;
}

}  // namespace gateway::process
