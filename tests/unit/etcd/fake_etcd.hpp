// The JSON gateway of etcd as a test has written it down: answers by path, and one script for each watch.
#pragma once

#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "libgateway/keyring/base64.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/scripted_upstream.hpp"

namespace gateway::test {

inline std::string base64(std::string_view text) {
    return keyring::encode_base64(text);
}

inline std::string header_at(std::uint64_t revision, std::string_view cluster = "7") {
    return R"("header":{"cluster_id":")" + std::string(cluster) + R"(","revision":")" + std::to_string(revision) +
           R"("})";
}
inline std::string entry_text(std::string_view key, std::string_view value, std::uint64_t revision) {
    return R"({"key":")" + base64(key) + R"(","create_revision":"1","mod_revision":")" + std::to_string(revision) +
           R"(","value":")" + base64(value) + "\"}";
}
inline std::string page_text(std::uint64_t revision, const std::vector<std::string>& entries, bool more = false) {
    std::string list;
    for (const std::string& entry : entries) list += (list.empty() ? "" : ",") + entry;
    return "{" + header_at(revision) + ",\"kvs\":[" + list + "]" + (more ? ",\"more\":true}" : "}");
}
inline std::string created_line(std::uint64_t revision, std::string_view cluster = "7") {
    return "{\"result\":{" + header_at(revision, cluster) + ",\"created\":true}}\n";
}
inline std::string put_line(std::string_view key, std::string_view value, std::uint64_t revision,
                            std::string_view further = {}) {
    return "{\"result\":{" + header_at(revision) + std::string(further) +
           ",\"events\":[{\"kv\":" + entry_text(key, value, revision) + "}]}}\n";
}

class FakeEtcd {
public:
    enum class Then : std::uint8_t { stay, close };
    struct WatchScript {
        std::vector<std::string> pieces;
        Then then = Then::stay;
    };

    FakeEtcd() : server_([this](Connection& connection, const Message& request) { serve(connection, request); }) {}

    std::string url() const { return "http://127.0.0.1:" + std::to_string(server_.port()); }
    std::uint16_t port() const { return server_.port(); }
    // One answer more for this path ("kv/range"); the last one is given again and again.
    void answer(const std::string& path, std::string body, int status = 200) {
        const std::lock_guard lock(mutex_);
        answers_[path].push_back({status, std::move(body)});
    }
    void watch(WatchScript script) {
        const std::lock_guard lock(mutex_);
        watches_.push_back(std::move(script));
    }
    // Bodies of the requests for this path, in order.
    std::vector<std::string> asked(std::string_view path) const {
        std::vector<std::string> bodies;
        for (const Message& request : server_.requests()) {
            if (request.target() == "/v3/" + std::string(path)) bodies.push_back(request.body);
        }
        return bodies;
    }
    std::vector<Message> requests() const { return server_.requests(); }
    ScriptedUpstream& server() noexcept { return server_; }

private:
    struct Reply {
        int status;
        std::string body;
    };
    void serve(Connection& connection, const Message& request) {
        const std::string path(request.target().substr(std::min<std::size_t>(4, request.target().size())));
        if (path == "watch") return serve_watch(connection);
        Reply reply{404, "{}"};
        {
            const std::lock_guard lock(mutex_);
            auto& list = answers_[path];
            if (!list.empty()) reply = list.front();
            if (list.size() > 1) list.pop_front();
        }
        connection.send(make_response(reply.status, reply.body));
    }
    void serve_watch(Connection& connection) {
        WatchScript script;
        {
            const std::lock_guard lock(mutex_);
            if (!watches_.empty()) script = watches_.front();
            if (watches_.size() > 1) watches_.pop_front();
        }
        connection.send("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n");
        for (const std::string& piece : script.pieces) {
            char size[20];
            std::snprintf(size, sizeof size, "%zx\r\n", piece.size());
            connection.send(size + piece + "\r\n");
        }
        if (script.then == Then::stay) (void)connection.wait_for_end(milliseconds(60000));
        connection.close();
    }

    std::mutex mutex_;
    std::map<std::string, std::deque<Reply>> answers_;
    std::deque<WatchScript> watches_;
    ScriptedUpstream server_;
};

}  // namespace gateway::test
