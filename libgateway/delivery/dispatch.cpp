#include "libgateway/delivery/dispatch.hpp"

#include <utility>

#include "libgateway/delivery/log_file.hpp"
#include "libgateway/delivery/outbox.hpp"

namespace gateway::delivery {

Dispatch::~Dispatch() {
    // Those that wait for their time hold themselves; it will not come any more.
    for (Outbox* one = first_; one;) {
        Outbox* const next = one->next_;
        const std::shared_ptr<Outbox> last = std::exchange(one->kept_, nullptr);
        one = next;
    }
    if (log_thread_) log_thread_->stop(Milliseconds(1000));
}

void Dispatch::drain() {
    draining_ = true;
    for (Outbox* outbox = first_; outbox; outbox = outbox->next_) outbox->flush();
}

bool Dispatch::busy() const noexcept {
    for (const Outbox* outbox = first_; outbox; outbox = outbox->next_) {
        if (outbox->busy()) return true;
    }
    return false;
}

std::shared_ptr<LogFile> Dispatch::file(const std::string& path) {
    std::weak_ptr<LogFile>& known = files_[path];
    std::shared_ptr<LogFile> file = known.lock();
    if (!file) known = file = std::make_shared<LogFile>(*this, path);
    return file;
}

void Dispatch::reopen_files() {
    for (auto it = files_.begin(); it != files_.end();) {
        const std::shared_ptr<LogFile> file = it->second.lock();
        if (file) file->reopen();
        it = file ? std::next(it) : files_.erase(it);
    }
}

telemetry::LogThread& Dispatch::log_thread() {
    if (!log_thread_) {
        log_thread_ = std::make_unique<telemetry::LogThread>();
        log_thread_->start();
    }
    return *log_thread_;
}

}  // namespace gateway::delivery
