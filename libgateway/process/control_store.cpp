#include "libgateway/process/control_store.hpp"

#include "libgateway/base/log.hpp"

namespace gateway::process {

namespace {

struct Opened {
    std::shared_ptr<store::Store> store;
    store::Store::Contents contents;
    std::string problem;
};

template <class Load>
Opened open_store(const std::string& path, store::Limits limits, Load load) {
    Opened opened;
    try {
        opened.store = std::make_shared<store::Store>(path, limits);
        opened.contents = ((*opened.store).*load)();
    } catch (const std::exception& error) {
        opened.store.reset();
        opened.problem = error.what();
    }
    return opened;
}

std::string commit_to(store::Store& store, const store::Store::Write& write) {
    try {
        store.commit(write);
    } catch (const std::exception& error) {
        return error.what();
    }
    return {};
}

}  // namespace

asio::awaitable<std::optional<store::Store::Contents>> StoreThread::open(std::string path, store::Limits limits) {
    return open_with(std::move(path), limits, &store::Store::load);
}

asio::awaitable<std::optional<store::Store::Contents>> StoreThread::open_history(std::string path,
                                                                                 store::Limits limits) {
    return open_with(std::move(path), limits, &store::Store::load_history);
}

asio::awaitable<std::optional<store::Store::Contents>> StoreThread::open_with(std::string path, store::Limits limits,
                                                                              Load load) {
    auto work = [path, limits, load] { return open_store(path, limits, load); };
    Opened opened = co_await on_thread(thread_, std::move(work));
    store_ = std::move(opened.store);
    problem_ = std::move(opened.problem);
    if (!store_) co_return std::nullopt;
    co_return std::move(opened.contents);
}

void StoreThread::disable(std::string why) {
    store_.reset();
    problem_ = std::move(why);
}

asio::awaitable<std::string> StoreThread::commit(store::Store::Write write) {
    if (!store_) co_return problem_;
    auto work = [store = store_, write = std::move(write)] { return commit_to(*store, write); };
    std::string why = co_await on_thread(thread_, std::move(work));
    if (!why.empty()) log::error("the store cannot be written: {}", why);
    problem_ = why;
    co_return why;
}

}  // namespace gateway::process
