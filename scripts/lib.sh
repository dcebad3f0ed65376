# shellcheck shell=bash
# What the scripts share: messages, packages, builds. Sourced, never run; the caller sets -euo pipefail.

root_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

say() { printf '== %s\n' "$*"; }
die() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

# Runs a command as root: directly, or through sudo.
as_root() {
    if ((EUID == 0)); then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        die "needs root or sudo for: $*"
    fi
}

installed() { [[ $(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null) == installed ]]; }

# Installs those of the named packages that are missing; asks the package mirror only when something is.
install_packages() {
    local package missing=()
    for package in "$@"; do
        installed "$package" || missing+=("$package")
    done
    ((${#missing[@]})) || return 0
    command -v apt-get >/dev/null || die "please install: ${missing[*]}"
    say "installing ${missing[*]}"
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# Debian 12 has Boost 1.81 beside its default 1.74, which lacks Boost.JSON; later releases have one Boost that is enough.
boost_packages() {
    local codename=
    [[ -r /etc/os-release ]] && codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
    if [[ $codename == bookworm ]]; then
        echo libboost1.81-dev libboost-json1.81-dev libboost-container1.81-dev
    else
        echo libboost-dev libboost-json-dev libboost-container-dev
    fi
}

install_build_packages() {
    # shellcheck disable=SC2046
    install_packages ca-certificates g++ cmake ninja-build ccache pkg-config git $(boost_packages) \
        libssl-dev libspdlog-dev libfmt-dev libfyaml-dev libpcre2-dev libc-ares-dev libsystemd-dev libhiredis-dev libsqlite3-dev zlib1g-dev \
        libbrotli-dev catch2 libvalijson-dev curl redis-tools
}

# The same for packages with services, of which only the programs are wanted: nothing is started, now or at the next boot.
install_without_services() {
    local policy=/usr/sbin/policy-rc.d service missing=()
    for service in "$@"; do
        installed "$service" || missing+=("$service")
    done
    ((${#missing[@]})) || return 0
    if [[ -e $policy ]]; then
        install_packages "${missing[@]}"
    else
        # What package scripts ask before they start anything; 101 means no. They ask on every machine, with systemd or not.
        printf '#!/bin/sh\nexit 101\n' | as_root install -m 755 /dev/stdin "$policy"
        install_packages "${missing[@]}" || {
            as_root rm -f "$policy"
            return 1
        }
        as_root rm -f "$policy"
    fi
    [[ -d /run/systemd/system ]] || return 0
    for service in "${missing[@]}"; do
        as_root systemctl disable --quiet "${service%-server}.service" || true
    done
}

# Left out are, without them: a test in which promtool reads what the metrics endpoint writes, those against a real etcd, and
# those that look at the dashboard in a browser (300 MB; Ubuntu has no such package).
install_test_packages() {
    install_without_services prometheus etcd-server
    [[ $(apt-cache policy chromium 2>/dev/null) == *Candidate:*deb* ]] || return 0
    install_packages chromium || say "without chromium: no test of the dashboard's page"
}

# Jobs for a build: one per usable CPU, but not more than memory allows at 1.5 GiB a compiler.
build_jobs() {
    local cpus memory
    cpus=$(nproc)
    memory=$(awk '/^MemAvailable:/ {print int($2 / 1572864)}' /proc/meminfo)
    ((memory >= 1)) || memory=1
    echo $((cpus < memory ? cpus : memory))
}

# build PRESET [TARGET…]
build() {
    local preset=$1
    shift
    say "building ($preset)"
    cmake --preset "$preset" >/dev/null
    cmake --build --preset "$preset" -j"$(build_jobs)" ${1:+--target "$@"}
}
