#include "libgateway/process/control_journal.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <unordered_map>

namespace gateway::process {

namespace {

constexpr std::size_t least_log = 1 << 20;  // below this a compaction saves nothing worth a message

[[noreturn]] void fail(const char* what) {
    throw std::system_error(errno, std::generic_category(), what);
}

void write_at(int fd, std::size_t offset, std::span<const char> bytes) {
    while (!bytes.empty()) {
        const ssize_t count = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) fail("write journal");
        offset += static_cast<std::size_t>(count);
        bytes = bytes.subspan(static_cast<std::size_t>(count));
    }
}

UniqueFd make_memfd(const char* name) {
    UniqueFd fd(::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (!fd) fail("memfd_create");
    return fd;
}

// The document while deltas are folded; texts are views into them.
class Folding {
public:
    // False, and nothing changed, if the delta does not follow from what is there.
    bool add(std::span<const char> bytes) {
        config::DeltaReader reader(bytes);
        if (!reader.ok() || reader.header().from != revision_) return false;
        std::vector<config::Change> changes;
        for (config::Change change; reader.next(change);) changes.push_back(change);
        if (!reader.ok() || digest_after(changes) != reader.header().digest) return false;
        for (const config::Change& change : changes) keep(change);
        revision_ = reader.header().to;
        digest_ = reader.header().digest;
        return true;
    }
    std::uint64_t revision() const noexcept { return revision_; }
    FullDelta finish() const;

private:
    using Objects = std::unordered_map<std::string_view, config::Change>;
    Objects& of(const config::Change& change) { return objects_[static_cast<std::size_t>(change.kind)]; }
    config::Digest digest_after(const std::vector<config::Change>& changes) {
        config::Digest digest = digest_;
        for (const config::Change& change : changes) {
            if (const auto old = of(change).find(change.id); old != of(change).end())
                digest.remove(hash_of(old->second));
            if (!change.removed) digest.add(hash_of(change));
        }
        return digest;
    }
    void keep(const config::Change& change) {
        of(change).erase(change.id);
        if (!change.removed) of(change).emplace(change.id, change);
    }
    std::array<Objects, config::kind_count> objects_;
    config::Digest digest_;
    std::uint64_t revision_ = 0;
};

FullDelta Folding::finish() const {
    std::vector<config::Change> all;
    for (const Objects& objects : objects_) {
        for (const auto& [id, change] : objects) all.push_back(change);
    }
    std::sort(all.begin(), all.end(), [](const config::Change& a, const config::Change& b) {
        if (a.kind != b.kind) return a.kind < b.kind;
        return a.order != b.order ? a.order < b.order : a.id < b.id;
    });
    FullDelta full{{}, revision_, digest_};
    config::DeltaWriter writer(full.bytes);
    writer.begin(0, revision_);
    for (const config::Change& change : all) writer.add(change);
    writer.finish(digest_);
    return full;
}

}  // namespace

UniqueFd sealed_memfd(std::span<const char> bytes) {
    UniqueFd fd = make_memfd("gateway-delta");
    write_at(fd.get(), 0, bytes);
    if (::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0)
        fail("seal memfd");
    return fd;
}

std::optional<FullDelta> fold(std::span<const char> deltas) {
    Folding folding;
    while (!deltas.empty()) {
        config::DeltaReader reader(deltas);
        if (!reader.ok() || !folding.add(deltas)) break;
        deltas = deltas.subspan(reader.header().size);
    }
    if (folding.revision() == 0) return std::nullopt;
    return folding.finish();
}

std::optional<FullDelta> fold_committed(int fd) try {
    config::JournalHeader header;
    const std::vector<char> head = Journal::read(fd, 0, sizeof header);
    std::memcpy(&header, head.data(), sizeof header);
    if (header.magic != config::JournalHeader::magic_value || header.committed < sizeof header) return std::nullopt;
    return fold(Journal::read(fd, sizeof header, header.committed));
} catch (const std::exception&) {
    return std::nullopt;
}

void Journal::Unmap::operator()(config::JournalHeader* header) const noexcept {
    ::munmap(header, sizeof *header);
}

Journal::Journal(std::span<const char> base, std::uint64_t revision) : fd_(make_memfd("gateway-journal")) {
    const config::JournalHeader fresh;
    write_at(fd_.get(), 0, {reinterpret_cast<const char*>(&fresh), sizeof fresh});
    write_at(fd_.get(), sizeof fresh, base);
    // Readers map it: it may grow, but never shrink under them.
    if (::fcntl(fd_.get(), F_ADD_SEALS, F_SEAL_SHRINK) < 0) fail("seal journal");
    void* memory = ::mmap(nullptr, sizeof fresh, PROT_READ | PROT_WRITE, MAP_SHARED, fd_.get(), 0);
    if (memory == MAP_FAILED) fail("map journal");
    header_.reset(static_cast<config::JournalHeader*>(memory));
    base_size_ = base.size();
    committed_ = sizeof fresh + base.size();
    revision_ = revision;
    publish();
}

void Journal::publish() noexcept {
    std::atomic_ref(header_->revision).store(revision_, std::memory_order_relaxed);
    std::atomic_ref(header_->committed).store(committed_, std::memory_order_release);
}

void Journal::stage(std::span<const char> delta) {
    write_at(fd_.get(), committed_, delta);
    staged_ = delta.size();
}

void Journal::commit(std::uint64_t revision) {
    committed_ += staged_;
    staged_ = 0;
    revision_ = revision;
    publish();
}

bool Journal::wants_compaction() const noexcept {
    const std::size_t log = committed_ - sizeof(config::JournalHeader) - base_size_;
    return log > least_log && log > 2 * base_size_;
}

std::vector<char> Journal::read(int fd, std::size_t offset, std::size_t end) {
    std::vector<char> bytes(end - offset);
    std::size_t done = 0;
    while (done < bytes.size()) {
        const ssize_t count = ::pread(fd, bytes.data() + done, bytes.size() - done, static_cast<off_t>(offset + done));
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) fail("read journal");
        done += static_cast<std::size_t>(count);
    }
    return bytes;
}

}  // namespace gateway::process
