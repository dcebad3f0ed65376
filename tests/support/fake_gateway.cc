// The real master with stand-ins for control and worker, for the stories about processes
// (tests/integration/process_*_test.cpp).
//
// The "static file" is a list of lines "key value". Control answers a line on the control socket with its state as
// text; a worker answers each connection with "INDEX PID". Files in the data directory make the stand-ins misbehave:
// `crash` (workers end at once), `stuck` (workers never become ready), `mute` (control sends no plan).
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "libgateway/base/clock.hpp"
#include "libgateway/process/entry.hpp"
#include "libgateway/process/packet.hpp"
#include "libgateway/process/upgrade.hpp"
#include "libgateway/process/worker_page.hpp"

namespace gateway::process {

namespace {

ListenerPlan listener_of(const std::string& name, const std::string& host, int port, int proxy_protocol) {
    ListenerPlan plan;
    plan.name.assign(name);
    auto& address = reinterpret_cast<sockaddr_in&>(plan.address);
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    ::inet_pton(AF_INET, host.c_str(), &address.sin_addr);
    plan.address_size = sizeof(sockaddr_in);
    plan.proxy_protocol = static_cast<std::uint8_t>(proxy_protocol);
    return plan;
}

void read_line(Plan& plan, const std::string& key, std::istringstream& rest) {
    std::string text, host;
    int port = 0, proxy_protocol = 0;
    if (key == "workers") rest >> plan.worker_count;
    if (key == "timeout") rest >> plan.shutdown_timeout_ms;
    if (key == "uid") rest >> plan.uid;
    if (key == "open_files") {
        rest >> plan.open_files;
        plan.worker_connections = plan.open_files;
    }
    if (key == "data_dir" && rest >> text) plan.data_dir.assign(text);
    if (key == "socket" && rest >> text) plan.socket_path.assign(text);
    if (key == "pid_file" && rest >> text) plan.pid_file.assign(text);
    if (key == "access_log" && rest >> text) plan.access_log.assign(text);
    if (key == "error_log" && rest >> text) plan.error_log.assign(text);
    if (key == "status" && rest >> host >> port) {
        plan.status.address = listener_of("", host, port, 0).address;
        plan.status.size = sizeof(sockaddr_in);
    }
    if (key == "listen" && rest >> text >> host >> port) {
        rest >> proxy_protocol;
        plan.listeners[plan.listener_count++] = listener_of(text, host, port, proxy_protocol);
    }
}

bool read_plan(const std::string& path, Plan& plan) {
    std::ifstream file(path);
    if (!file) return false;
    plan.error_log.assign("stderr");
    plan.error_log_level = 1;
    for (std::string line; std::getline(file, line);) {
        std::istringstream rest(line);
        std::string key;
        rest >> key;
        if (key == "broken") return false;
        read_line(plan, key, rest);
    }
    return true;
}

bool exists(const Plan& plan, const char* name) {
    return ::access((std::string(plan.data_dir.view()) + "/" + name).c_str(), F_OK) == 0;
}

template <class Type>
void tell(int master, Type type, std::uint64_t number = 0, std::string_view text = {},
          std::span<const std::byte> body = {}) {
    MasterHead head;
    head.type = static_cast<std::uint32_t>(type);
    head.number = number;
    head.text.assign(text);
    send_packet(master, head, body);
}

std::string rights() {
    std::ostringstream text;
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);) {
        if (line.starts_with("Uid:") || line.starts_with("CapBnd:") || line.starts_with("CapEff:") ||
            line.starts_with("NoNewPrivs:") || line.starts_with("Groups:")) {
            text << line << '\n';
        }
    }
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    text << "open files " << limit.rlim_cur << '\n';
    int signal_at_death = 0;
    ::prctl(PR_GET_PDEATHSIG, &signal_at_death);
    text << "death signal " << signal_at_death << '\n';
    int open = 0;
    for (int fd = 0; fd < 4096; ++fd) open += ::fcntl(fd, F_GETFD) >= 0;
    text << "descriptors " << open << '\n';
    return text.str();
}

class FakeControl {
public:
    explicit FakeControl(ControlStart start) : start_(std::move(start)) {}

