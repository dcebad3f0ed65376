// An exchange without sockets: runs chains over a scripted request and response and keeps what upstream and client
// would see.
#pragma once

#include <algorithm>
#include <coroutine>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libgateway/base/strings.hpp"
#include "libgateway/plugin/chain.hpp"
#include "libgateway/plugin/exchange.hpp"
#include "libgateway/plugin/rewrite_phase.hpp"

namespace gateway::test {

// Time stands still, sleepers are held until `wake`, chance is scripted.
class FakeServices : public Services {
public:
    Task<void> sleep(Milliseconds duration) override {
        slept += duration;
        co_await Held{*this};
    }
    Task<MetricsText> metrics(Arena&) override { co_return metrics_text; }
    MetricsText metrics_text;
    bool later(Milliseconds after, Task<void> work) override {
        if (!leaving) laters.emplace_back(after, std::move(work));
        return !leaving;
    }
    // Begins what was to be done later; what that puts off stays. False if there was nothing.
    bool begin_laters() {
        auto all = std::exchange(laters, {});
        for (auto& [after, work] : all) spawn(std::move(work));
        return !all.empty();
    }
    std::vector<std::pair<Milliseconds, Task<void>>> laters;
    bool leaving = false;
    Task<void> fetch(const client::Url&, const client::Request& request, const client::Limits&,
                     client::Answer& answer) override {
        answer.failure = client::Failure::connect_refused;
        if (!service) co_return;
        answer.failure = client::Failure::none;
        service(request, answer);
    }
    bool tell(const client::Url&, const client::Request& request, const client::Limits&) override {
        return told && told(request);
    }
    std::uint64_t random() noexcept override { return next_random++; }
    void secure_random(void* to, std::size_t size) noexcept override {
        auto* bytes = static_cast<unsigned char*>(to);
        for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<unsigned char>(next_byte = next_byte * 5 + 7);
    }
    telemetry::SeriesWriter* series() noexcept override { return own_series; }
    delivery::Dispatch* dispatch() noexcept override { return own_dispatch; }
    std::int64_t now_ms() const noexcept override { return now; }
    std::string_view server_token() const noexcept override { return "gateway/0.1.0"; }
    std::string_view error_page_token() const noexcept override { return "gateway"; }
    void count_plugin_throw() noexcept override { ++plugin_throws; }
    int plugin_throws = 0;
    // False if nobody sleeps.
    bool wake() {
        if (sleeping.empty()) return false;
        const std::coroutine_handle<> first = sleeping.front();
        sleeping.erase(sleeping.begin());
        first.resume();
        return true;
    }

    telemetry::SeriesWriter* own_series = nullptr;
    delivery::Dispatch* own_dispatch = nullptr;
    std::function<void(const client::Request&, client::Answer&)> service;  // none: it is down
    std::function<bool(const client::Request&)> told;
    shm::Tables* tables() noexcept override { return shared; }

    static shm::Tables& of_this_test_program() {
        static shm::Tables tables;
        return tables;
    }
    shm::Tables* shared = &of_this_test_program();
    Milliseconds slept{0};
    std::uint64_t next_random = 0;
    unsigned next_byte = 1;
    std::int64_t now = 1800328447000;  // Tue, 19 Jan 2027 03:14:07 GMT
    std::vector<std::coroutine_handle<>> sleeping;

private:
    struct Held {
        FakeServices& services;
        bool await_ready() const noexcept { return false; }
        void await_suspend(std::coroutine_handle<> who) const { services.sleeping.push_back(who); }
        void await_resume() const noexcept {}
    };
};

using FieldList = std::vector<std::pair<std::string, std::string>>;

// What the scripted upstream answers; the body comes in these pieces.
struct Script {
    unsigned status = 200;
    FieldList fields{{"Content-Type", "text/plain"}};
    std::vector<std::string> chunks{"hello world\n"};
    bool end_apart = false;  // the last piece is empty
};

// One message as its receiver sees it.
struct Seen {
    std::string line;  // request: "GET /path"; response: empty
    std::string host;  // request: Host set by a plugin
    unsigned status = 0;
    FieldList fields;
    std::string body;
    bool page = false;  // response: the built-in page of the status
    bool cut = false;   // response: the body filters gave up

    // All values of that field, joined with ", "; "(none)" if there is none.
    std::string field(std::string_view name) const {
        std::optional<std::string> joined;
        for (const auto& [key, value] : fields) {
            if (iequals(key, name)) joined = joined ? *joined + ", " + value : value;
        }
        return joined.value_or("(none)");
    }
};

class FakeExchange final : public Exchange {
public:
    explicit FakeExchange(std::string_view method = "GET", std::string_view target = "/hello") {
        services_ = &own_services;
        set_request(method, target);
        set_client("127.0.0.1");
        host = "localhost";
        request.fields.add("Host", "localhost");
    }

