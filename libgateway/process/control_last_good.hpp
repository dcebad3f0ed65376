// The last good revision on disk: a base and an append log in the delta format, written by a thread of its own so that
// no fsync ever stalls the loop. Until it is written, the journal in memory holds the same (control_journal.hpp).
// Objects in it are as workers use them, with secrets in plain text: the file is encrypted if the keyring can.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "libgateway/process/control_journal.hpp"
#include "libgateway/process/control_keyring.hpp"

namespace gateway::process {

// Control only. Orders are carried out one after the other; an error is logged once and ends with the next base that
// can be written: the gateway serves on without the file.
class LastGood {
public:
    // An empty path: nothing is kept.
    explicit LastGood(std::string path);
    // Carries out what was ordered before.
    ~LastGood();
    LastGood(const LastGood&) = delete;
    LastGood& operator=(const LastGood&) = delete;

    // The keyring from now on, for reading and for all that is written from the next base on. Without a call nothing is
    // encrypted; null: nothing is written.
    void protect(KeyringPtr ring);
    // What the file holds now; nothing if there is none, no key reads it, or not even its base is whole.
    std::optional<FullDelta> load() const;
    // Replaces the file: written beside it, synced, renamed.
    void replace(std::vector<char> deltas) { order({true, std::move(deltas)}); }
    // Adds deltas behind those there, within a second.
    void append(std::vector<char> deltas) { order({false, std::move(deltas)}); }
    // Returns when everything ordered before is on disk.
    void flush();

private:
    struct Order {
        bool whole;
        std::vector<char> bytes;
    };
    void order(Order order);
    void run();
    void carry_out(const std::vector<Order>& orders);
    void write_whole(const std::vector<char>& bytes);
    KeyringPtr ring() const;

    std::string path_;
    KeyringPtr ring_ = std::make_shared<const keyring::Keyring>();
    KeyringPtr file_ring_;  // the thread's: with which the base was written
    UniqueFd file_;         // the thread's: opened for appending after a base was written
    mutable std::mutex mutex_;
    std::condition_variable wake_, idle_;
    std::deque<Order> orders_;
    bool busy_ = false, resting_ = false, ended_ = false;
    int flushing_ = 0;
    std::thread thread_;
};

}  // namespace gateway::process