    int run() {
        Plan plan;
        if (!read_plan(start_.options.config_path, plan)) {
            tell(start_.master.get(), ToMaster::boot_failed, 0,
                 "static file " + start_.options.config_path + " is bad");
            return 1;
        }
        if (!exists(plan, "mute")) tell(start_.master.get(), ToMaster::plan, 0, {}, bytes_of(plan));
        for (;;) {
            pollfd events[2] = {{start_.master.get(), POLLIN, 0}, {socket_.get(), POLLIN, 0}};
            ::poll(events, 2, -1);
            if (events[0].revents && !on_master()) return 0;
            if (events[1].revents) answer();
        }
    }

private:
    bool on_master() {
        const PacketStatus status = reader_.receive(start_.master.get());
        if (status == PacketStatus::again) return true;
        if (status != PacketStatus::done) return false;
        const MasterHead& head = reader_.head();
        switch (static_cast<ToControl>(head.type)) {
            case ToControl::resources:
                reader_.body_as(resources_);
                segment_.emplace(shm::Segment::attach(reader_.take_fd(0)));
                channel_ = reader_.take_fd(1);
                socket_ = reader_.take_fd(2);
                break;
            case ToControl::plan_result:
                reader_.body_as(resources_);
                result_ = std::string(head.text.view());
                ++results_;
                tell(start_.master.get(), ToMaster::reload_finished, results_ + 1, result_);
                break;
            case ToControl::reload:
                reload();
                break;
            case ToControl::worker_event: {
                WorkerEvent event;
                if (reader_.body_as(event)) events_[event.index] = event;
                break;
            }
            case ToControl::reopen_logs:
                ++reopened_;
                break;
            case ToControl::upgrade_note:
                note_ = std::string(head.text.view());
                break;
            case ToControl::changes:
                if (head.number == 0) tell(start_.master.get(), ToMaster::changes_ended);
                break;
            case ToControl::stop:
                return false;
        }
        return true;
    }

    void reload() {
        ++reloads_;
        Plan plan;
        if (!read_plan(start_.options.config_path, plan)) return;
        tell(start_.master.get(), ToMaster::reload_started);
        tell(start_.master.get(), ToMaster::plan, 0, {}, bytes_of(plan));
    }

    void answer() {
        const UniqueFd client(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC));
        char line[64] = "";
        if (::read(client.get(), line, sizeof line - 1) <= 0) return;
        const std::string command(line);
        if (command == "abort\n") std::abort();
        if (command == "stop\n") tell(start_.master.get(), ToMaster::stop);
        if (command == "quit\n") tell(start_.master.get(), ToMaster::quit);
        if (command == "reopen\n") tell(start_.master.get(), ToMaster::reopen_logs);
        if (command == "garbage\n") (void)!::send(start_.master.get(), "garbage", 7, MSG_NOSIGNAL);
        const std::string text = command == "rights\n" ? rights() : state();
        (void)!::send(client.get(), text.data(), text.size(), MSG_NOSIGNAL);
    }

    std::string state() {
        std::ostringstream text;
        text << "control " << ::getpid() << "\nrespawned " << start_.respawned << "\nresult " << results_ << ' '
             << result_ << "\nnote " << note_ << "\nreloads " << reloads_ << "\nreopened " << reopened_
             << "\nstatus_port " << resources_.status_port << "\nports";
        for (int i = 0; i < 8; ++i) text << ' ' << resources_.ports[static_cast<std::size_t>(i)];
        text << "\nworkers";
        const auto* pages = segment_->zone_as<WorkerPages>(workers_zone);
        for (std::size_t i = 0; i < max_workers; ++i) {
            if ((*pages)[i].pid == 0) continue;
            const auto event = events_.find(static_cast<std::uint32_t>(i));
            const auto& state = event == events_.end() ? std::string_view("unknown") : name_of(event->second.state);
            text << ' ' << i << ':' << (*pages)[i].pid << ':' << state;
        }
        text << '\n';
        for (const auto& [index, event] : events_) {
            text << "event " << index << ' ' << name_of(event.state) << ' ' << event.crashes << ' ' << event.exit_status
                 << '\n';
        }
        return text.str();
    }

    ControlStart start_;
    PacketReader<MasterHead> reader_;
    Resources resources_;
    std::optional<shm::Segment> segment_;
    UniqueFd channel_, socket_;
    std::map<std::uint32_t, WorkerEvent> events_;
    std::string result_, note_;
    std::uint64_t results_ = 0, reloads_ = 0, reopened_ = 0;
};

