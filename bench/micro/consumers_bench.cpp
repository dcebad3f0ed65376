// What 100,000 consumers cost a worker beside 10: building, looking a key up, one change.
#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "libgateway/config/delta.hpp"
#include "libgateway/plugin/registry.hpp"
#include "libgateway/snapshot/snapshot.hpp"
#include "libgateway/upstream/endpoint.hpp"

using namespace gateway;

namespace {

class BenchAuth final : public Plugin {
public:
    struct Settings {
        int unused = 0;
    };
    struct Credential {
        std::string key;
        static constexpr auto schema = config::fields(config::field("key", &Credential::key, "key", config::required));
    };
    static constexpr std::string_view name = "bench-auth", credential_key = "key";
    static constexpr int priority = 90001;
    static constexpr bool is_auth = true;
    static constexpr auto schema = config::fields(config::field("unused", &Settings::unused, "nothing"));
    BenchAuth(Settings, BuildScope&) {}
    Step rewrite(Exchange&) const override { return Verdict::next; }
};
const Registration<BenchAuth> registration;

double milliseconds_since(std::chrono::steady_clock::time_point start) {
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

std::string key_of(std::size_t i) {
    return fmt::format("key-of-consumer-{}", i);
}
std::string consumer_json(std::size_t i, int version) {
    return fmt::format(R"({{"username":"user{}","labels":{{"v":"{}"}},"plugins":{{"bench-auth":{{"key":"{}"}}}}}})", i,
                       version, key_of(i));
}

SnapshotPtr build(const SnapshotPtr& before, upstream::EndpointTable& endpoints, const std::vector<char>& delta) {
    SnapshotBuilder builder(before, endpoints);
    builder.feed(delta);
    while (!builder.advance(std::chrono::microseconds(500))) {
    }
    return builder.take();
}

bool find_credential(const Snapshot& snapshot, std::string_view key) {
    const Login login = snapshot.find_login(auth_slot<BenchAuth>(), key);
    return login && login.credential->settings();
}

void measure(std::size_t count) {
    config::Digest digest;
    std::vector<std::string> ids, texts;
    for (std::size_t i = 0; i < count; ++i) {
        ids.push_back(fmt::format("user{}", i));
        texts.push_back(consumer_json(i, 0));
    }
    const auto change = [&](std::size_t i, std::string_view text) {
        return config::Change{config::Kind::consumer, false, ids[i], i + 1, text};
    };
    std::vector<char> full, delta;
    config::DeltaWriter writer(full);
    writer.begin(0, 1);
    for (std::size_t i = 0; i < count; ++i) {
        writer.add(change(i, texts[i]));
        digest.add(config::hash_of(change(i, texts[i])));
    }
    writer.finish(digest);
    upstream::EndpointTable endpoints;
    auto start = std::chrono::steady_clock::now();
    SnapshotPtr snapshot = build({}, endpoints, full);
    const double built = milliseconds_since(start);

    // Ten keys again and again, so that the caches hold what both sizes need; then all of them in turn.
    const auto look_up = [&](std::size_t different) {
        constexpr std::size_t rounds = 2'000'000;
        std::vector<std::string> keys;
        for (std::size_t i = 0; i < different; ++i) keys.push_back(key_of(i * (count / different)));
        std::size_t found = 0;
        for (const std::string& key : keys) found += find_credential(*snapshot, key);
        start = std::chrono::steady_clock::now();
        for (std::size_t i = 0; i < rounds; ++i) found += find_credential(*snapshot, keys[i % different]);
        return found == rounds + different ? milliseconds_since(start) * 1e6 / rounds : -1.0;
    };
    const double hot = look_up(10), uniform = look_up(count);
    const std::string changed = consumer_json(count / 2, 1);
    config::Digest after = digest;
    after.remove(config::hash_of(change(count / 2, texts[count / 2])));
    after.add(config::hash_of(change(count / 2, changed)));
    config::DeltaWriter second(delta);
    second.begin(1, 2);
    second.add(change(count / 2, changed));
    second.finish(after);
    start = std::chrono::steady_clock::now();
    snapshot = build(snapshot, endpoints, delta);
    std::printf("%7zu consumers: built in %7.1f ms, look-up %5.1f ns (10 keys) %5.1f ns (all), one change %6.1f us\n",
                count, built, hot, uniform, milliseconds_since(start) * 1000);
}

}  // namespace

int main() {
    measure(10);
    measure(100'000);
}
