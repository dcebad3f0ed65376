#include "libgateway/process/control_journal.hpp"

#include <fcntl.h>
#include <sys/mman.h>

#include <fstream>

#include "tests/unit/process/control_fakes.hpp"

using namespace gateway;
using namespace gateway::process;
using namespace gateway::process::test;

namespace {

std::vector<char> delta(std::uint64_t from, std::uint64_t to, const config::Change& change, config::Digest after) {
    std::vector<char> bytes;
    config::DeltaWriter writer(bytes);
    writer.begin(from, to);
    writer.add(change);
    writer.finish(after);
    return bytes;
}

std::vector<char> join(std::vector<char> a, const std::vector<char>& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
}

struct Sample {
    config::Change a = route_change("a", "1", 1), b = route_change("b", "2", 2), a2 = route_change("a", "3", 1);
    FullDelta base = full_delta(1, {a, b});
    config::Digest after_change = full_delta(0, {a2, b}).digest, after_removal = full_delta(0, {a2}).digest;
    std::vector<char> change = delta(1, 2, a2, after_change), removal = delta(2, 5, removed("b"), after_removal);
};

}  // namespace

TEST_CASE("fold: a base and its deltas become one document", "[process][control_journal]") {
    const Sample sample;
    const auto folded = fold(join(join(sample.base.bytes, sample.change), sample.removal));
    REQUIRE(folded);
    REQUIRE(folded->revision == 5);
    REQUIRE(folded->digest == sample.after_removal);
    REQUIRE(folded->bytes == full_delta(5, {sample.a2}).bytes);
}

TEST_CASE("fold: a torn end falls back to the revision before it", "[process][control_journal]") {
    const Sample sample;
    const auto whole = join(sample.base.bytes, sample.change);
    for (std::size_t size = sample.base.bytes.size(); size < whole.size(); ++size) {
        const auto folded = fold({whole.data(), size});
        REQUIRE(folded);
        REQUIRE(folded->revision == 1);
    }
}

TEST_CASE("fold: a flipped byte is noticed by the digest or the lengths", "[process][control_journal]") {
    const Sample sample;
    const auto whole = join(sample.base.bytes, sample.change);
    const std::size_t text = whole.size() - 1;
    auto damaged = whole;
    damaged[text] ^= 1;
    REQUIRE(fold(damaged)->revision == 1);
    damaged = whole;
    damaged[sample.base.bytes.size() - 1] ^= 1;
    REQUIRE_FALSE(fold(damaged));
}

TEST_CASE("fold: a delta that does not follow is left out", "[process][control_journal]") {
    const Sample sample;
    REQUIRE(fold(join(sample.base.bytes, sample.removal))->revision == 1);
    REQUIRE_FALSE(fold(sample.change));
    REQUIRE_FALSE(fold({}));
}

TEST_CASE("journal: readers see a delta only when it is committed", "[process][control_journal]") {
    const Sample sample;
    Journal journal(sample.base.bytes, 1);
    const auto committed = [&] {
        config::JournalHeader header;
        REQUIRE(::pread(journal.fd(), &header, sizeof header, 0) == sizeof header);
        REQUIRE(header.magic == config::JournalHeader::magic_value);
        return header.committed;
    };
    const std::size_t base = sizeof(config::JournalHeader) + sample.base.bytes.size();
    REQUIRE(committed() == base);
    journal.stage(sample.change);
    REQUIRE(committed() == base);
    journal.abandon();
    journal.commit(1);
    REQUIRE(committed() == base);
    journal.stage(sample.change);
    journal.commit(2);
    REQUIRE(committed() == base + sample.change.size());
    REQUIRE(journal.revision() == 2);
    journal.stage(sample.removal);
    REQUIRE(fold_committed(journal.fd())->revision == 2);
    REQUIRE(fold_committed(journal.fd())->digest == sample.after_change);
}

TEST_CASE("journal: what is none folds to nothing", "[process][control_journal]") {
    REQUIRE_FALSE(fold_committed(-1));
    REQUIRE_FALSE(fold_committed(sealed_memfd({}).get()));
    REQUIRE_FALSE(fold_committed(sealed_memfd(std::vector<char>(200, 'x')).get()));
}