class FakeWorker {
public:
    explicit FakeWorker(WorkerStart start) : start_(std::move(start)) {}

    int run() {
        if (exists(start_.plan, "crash")) std::abort();
        page_ = &(*start_.segment->zone_as<WorkerPages>(workers_zone))[start_.index];
        set(WorkerState::starting);
        while (!done_) {
            page_->heartbeat_ns = monotonic_ns();
            if (!ready_ && !exists(start_.plan, "stuck")) {
                ready_ = true;
                set(WorkerState::ready);
            }
            turn();
        }
        return 0;
    }

private:
    void set(WorkerState state) { page_->state = static_cast<std::uint32_t>(state); }

    void turn() {
        std::vector<pollfd> events{{start_.master.get(), POLLIN, 0}};
        for (const WorkerListener& listener : start_.listeners) {
            if (ready_ && listener.socket) events.push_back({listener.socket.get(), POLLIN, 0});
        }
        for (const UniqueFd& queue : queues_) events.push_back({queue.get(), POLLIN, 0});
        const int some = ::poll(events.data(), events.size(), draining_ ? 200 : 20);
        if (some == 0 && draining_) done_ = true;
        if (events[0].revents) on_master();
        for (std::size_t i = 1; i < events.size(); ++i) {
            if (events[i].revents) serve(events[i].fd);
        }
    }

    void serve(int listener) {
        const UniqueFd client(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
        if (!client) return;
        page_->accepted.fetch_add(1);
        char line[64] = "";
        if (::read(client.get(), line, sizeof line - 1) <= 0) return;
        if (std::string_view(line) == "abort\n") std::abort();
        if (std::string_view(line) == "log\n") (void)!::write(start_.access_log.get(), "line\n", 5);
        std::string text = std::to_string(start_.index) + " " + std::to_string(::getpid()) + "\n";
        if (std::string_view(line) == "rights\n") text = rights();
        (void)!::send(client.get(), text.data(), text.size(), MSG_NOSIGNAL);
    }

    void on_master() {
        const PacketStatus status = reader_.receive(start_.master.get());
        if (status == PacketStatus::again) return;
        if (status != PacketStatus::done) {
            done_ = true;
            return;
        }
        const MasterHead& head = reader_.head();
        switch (static_cast<ToWorker>(head.type)) {
            case ToWorker::drain:
                draining_ = true;
                set(WorkerState::draining);
                break;
            case ToWorker::stop:
                done_ = true;
                break;
            case ToWorker::add_listener:
                start_.listeners[head.number].socket = reader_.take_fd(0);
                break;
            case ToWorker::remove_listener:
                start_.listeners[head.number].socket.reset();
                break;
            case ToWorker::reopen_logs:
                if (head.number & 1) start_.access_log = reader_.take_fd(0);
                break;
            case ToWorker::pause_accept:
                break;
            case ToWorker::take_queue:
                queues_.push_back(reader_.take_fd(0));
                break;
        }
    }

    WorkerStart start_;
    WorkerPage* page_ = nullptr;
    PacketReader<MasterHead> reader_;
    std::vector<UniqueFd> queues_;
    bool done_ = false, draining_ = false, ready_ = false;
};

}  // namespace

// No plugins here.
std::string load_plugins(const std::string&) {
    return {};
}

int run_control(ControlStart start) {
    return FakeControl(std::move(start)).run();
}
int run_worker(WorkerStart start) {
    return FakeWorker(std::move(start)).run();
}

}  // namespace gateway::process

int main(int argc, char* argv[]) {
    gateway::process::Options options;
    options.arguments.assign(argv, argv + argc);
    options.config_path = argc > 1 ? argv[1] : "";
    if (argc > 2 && std::string_view(argv[2]) == "--check-upgrade") {
        gateway::process::Plan plan;
        const bool good =
            gateway::process::upgrade_format_agrees() && gateway::process::read_plan(options.config_path, plan);
        if (!good) std::fprintf(stderr, "the file is bad\n");
        return good ? 0 : 1;
    }
    return gateway::process::run_master(options);
}
