#!/usr/bin/env bash
# Installs what is missing, builds and runs every test.   test.sh [PRESET] [CTEST-ARGUMENTS…]   (default: release)
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh

preset=${1:-release}
shift || true
install_build_packages
install_test_packages
build "$preset"
say "testing ($preset)"
ctest --preset "$preset" -j"$(nproc)" "$@"
