#include "libgateway/etcd/layout.hpp"

#include "tests/support/catch.hpp"

using namespace gateway::etcd;

TEST_CASE("layout: names and keys of objects lead to each other", "[etcd][layout]") {
    const auto [list, id, key] = GENERATE(table<std::string, std::string, std::string>(
        {{"routes", "1", "/apisix/routes/1"},
         {"consumers", "jack/credentials/c1", "/apisix/consumers/jack/credentials/c1"},
         {"secrets", "vault/1", "/apisix/secrets/vault/1"},
         {"plugins", "", "/apisix/plugins"}}));
    CHECK(object_key("/apisix", list, id) == key);
    CHECK(object_name("/apisix", key) == ObjectName{list, id});
}

TEST_CASE("layout: keys that are no objects have no name", "[etcd][layout]") {
    const auto key = GENERATE("", "/apisix", "/apisix/", "/apisix/routes", "/apisix/routes/", "/apisix//1",
                              "/apisix/routes//1", "/apisix/routes/1/", "/apisixx/routes/1", "/other/routes/1");
    CAPTURE(key);
    CHECK_FALSE(object_name("/apisix", key));
}

TEST_CASE("layout: directories of the reference hold no object", "[etcd][layout]") {
    CHECK(is_placeholder("/apisix/routes/", "init_dir"));
    CHECK(is_placeholder("/apisix/routes/", "{}"));
    CHECK_FALSE(is_placeholder("/apisix/routes/1", "{}"));
}
