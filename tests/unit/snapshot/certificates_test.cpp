#include "libgateway/snapshot/certificates.hpp"

#include <cstdlib>

#include "libgateway/config/errors.hpp"
#include "libgateway/tls/name_index.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/made_certificate.hpp"
#include "tests/unit/snapshot/document.hpp"

using namespace gateway;
using namespace gateway::test;

namespace {

const MadeCertificate& made() {
    static const MadeCertificate one = make_certificate({"a.test", "DNS:a.test"});
    return one;
}

std::string ssl(const std::string& sni, const std::string& key = made().key) {
    return json::write(json::Value::object(
        {{"cert", json::Value(made().certificate)}, {"key", json::Value(key)}, {"sni", json::Value(sni)}}));
}
std::string with(const std::string& object, std::string_view member, json::Value value) {
    json::Value changed = json::parse(object);
    changed.set(member, std::move(value));
    return json::write(changed);
}

std::string holder(const SnapshotPtr& snapshot, std::string_view name) {
    const tls::Identity* const found = snapshot->names().find(name);
    return !found ? "none" : found->usable() ? found->id() : found->id() + " broken: " + found->problem();
}

}  // namespace

TEST_CASE("certificates: a delta changes names, and the revision before keeps its own", "[snapshot][certificates]") {
    Worker worker;
    worker.document.put(Kind::ssl, "1", ssl("a.test")).put(Kind::ssl, "2", ssl("*.test"));
    worker.reload();
    const SnapshotPtr first = worker.snapshot;
    CHECK(holder(first, "a.test") == "1");
    CHECK(holder(first, "b.test") == "2");
    worker.document.remove(Kind::ssl, "1").put(Kind::ssl, "2", ssl("c.test"), 2);
    worker.update();
    const SnapshotPtr second = worker.snapshot;
    CHECK(holder(second, "a.test") == "none");
    CHECK(holder(second, "c.test") == "2");
    CHECK(holder(first, "a.test") == "1");
    worker.document.remove(Kind::ssl, "2");
    worker.reload();
    CHECK(holder(worker.snapshot, "c.test") == "none");
}

TEST_CASE("certificates: what did not change stays the same object through a full document",
          "[snapshot][certificates]") {
    Worker worker;
    worker.document.put(Kind::ssl, "1", ssl("a.test"));
    const tls::Identity* const before = worker.reload().names().find("a.test");
    REQUIRE(before);
    CHECK(worker.reload().names().find("a.test") == before);
}

TEST_CASE("certificates: of equal names the object made first is shown", "[snapshot][certificates]") {
    Worker worker;
    worker.document.put(Kind::ssl, "young", ssl("a.test"), 9).put(Kind::ssl, "old", ssl("a.test"), 3);
    worker.reload();
    CHECK(holder(worker.snapshot, "a.test") == "old");
}

TEST_CASE("certificates: those for upstreams and those switched off are not shown", "[snapshot][certificates]") {
    Worker worker;
    worker.document.put(Kind::ssl, "off", with(ssl("a.test"), "status", json::Value(0)))
        .put(Kind::ssl, "client", with(ssl("b.test"), "type", json::Value("client")));
    worker.reload();
    const SnapshotPtr snapshot = worker.snapshot;
    CHECK(holder(snapshot, "a.test") == "none");
    CHECK(holder(snapshot, "b.test") == "none");
}

TEST_CASE("certificates: a broken one keeps its name and says why", "[snapshot][certificates]") {
    Worker worker;
    worker.document.put(Kind::ssl, "star", ssl("*.test"))
        .put(Kind::ssl, "sealed", ssl("a.test", std::string(100, 'A')))
        .put(Kind::ssl, "unset", ssl("b.test", "$env://GATEWAY_TEST_NO_SUCH_KEY"));
    worker.reload();
    const SnapshotPtr snapshot = worker.snapshot;
    CHECK(holder(snapshot, "a.test") == "sealed broken: failed to parse key: PEM_read_bio_PrivateKey() failed");
    CHECK_THAT(holder(snapshot, "b.test"),
               Catch::Matchers::StartsWith("unset broken: $env://GATEWAY_TEST_NO_SUCH_KEY: "));
    CHECK(holder(snapshot, "c.test") == "star");
}

TEST_CASE("certificates: a key may stand in the environment", "[snapshot][certificates]") {
    ::setenv("GATEWAY_TEST_KEY", made().key.c_str(), 1);
    Worker worker;
    worker.document.put(Kind::ssl, "1", ssl("a.test", "$env://GATEWAY_TEST_KEY"));
    worker.reload();
    CHECK(holder(worker.snapshot, "a.test") == "1");
}

TEST_CASE("certificates: paths that are open to everybody are found by their patterns", "[snapshot][certificates]") {
    Worker worker;
    const json::Value client =
        json::Value::object({{"ca", json::Value(made().certificate)},
                             {"skip_mtls_uri_regex", json::Value::array({json::Value("^/open")})}});
    worker.document.put(Kind::ssl, "1", with(ssl("a.test"), "client", client));
    worker.reload();
    const SnapshotPtr snapshot = worker.snapshot;
    const auto* const found = static_cast<const ServerIdentity*>(snapshot->names().find("a.test"));
    REQUIRE(found);
    CHECK(found->checks_clients());
    CHECK_FALSE(found->checks_in_handshake());
    CHECK(found->is_open("/open/x"));
    CHECK_FALSE(found->is_open("/hello"));
}
