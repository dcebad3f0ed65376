#include "libgateway/telemetry/series.hpp"

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <map>
#include <vector>

#include "tests/support/alloc_count.hpp"
#include "tests/support/catch.hpp"

using namespace gateway::telemetry;

namespace {

// A page as the master makes it: shared, zeroed, page aligned.
class Page {
public:
    explicit Page(std::size_t size = 1 << 20) : size_(size) {
        at_ = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        REQUIRE(at_ != MAP_FAILED);
    }
    ~Page() { ::munmap(at_, size_); }
    std::span<std::byte> bytes() const { return {static_cast<std::byte*>(at_), size_}; }

private:
    std::size_t size_;
    void* at_ = nullptr;
};

std::string labels(std::initializer_list<std::string_view> values) {
    std::string text;
    for (const std::string_view value : values) append_label(text, value);
    return text;
}

std::map<std::string, std::uint64_t> sums(const Page& page) {
    std::map<std::string, std::uint64_t> all;
    for (SeriesReader reader(page.bytes()); reader.next();) {
        std::string_view rest = reader.name().labels, value;
        std::string text;
        while (next_label(rest, value)) text.append(value).append("|");
        all[text] += reader.cell(0);
    }
    return all;
}

}  // namespace

TEST_CASE("series: a known one is found again, names differ by kind, variant and labels", "[telemetry][series]") {
    const Page page;
    SeriesWriter writer(page.bytes());
    const std::string one = labels({"200", "r"}), other = labels({"20", "0r"});
    Series* first = writer.find_or_add({SeriesKind::http_status, 0, 1, one});
    REQUIRE(first);
    CHECK(writer.find_or_add({SeriesKind::http_status, 0, 1, one}) == first);
    CHECK(writer.find_or_add({SeriesKind::http_status, 0, 1, other}) != first);
    CHECK(writer.find_or_add({SeriesKind::http_status, 7, 1, one}) != first);
    CHECK(writer.find_or_add({SeriesKind::bandwidth, 0, 1, one}) != first);
    add(first->cell(0), 3);
    CHECK(sums(page).at("200|r|") == 3);
    CHECK(sums(page).at("20|0r|") == 0);
}

TEST_CASE("series: a known one costs no allocation", "[telemetry][series]") {
    const Page page;
    SeriesWriter writer(page.bytes());
    const std::string name = labels({"200"});
    REQUIRE(writer.find_or_add({SeriesKind::http_status, 0, 1, name}));
    const gateway::test::AllocCount count;
    for (int i = 0; i < 100; ++i) add(writer.find_or_add({SeriesKind::http_status, 0, 1, name})->cell(0));
    CHECK(count.count() == 0);
    CHECK(sums(page).at("200|") == 100);
}

TEST_CASE("series: the next worker of a slot counts on; gauges begin at nothing", "[telemetry][series]") {
    const Page page;
    const std::string name = labels({"a"}), gauge = labels({"g"});
    {
        SeriesWriter writer(page.bytes());
        add(writer.find_or_add({SeriesKind::http_status, 0, 1, name})->cell(0), 5);
        set(writer.find_or_add({SeriesKind::batch_entries, 0, 1, gauge})->cell(0), 9);
    }
    SeriesWriter next(page.bytes());
    CHECK(sums(page) == std::map<std::string, std::uint64_t>{{"a|", 5}, {"g|", 0}});
    add(next.find_or_add({SeriesKind::http_status, 0, 1, name})->cell(0), 2);
    CHECK(sums(page).at("a|") == 7);
}

TEST_CASE("series: a full page refuses and counts, what is there goes on", "[telemetry][series]") {
    const Page page(4096);
    SeriesWriter writer(page.bytes());
    std::size_t made = 0;
    for (int i = 0; i < 200; ++i) {
        made += writer.find_or_add({SeriesKind::http_status, 0, 1, labels({std::to_string(1000 + i)})}) ? 1 : 0;
    }
    CHECK(made > 50);
    CHECK(made < 200);
    CHECK(writer.refused() == 200 - made);
    CHECK(SeriesReader(page.bytes()).refused() == 200 - made);
    CHECK(sums(page).size() == made);
    CHECK(writer.find_or_add({SeriesKind::http_status, 0, 1, labels({"1000"})}));
}

TEST_CASE("series: no page means no series, and no harm", "[telemetry][series]") {
    SeriesWriter writer({});
    CHECK_FALSE(writer.find_or_add({SeriesKind::http_status, 0, 1, labels({"x"})}));
    CHECK_FALSE(SeriesReader({}).next());
}

TEST_CASE("series: a reader of a damaged page stays within it", "[telemetry][series]") {
    for (std::size_t at = 0; at < 512; at += 4) {
        const Page page(4096);
        SeriesWriter writer(page.bytes());
        for (int i = 0; i < 8; ++i) writer.find_or_add({SeriesKind::bandwidth, 0, 2, labels({"value", "more"})});
        const std::uint32_t wild = 0xfffffff8;
        std::memcpy(page.bytes().data() + at, &wild, sizeof wild);
        std::size_t seen = 0;
        for (SeriesReader reader(page.bytes()); reader.next();) {
            static_cast<void>(reader.cell(reader.name().cells - 1));
            std::string_view rest = reader.name().labels, value;
            while (next_label(rest, value)) CHECK(value.size() < page.bytes().size());
            ++seen;
        }
        CHECK(seen <= 8);
    }
}

TEST_CASE("series: a worker killed while it counts leaves a page that can be read and gone on with",
          "[telemetry][series]") {
    const Page page;
    std::uint64_t last = 0;
    for (int round = 0; round < 10; ++round) {
        const pid_t child = ::fork();
        if (child == 0) {
            SeriesWriter writer(page.bytes());
            for (int i = 0;; ++i) {
                const auto name = labels({std::to_string(i % 3000)});
                if (Series* series = writer.find_or_add({SeriesKind::http_status, 0, 1, name})) add(series->cell(0));
            }
        }
        const auto total = [&] {
            std::uint64_t all = 0;
            for (SeriesReader reader(page.bytes()); reader.next();) all += reader.cell(0);
            return all;
        };
        while (total() < last + 500) continue;
        ::kill(child, SIGKILL);
        ::waitpid(child, nullptr, 0);
        CHECK(total() >= last + 500);
        last = total();
    }
    CHECK(sums(page).size() <= 3000);
}
