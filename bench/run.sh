#!/usr/bin/env bash
# Measures the gateway beside nginx, HAProxy, a bare Asio loop and the direct connection; writes bench/results/latest.md.
#   --quick        at most 2 minutes instead of 15
#   --only NAMES   of gateway,nginx,HAProxy,"bare Asio loop","bare Task loop",direct     --parts NAMES   of the parts in bench/README.md
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh

install_build_packages
install_packages nginx-light libnginx-mod-http-lua haproxy wrk nghttp2-client valgrind strace python3 util-linux
build release gateway-bench
exec python3 bench/load/bench.py "$@"
