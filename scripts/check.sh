#!/usr/bin/env bash
# Everything that is checked besides the tests: format, floors, lint, shell scripts, unit file, sanitizer run.
#   --fast   without the sanitizer run
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh

fast=0
case ${1:-} in
    "") ;;
    --fast) fast=1 ;;
    *) die "unknown option $1 (usage: check.sh [--fast])" ;;
esac

install_build_packages
install_packages python3-minimal clang-format-14 clang-tidy-14 libclang-common-14-dev systemd

say "format"
scripts/format.sh --check

say "floors and sizes"
python3 scripts/check_floors.py

say "shell scripts"
for script in scripts/*.sh .ci/run bench/*.sh; do
    [[ ! -e $script ]] || bash -n "$script"
done

say "systemd unit"
scripts/check_unit.sh

say "lint"
# A build database is enough for clang-tidy; the files are those that every room includes, so that it stays cheap.
cmake --preset release >/dev/null
clang-tidy-14 -p build/release --quiet --warnings-as-errors='*' --extra-arg=-Wno-unknown-warning-option \
    libgateway/base/strings.cpp libgateway/base/error.cpp tests/support/message.cpp tests/support/process.cpp \
    2> >(grep -E 'error' >&2 || true)

if ((fast == 0)); then
    # With clang: a second compiler for everything, and half of GCC's time for code with sanitizers.
    install_packages clang libclang-rt-dev llvm
    say "tests under the address and undefined behaviour sanitizers"
    build asan-clang
    ctest --preset asan-clang -j"$(nproc)"
fi
say "all checks passed"
