#include "libgateway/process/signals.hpp"

#include <signal.h>
#include <sys/signalfd.h>

#include <cerrno>
#include <system_error>

namespace gateway::process {

Signals::Signals() {
    sigset_t all;
    ::sigfillset(&all);
    // Faults, and the keys of the terminal's job control, keep their meaning.
    for (const int number :
         {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS, SIGTSTP, SIGTTIN, SIGTTOU, SIGCONT}) {
        ::sigdelset(&all, number);
    }
    if (::sigprocmask(SIG_SETMASK, &all, nullptr) != 0)
        throw std::system_error(errno, std::system_category(), "signals");
    sigset_t ours;
    ::sigemptyset(&ours);
    for (const int number : {SIGCHLD, SIGHUP, SIGUSR1, SIGUSR2, SIGQUIT, SIGTERM, SIGINT}) {
        ::signal(number, SIG_DFL);  // an ignored one, inherited from nohup or a shell, would never arrive
        ::sigaddset(&ours, number);
    }
    fd_.reset(::signalfd(-1, &ours, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!fd_) throw std::system_error(errno, std::system_category(), "signalfd");
}

SignalsSeen Signals::take() noexcept {
    SignalsSeen seen;
    std::array<signalfd_siginfo, 16> infos;
    for (;;) {
        const ssize_t size = ::read(fd_.get(), infos.data(), sizeof infos);
        if (size <= 0) return seen;
        for (std::size_t i = 0; i < static_cast<std::size_t>(size) / sizeof(signalfd_siginfo); ++i) {
            switch (infos[i].ssi_signo) {
                case SIGCHLD:
                    seen.child = true;
                    break;
                case SIGHUP:
                    seen.reload = true;
                    break;
                case SIGUSR1:
                    seen.reopen = true;
                    break;
                case SIGUSR2:
                    seen.upgrade = true;
                    break;
                case SIGQUIT:
                    seen.quit = true;
                    break;
                default:
                    seen.stop = true;
            }
        }
    }
}

void restore_signals() noexcept {
    for (int number = 1; number < NSIG; ++number) ::signal(number, SIG_DFL);
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

}  // namespace gateway::process