    void set_request(std::string_view method, std::string_view target) {
        request.method_text = keep(method);
        request.method = boost::beast::http::string_to_verb({method.data(), method.size()});
        request.target = keep(target);
        const std::size_t mark = request.target.find('?');
        request.raw_path = request.target.substr(0, mark);
        has_args = request.has_query = mark != std::string_view::npos;
        args = request.query = has_args ? request.target.substr(mark + 1) : std::string_view();
        uri = decode(request.raw_path);
    }
    void set_client(std::string_view address) {
        client_text = keep(address);
        client = expr::parse_address(client_text).value();
    }
    FakeExchange& with(std::string_view name, std::string_view value) {
        request.fields.add(keep(name), keep(value));
        if (iequals(name, "X-Forwarded-For")) forwarded_for = request.fields.get(name);
        return *this;
    }
    // A body that arrived whole; a plugin that needs it finds it as the proxy would give it.
    FakeExchange& with_body(std::string_view bytes) {
        request_body = keep(bytes);
        request.body = {http::BodyKind::length, bytes.size()};
        body_buffered = true;
        return *this;
    }

    bool read(const expr::Variable& variable, expr::VariableValue& out) const override {
        if (const auto found = variables.find(variable.name); found != variables.end()) {
            out = expr::VariableValue::of(found->second);
            return true;
        }
        if (read_own(variable, out)) return true;
        if (variable.kind != expr::VariableKind::request_uri) return false;
        out = expr::VariableValue::of(has_args ? arena_.join(uri, "?", args) : uri);
        return true;
    }

    // Of route 1, matched as /hello, answered in 12 ms by an endpoint at 127.0.0.1.
    ExchangeFacts facts() const override {
        ExchangeFacts known = Exchange::facts();
        known.route_serial = 1;
        known.route_id = "1";
        known.matched_uri = "/hello";
        known.request_length = 100;
        known.bytes_sent = 200;
        known.duration_us = 12'345;
        if (source == ResponseSource::upstream) {
            known.node = "127.0.0.1";
            known.upstream_ms = 10;
        }
        if (change_facts) change_facts(known);
        return known;
    }
    std::function<void(ExchangeFacts&)> change_facts;

    // The whole life of the request; sleepers are woken at once. Fills `upstream` (empty if not reached) and `answer`.
    const Seen& run(const Chain& route, const Script& script = {}, const Chain* global = nullptr) {
        bool done = false;
        spawn(flow(route, global, script, done));
        while (!done && own_services.wake()) continue;
        finished = done;
        return answer;
    }

    // Whom auth plugins find; must outlive the exchange.
    void use(const ConsumerDirectory& directory) noexcept { consumers_ = &directory; }

    Ref<const Chain> chain;  // the route's, or merged with a consumer's entries
    FakeServices own_services;
    std::map<std::string, std::string> variables{
        {"route_id", "1"}, {"balancer_ip", "127.0.0.1"}, {"balancer_port", "1980"}};
    std::optional<Seen> upstream;
    Seen answer;
    bool finished = false;

private:
    std::string_view keep(std::string_view text) { return kept_.emplace_back(std::string(text)); }
    std::string_view decode(std::string_view path) {
        std::string plain;
        for (std::size_t i = 0; i < path.size(); ++i) {
            if (path[i] == '%' && i + 2 < path.size()) {
                plain += static_cast<char>(hex_value(path[i + 1]) * 16 + hex_value(path[i + 2]));
                i += 2;
            } else {
                plain += path[i];
            }
        }
        return keep(plain);
    }

    template <Phase P, class... Args>
    static Task<Verdict> both(const Chain* global, const Chain& route, Exchange& exchange, Args&... args) {
        for (const Chain* chain : {global, &route}) {
            if (!chain) continue;
            Step step = chain->template run<P>(exchange, args...);
            Verdict verdict = step.verdict();
            if (!step.ready()) {
                Task<Verdict> pending = std::move(step).wait();
                verdict = co_await pending;
            }
            if (verdict != Verdict::next) co_return verdict;
        }
        co_return Verdict::next;
    }

    Task<void> flow(const Chain& of_route, const Chain* global, const Script& script, bool& done) {
        route_chain = &of_route;
        chain = Ref<const Chain>(&of_route);
        const Ref<const Chain> nothing = Chain::make({}, Chain::Scope::global);
        Verdict verdict = co_await run_rewrite(*this, global ? *global : *nothing, chain, true);
        const Chain& route = *chain;
        if (verdict == Verdict::next) verdict = co_await both<Phase::access>(global, route, *this);
        if (verdict == Verdict::next) verdict = co_await pick_and_send(route, global);
        std::vector<std::string> chunks = verdict == Verdict::next ? receive(script) : local_reply();
        keep_promises();
        verdict = co_await both<Phase::header_filter>(global, route, *this);
        if (verdict == Verdict::respond) chunks = local_reply();
        take_head();
        co_await send_body(route, global, gather(route, chunks), script.end_apart);
        co_await both<Phase::log>(global, route, *this);
        done = true;
    }

