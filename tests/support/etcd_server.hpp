// A real etcd on a free port, for tests; can be stopped and started again with what it holds.
#pragma once

#include <signal.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "tests/support/connection.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/message.hpp"
#include "tests/support/process.hpp"
#include "tests/support/temp_dir.hpp"

namespace gateway::test {

class EtcdServer {
public:
    static bool installed() { return std::filesystem::exists("/usr/bin/etcd"); }

    // `settings`: further arguments of the program. With certificates among them, scheme is "https".
    explicit EtcdServer(std::vector<std::string> settings = {}, std::string scheme = "http")
        : settings_(std::move(settings)), scheme_(std::move(scheme)) {
        // Only to find ports.
        listen_on_free_port(port_);
        do listen_on_free_port(peer_port_);
        while (peer_port_ == port_);
        start();
    }
    std::uint16_t port() const noexcept { return port_; }
    std::string url() const { return scheme_ + "://127.0.0.1:" + std::to_string(port_); }
    // Returns when it answers; of a TLS one, when it accepts connections.
    void start() {
        launch();
        if (!eventually([&] { return answers(); }, milliseconds(20000)))
            throw std::runtime_error("etcd does not start: " + process_.output());
    }
    // Returns at once.
    void launch() {
        const std::string peer = "http://127.0.0.1:" + std::to_string(peer_port_);
        std::vector<std::string> args{"/usr/bin/etcd",
                                      "--data-dir",
                                      (folder_ / "data").string(),
                                      "--listen-client-urls",
                                      url(),
                                      "--advertise-client-urls",
                                      url(),
                                      "--listen-peer-urls",
                                      peer,
                                      "--initial-advertise-peer-urls",
                                      peer,
                                      "--initial-cluster",
                                      "default=" + peer,
                                      "--log-level",
                                      "error"};
        args.insert(args.end(), settings_.begin(), settings_.end());
        process_ = Process(args, folder_ / "etcd.log");
    }
    bool answers() const {
        try {
            Connection probe = connect_to(port_);
            if (scheme_ == "https") return true;
            probe.send("GET /health HTTP/1.1\r\nHost: etcd\r\nConnection: close\r\n\r\n");
            return read_response(probe).body.find("true") != std::string::npos;
        } catch (const ConnectionError&) {
            return false;
        }
    }
    void stop() { process_.kill(); }
    // Alive, but answering nothing.
    void freeze() { process_.signal(SIGSTOP); }
    void thaw() { process_.signal(SIGCONT); }

    // One call of the JSON gateway ("kv/put"); the body of its answer.
    std::string ask(std::string_view path, std::string_view json, const std::string& token = {}) const {
        Connection connection = connect_to(port_);
        connection.set_limit(milliseconds(5000) * patience);
        const std::string lines = token.empty() ? std::string() : "Authorization: " + token + "\r\n";
        connection.send(make_request("POST", "/v3/" + std::string(path), lines, json));
        return read_response(connection).body;
    }
    std::string log() const { return process_.output(); }

private:
    std::vector<std::string> settings_;
    std::string scheme_;
    TempDir folder_;
    std::uint16_t port_ = 0, peer_port_ = 0;
    Process process_;
};

}  // namespace gateway::test
