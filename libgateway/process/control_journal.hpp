// The journal of revisions: one full delta and those since, in a memfd that workers replay at their start. Also the
// folding of such a sequence back into one full delta, shared with the file of the last good revision.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "libgateway/base/unique_fd.hpp"
#include "libgateway/config/delta.hpp"

namespace gateway::process {

// Bytes in an anonymous file that nobody can change any more; may travel to any process. Throws std::system_error.
UniqueFd sealed_memfd(std::span<const char> bytes);

// A whole document as one encoded delta with from = 0.
struct FullDelta {
    std::vector<char> bytes;
    std::uint64_t revision = 0;
    config::Digest digest;
};

// Folds a sequence of encoded deltas, the first of which is a full one, into the document at its end. A damaged, torn
// or misfitting delta and all behind it are left out; nothing if not even the first is good. Touches no shared state.
std::optional<FullDelta> fold(std::span<const char> deltas);

// What is committed in a journal's memory file, whoever wrote it; nothing if that cannot be read.
std::optional<FullDelta> fold_committed(int fd);

// Control only, loop thread. Readers (the master's copy of the descriptor, workers) trust `committed` bytes and no
// more.
class Journal {
public:
    // `base` is one encoded full delta of revision `revision`. Throws std::system_error.
    Journal(std::span<const char> base, std::uint64_t revision);

    int fd() const noexcept { return fd_.get(); }
    std::uint64_t revision() const noexcept { return revision_; }
    // Writes a delta behind the committed end, where no reader looks yet; a second call replaces the first.
    void stage(std::span<const char> delta);
    // Publishes what was staged.
    void commit(std::uint64_t revision);
    void abandon() noexcept { staged_ = 0; }

    std::size_t committed() const noexcept { return committed_; }
    // What was staged and not decided yet.
    std::vector<char> staged() const { return read(fd_.get(), committed_, committed_ + staged_); }
    // The log has outgrown its base so much that a new journal pays.
    bool wants_compaction() const noexcept;
    // Committed deltas from byte `offset` on, as they lie in the file. Safe on any thread for offsets committed before.
    static std::vector<char> read(int fd, std::size_t offset, std::size_t end);

private:
    struct Unmap {
        void operator()(config::JournalHeader* header) const noexcept;
    };
    void publish() noexcept;

    UniqueFd fd_;
    std::unique_ptr<config::JournalHeader, Unmap> header_;
    std::size_t base_size_ = 0, committed_ = 0, staged_ = 0;
    std::uint64_t revision_ = 0;
};

}  // namespace gateway::process
