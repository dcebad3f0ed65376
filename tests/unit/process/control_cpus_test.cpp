#include "libgateway/process/control_cpus.hpp"

#include <fstream>

#include "tests/unit/process/control_fakes.hpp"

using namespace gateway::process;
using namespace gateway::process::test;

namespace {

struct Groups : TemporaryFolder {
    void write(const std::string& path, const std::string& text) {
        std::filesystem::create_directories(std::filesystem::path(file(path)).parent_path());
        std::ofstream(file(path)) << text;
    }
    unsigned cpus(unsigned allowed, const std::string& membership) {
        return usable_cpus(allowed, membership, file(""));
    }
};

}  // namespace

TEST_CASE("usable cpus: without a quota all that are allowed", "[process][control_cpus]") {
    Groups groups;
    REQUIRE(groups.cpus(8, "0::/") == 8);
    groups.write("cpu.max", "max 100000\n");
    REQUIRE(groups.cpus(8, "0::/") == 8);
    REQUIRE(groups.cpus(0, "") == 1);
}

TEST_CASE("usable cpus: a quota is rounded up and never widens", "[process][control_cpus]") {
    Groups groups;
    groups.write("a/cpu.max", "150000 100000\n");
    REQUIRE(groups.cpus(8, "0::/a\n") == 2);
    REQUIRE(groups.cpus(1, "0::/a\n") == 1);
    groups.write("b/cpu.max", "1000 100000\n");
    REQUIRE(groups.cpus(8, "0::/b\n") == 1);
}

TEST_CASE("usable cpus: a parent's quota binds too", "[process][control_cpus]") {
    Groups groups;
    groups.write("a/cpu.max", "300000 100000\n");
    groups.write("a/b/cpu.max", "max 100000\n");
    REQUIRE(groups.cpus(8, "0::/a/b\n") == 3);
}

TEST_CASE("usable cpus: version 1 groups", "[process][control_cpus]") {
    Groups groups;
    groups.write("cpu/x/cpu.cfs_quota_us", "400000\n");
    groups.write("cpu/x/cpu.cfs_period_us", "100000\n");
    REQUIRE(groups.cpus(8, "7:memory:/x\n4:cpu,cpuacct:/x\n") == 4);
    groups.write("cpu/x/cpu.cfs_quota_us", "-1\n");
    REQUIRE(groups.cpus(8, "4:cpu,cpuacct:/x\n") == 8);
}

TEST_CASE("usable cpus: damaged files count as no limit", "[process][control_cpus]") {
    Groups groups;
    groups.write("a/cpu.max", GENERATE("", "x y", "5", "-5 100", "1 0"));
    REQUIRE(groups.cpus(4, "0::/a\nnonsense\n:\n") == 4);
}
