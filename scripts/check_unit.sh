#!/usr/bin/env bash
# The systemd unit: no complaint of `systemd-analyze verify`, exposure of at most 3.0 by `security`, both offline.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh

command -v systemd-analyze >/dev/null || install_packages systemd
place=$(mktemp -d "${TMPDIR:-/tmp}/gateway-unit.XXXXXX")
trap 'rm -rf "$place"' EXIT
# The programs of the unit need not be installed here: any executable stands in for them.
sed "s|/usr/sbin/gatewayd|$(type -P true)|; s|/usr/bin/gatewayctl|$(type -P true)|" config/systemd/gateway.service \
    >"$place/gateway.service"
complaints=$(systemd-analyze verify "$place/gateway.service" 2>&1 | grep -F gateway.service || true)
[[ -z $complaints ]] || die "systemd-analyze verify: $complaints"
systemd-analyze security --offline=true --threshold=30 "$place/gateway.service" | tail -n 1
