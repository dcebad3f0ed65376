// Log files of the machine: opened by the master, so that they can be reopened after the others gave up their rights.
#pragma once

#include <string>

#include "libgateway/base/unique_fd.hpp"
#include "libgateway/process/plan.hpp"

namespace gateway::process {

class LogFiles {
public:
    // Opens what the plan names: a file (made with mode 0640, handed over to the plan's user, missing directories too),
    // or a copy of standard output or error. Throws std::runtime_error naming path, owner and mode. Changes no log in
    // use.
    static LogFiles open(const Plan& plan);

    int access() const noexcept { return access_.get(); }  // -1: off
    int error() const noexcept { return error_.get(); }    // -1: standard error
    bool access_is_file() const noexcept { return access_is_file_; }
    bool error_is_file() const noexcept { return error_is_file_; }
    // From now on the master's own lines go there too; the object must stay.
    void use_for_master(const Plan& plan) const noexcept;

private:
    UniqueFd access_, error_;
    bool access_is_file_ = false, error_is_file_ = false;
};

}  // namespace gateway::process