TEST_CASE("journal: nobody can shrink it under its readers", "[process][control_journal]") {
    const Journal journal(Sample().base.bytes, 1);
    REQUIRE(::ftruncate(journal.fd(), 0) != 0);
}

TEST_CASE("journal: wants compaction when the log is twice the base and not small", "[process][control_journal]") {
    const Sample sample;
    Journal journal(sample.base.bytes, 1);
    const std::string large(600'000, 'x');
    std::uint64_t revision = 1;
    for (int i = 0; i < 2; ++i) {
        REQUIRE_FALSE(journal.wants_compaction());
        journal.stage(delta(revision, revision + 1, route_change("a", large, 1), {}));
        journal.commit(++revision);
    }
    REQUIRE(journal.wants_compaction());
}

TEST_CASE("sealed memfd: holds the bytes and refuses every change", "[process][control_journal]") {
    const std::string text = "abc";
    const UniqueFd fd = sealed_memfd(text);
    REQUIRE(Journal::read(fd.get(), 0, 3) == std::vector<char>{'a', 'b', 'c'});
    REQUIRE(::pwrite(fd.get(), "x", 1, 0) < 0);
    REQUIRE(::ftruncate(fd.get(), 10) != 0);
}

TEST_CASE("last good: what was ordered is found again, appended deltas too", "[process][control_last_good]") {
    const TemporaryFolder folder;
    const Sample sample;
    LastGood disk(folder.file("last-good"));
    REQUIRE_FALSE(disk.load());
    disk.replace(sample.base.bytes);
    disk.append(sample.change);
    disk.flush();
    REQUIRE(disk.load()->revision == 2);
    disk.append(sample.removal);
    disk.flush();
    REQUIRE(LastGood(folder.file("last-good")).load()->digest == sample.after_removal);
}

TEST_CASE("last good: a new base replaces the file whole", "[process][control_last_good]") {
    const TemporaryFolder folder;
    const Sample sample;
    {
        LastGood disk(folder.file("last-good"));
        disk.replace(sample.base.bytes);
        disk.append(sample.change);
        disk.replace(full_delta(9, {sample.b}).bytes);
    }
    REQUIRE(LastGood(folder.file("last-good")).load()->revision == 9);
    REQUIRE_FALSE(std::filesystem::exists(folder.file("last-good.new")));
}

TEST_CASE("last good: with a key that encrypts it is encrypted, and another key rewrites it",
          "[process][control_last_good]") {
    const TemporaryFolder folder;
    const Sample sample;
    const auto ring_of = [](std::initializer_list<std::string_view> keys) {
        auto ring = std::make_shared<keyring::Keyring>();
        for (const std::string_view key : keys) ring->add(key, keyring::Keyring::Use::both, "test");
        return ring;
    };
    const auto found_with = [&](KeyringPtr ring) {
        LastGood disk(folder.file("last-good"));
        disk.protect(std::move(ring));
        const auto kept = disk.load();
        return kept ? kept->revision : 0;
    };
    const KeyringPtr first = ring_of({"AAAAAAAAAAAAAAAA"}), second = ring_of({"BBBBBBBBBBBBBBBB"});
    LastGood disk(folder.file("last-good"));
    disk.protect(first);
    disk.replace(sample.base.bytes);
    disk.append(sample.change);
    disk.flush();
    CHECK(found_with(first) == 2);
    CHECK(found_with(second) == 0);
    CHECK(found_with(nullptr) == 0);
    disk.protect(second);
    disk.append(sample.removal);  // as its base, until there is a new one
    disk.flush();
    CHECK(found_with(first) == 5);
    disk.replace(sample.base.bytes);
    disk.flush();
    CHECK(found_with(second) == 1);
    disk.protect(nullptr);
    disk.replace(full_delta(9, {sample.b}).bytes);
    disk.flush();
    CHECK(found_with(second) == 1);
}

TEST_CASE("last good: a folder that cannot be written is no failure of the gateway", "[process][control_last_good]") {
    const TemporaryFolder folder;
    LastGood disk(folder.file("missing/last-good"));
    disk.replace(Sample().base.bytes);
    disk.append(Sample().change);
    disk.flush();
    REQUIRE_FALSE(disk.load());
}
