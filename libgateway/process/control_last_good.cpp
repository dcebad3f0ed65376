#include "libgateway/process/control_last_good.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "libgateway/base/log.hpp"
#include "libgateway/keyring/sealed_file.hpp"

namespace gateway::process {

namespace {

constexpr auto write_gap = std::chrono::seconds(1);

[[noreturn]] void fail(const std::string& what) {
    throw std::system_error(errno, std::generic_category(), what);
}

UniqueFd open_file(const std::string& path, int flags) {
    UniqueFd fd(::open(path.c_str(), flags | O_CLOEXEC, 0600));
    if (!fd) fail(path);
    return fd;
}

void write_all(int fd, std::span<const char> bytes, const std::string& path) {
    while (!bytes.empty()) {
        const ssize_t count = ::write(fd, bytes.data(), bytes.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) fail(path);
        bytes = bytes.subspan(static_cast<std::size_t>(count));
    }
}

std::vector<char> read_all(const std::string& path) {
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    struct stat about {};
    if (!fd || ::fstat(fd.get(), &about) != 0) return {};
    std::vector<char> bytes(static_cast<std::size_t>(about.st_size));
    std::size_t done = 0;
    while (done < bytes.size()) {
        const ssize_t count = ::read(fd.get(), bytes.data() + done, bytes.size() - done);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) break;
        done += static_cast<std::size_t>(count);
    }
    bytes.resize(done);
    return bytes;
}

}  // namespace

LastGood::LastGood(std::string path) : path_(std::move(path)) {
    if (!path_.empty()) thread_ = std::thread([this] { run(); });
}

LastGood::~LastGood() {
    if (!thread_.joinable()) return;
    {
        const std::lock_guard lock(mutex_);
        ended_ = true;
    }
    wake_.notify_one();
    thread_.join();
}

void LastGood::protect(KeyringPtr ring) {
    const std::lock_guard lock(mutex_);
    ring_ = std::move(ring);
}

KeyringPtr LastGood::ring() const {
    const std::lock_guard lock(mutex_);
    return ring_;
}

std::optional<FullDelta> LastGood::load() const {
    if (path_.empty()) return std::nullopt;
    const std::vector<char> bytes = read_all(path_);
    if (!keyring::is_sealed(bytes)) return fold(bytes);
    const KeyringPtr keys = ring();
    const auto plain = keys ? keyring::open_records(*keys, bytes) : std::nullopt;
    if (!plain) log::warn("{}: no key of the keyring reads it; it is not used", path_);
    return plain ? fold(*plain) : std::nullopt;
}

void LastGood::order(Order order) {
    if (path_.empty()) return;
    {
        const std::lock_guard lock(mutex_);
        // A new base makes everything that waits before it pointless.
        if (order.whole) orders_.clear();
        orders_.push_back(std::move(order));
        if (resting_) return;
    }
    wake_.notify_one();
}

void LastGood::flush() {
    std::unique_lock lock(mutex_);
    ++flushing_;
    wake_.notify_one();
    idle_.wait(lock, [this] { return orders_.empty() && !busy_; });
    --flushing_;
}

// A first change is written at once, those of the next second together: a sync costs more than all else of a change.
void LastGood::run() {
    std::unique_lock lock(mutex_);
    for (;;) {
        wake_.wait(lock, [this] { return ended_ || !orders_.empty(); });
        if (orders_.empty()) return;
        const std::vector<Order> orders(std::make_move_iterator(orders_.begin()),
                                        std::make_move_iterator(orders_.end()));
        orders_.clear();
        busy_ = true;
        lock.unlock();
        carry_out(orders);
        lock.lock();
        busy_ = false;
        if (orders_.empty()) idle_.notify_all();
        resting_ = true;
        wake_.wait_for(lock, write_gap, [this] { return ended_ || (flushing_ > 0 && !orders_.empty()); });
        resting_ = false;
    }
}

void LastGood::carry_out(const std::vector<Order>& orders) try {
    for (const Order& order : orders) {
        if (order.whole) {
            write_whole(order.bytes);
        } else if (file_) {
            write_all(file_.get(), keyring::seal_record(*file_ring_, order.bytes), path_);
        }
    }
    if (file_ && ::fdatasync(file_.get()) != 0) fail(path_);
} catch (const std::exception& error) {
    log::error("last good revision cannot be kept: {}", error.what());
    file_.reset();
}

void LastGood::write_whole(const std::vector<char>& bytes) {
    file_.reset();
    file_ring_ = ring();
    if (!file_ring_) return;
    const std::string beside = path_ + ".new";
    UniqueFd fresh = open_file(beside, O_WRONLY | O_CREAT | O_TRUNC);
    write_all(fresh.get(), keyring::seal_base(*file_ring_, bytes), beside);
    if (::fsync(fresh.get()) != 0) fail(beside);
    if (::rename(beside.c_str(), path_.c_str()) != 0) fail(path_);
    const UniqueFd folder = open_file(std::filesystem::path(path_).parent_path().string(), O_RDONLY | O_DIRECTORY);
    ::fsync(folder.get());
    file_ = std::move(fresh);
}

}  // namespace gateway::process
