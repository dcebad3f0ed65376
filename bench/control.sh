#!/usr/bin/env bash
# Measures the control plane: changes over the Admin API, apply, history, memory; writes bench/results/control.md.
#   --small         small numbers, to see that it works      --churn SECONDS   how long 50 changes a second go on (60)
#   --parts NAMES   of puts,apply,clients,memory,history,churn
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh

install_build_packages
install_packages python3
build release gatewayd gatewayctl
exec python3 bench/load/control.py "$@"