    Task<Verdict> pick_and_send(const Chain& route, const Chain* global) {
        const Verdict verdict = co_await both<Phase::before_proxy>(global, route, *this, nobody());
        if (verdict != Verdict::next) co_return verdict;
        Seen seen;
        const std::string_view method = upstream_method_text.empty() ? request.method_text : upstream_method_text;
        seen.line = std::string(method) + " " + std::string(upstream_target());
        seen.host = upstream_host;
        copy(request.fields, seen.fields);
        seen.body = request_body;
        upstream = std::move(seen);
        co_return Verdict::next;
    }

    // Hooks of these tests do not look at the endpoint, whose type is not known here; there is room for one.
    static const upstream::Endpoint& nobody() {
        alignas(64) static const std::byte place[1024]{};
        return *reinterpret_cast<const upstream::Endpoint*>(place);
    }

    static void copy(const http::Fields& from, FieldList& to) {
        for (const http::Field& field : from) to.emplace_back(field.name, field.value);
    }

    std::vector<std::string> receive(const Script& script) {
        response.clear();
        response.status = script.status;
        for (const auto& [name, value] : script.fields) response.fields.add(keep(name), keep(value));
        source = ResponseSource::upstream;
        variables["upstream_status"] = std::to_string(script.status);
        return script.chunks;
    }

    std::vector<std::string> local_reply() {
        response.status = reply().status;
        answer.page = reply().kind == LocalReply::Body::page;
        if (answer.page) return {""};
        return {std::string(reply().body) + (reply().kind == LocalReply::Body::json ? "\n" : "")};
    }

    void take_head() {
        finish_response_head();
        answer.status = response.status;
        copy(response.fields, answer.fields);
    }

    static std::vector<std::string> gather(const Chain& route, std::vector<std::string> chunks) {
        const std::size_t most = route.response_body_needed();
        std::string first;
        while (first.size() < most && !chunks.empty()) {
            const std::size_t part = std::min(most - first.size(), chunks.front().size());
            first += chunks.front().substr(0, part);
            chunks.front().erase(0, part);
            if (chunks.front().empty()) chunks.erase(chunks.begin());
        }
        if (most > 0) chunks.insert(chunks.begin(), first);
        return chunks;
    }

    Task<void> send_body(const Chain& route, const Chain* global, std::vector<std::string> chunks, bool end_apart) {
        if (chunks.empty() || end_apart) chunks.emplace_back();
        Arena scratch;
        for (std::size_t i = 0; i < chunks.size(); ++i) {
            BodyChunk chunk{chunks[i], i + 1 == chunks.size(), scratch};
            Verdict verdict = co_await both<Phase::body_filter>(global, route, *this, chunk);
            if (verdict == Verdict::next) {
                verdict = co_await both<Phase::delayed_body_filter>(global, route, *this, chunk);
            }
            answer.cut = verdict != Verdict::next;
            if (answer.cut) co_return;
            answer.body += chunk.bytes;
            scratch.reset();
        }
    }

    struct Kept : std::vector<std::unique_ptr<std::string>> {
        std::string_view emplace_back(std::string text) {
            push_back(std::make_unique<std::string>(std::move(text)));
            return *back();
        }
    };
    Kept kept_;
};

// A chain of configured plugins by name, each checked and built from JSON text.
class TestChain {
public:
    TestChain& add(std::string_view name, std::string_view json_text) {
        const json::Value config = json::parse(json_text);
        const PluginType* type = plugin_registry().find(name);
        if (!type) throw config::Error("unknown plugin [" + std::string(name) + "]");
        BuildScope scope{"routes/1", node};
        if (const auto found = metadata.find(std::string(name)); found != metadata.end()) {
            scope.metadata = &found->second;
        }
        instances_.push_back(make_instance(*type, config, scope));
        return *this;
    }
    Ref<const Chain> make(Chain::Scope scope = Chain::Scope::route) const { return Chain::make(instances_, scope); }
    NodeScope node;
    std::map<std::string, json::Value> metadata;  // by plugin

private:
    std::vector<Ref<const Instance>> instances_;
};

inline Ref<const Chain> chain_of(std::string_view name, std::string_view json_text) {
    return TestChain().add(name, json_text).make();
}

}  // namespace gateway::test
