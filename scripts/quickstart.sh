#!/usr/bin/env bash
# From a bare checkout to a running gateway: installs what is missing, builds, starts the gateway with the example
# configuration in front of a demo upstream, sends requests through it and stays in the foreground.
#   --once   end after the demonstration; status 0 only if every answer was right
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh

once=0
case ${1:-} in
    "") ;;
    --once) once=1 ;;
    *) die "unknown option $1 (usage: quickstart.sh [--once])" ;;
esac

install_build_packages
build release gatewayd gatewayctl gateway-demo-upstream

bin=$root_dir/build/release/bin
if ((once)); then
    place=$(mktemp -d "${TMPDIR:-/tmp}/gateway-quickstart.XXXXXX")
else
    place=$root_dir/build/quickstart
    mkdir -p "$place"
fi
upstream="" gateway=""
cleanup() {
    [[ -z $gateway ]] || { kill -TERM "$gateway" 2>/dev/null && wait "$gateway" 2>/dev/null || true; }
    [[ -z $upstream ]] || kill "$upstream" 2>/dev/null || true
    ((once)) && rm -rf "$place" || true
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# until_true SECONDS COMMAND…: polls until the command succeeds.
until_true() {
    local end=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        ((SECONDS < end)) || return 1
        sleep 0.1
    done
}

say "starting the demo upstream on 127.0.0.1:1980"
"$bin/gateway-demo-upstream" --port 1980 --announce >"$place/upstream.log" 2>&1 &
upstream=$!
until_true 5 grep -q 1980 "$place/upstream.log" || die "the demo upstream did not start: $(cat "$place/upstream.log")"

say "starting gatewayd on 127.0.0.1:9080"
mkdir -p "$place/routes" "$place/data" "$place/logs"
cp config/gateway.yaml "$place/gateway.yaml"
cp config/routes/routes.yaml "$place/routes/routes.yaml"
# What systemd would hand over: nothing of this run is written outside of its folder.
export STATE_DIRECTORY=$place/data RUNTIME_DIRECTORY=$place/data LOGS_DIRECTORY=$place/logs
"$bin/gatewayd" -c "$place/gateway.yaml" >"$place/gatewayd.log" 2>&1 &
gateway=$!
ctl() { "$bin/gatewayctl" -c "$place/gateway.yaml" "$@"; }
if ! until_true 20 curl -fsS -o "$place/answer" http://127.0.0.1:9080/hello; then
    cat "$place/gatewayd.log" "$place"/logs/* >&2 || true
    die "the gateway did not answer on 127.0.0.1:9080"
fi

failed=0
# show EXPECTED-STATUS EXPECTED-TEXT CURL-ARGUMENTS…
show() {
    local status=$1 text=$2 got
    shift 2
    printf '\n$ curl %s\n' "$*"
    got=$(curl -sS -m 10 -o "$place/answer" -w '%{http_code}' "$@") || got="none"
    printf '%s\n' "$got"
    head -c 600 "$place/answer"
    if [[ $got != "$status" ]] || ! grep -qF -- "$text" "$place/answer"; then
        printf '   <- expected status %s and "%s"\n' "$status" "$text"
        failed=1
    fi
}

show 200 'hello world' http://127.0.0.1:9080/hello
show 200 '"uri":"/echo?greeting=hi"' 'http://127.0.0.1:9080/api/echo?greeting=hi'
show 200 '"body":"some data"' -d 'some data' http://127.0.0.1:9080/api/echo
show 404 '404' http://127.0.0.1:9080/nowhere

printf '\n$ gatewayctl explain GET http://127.0.0.1:9080/nowhere\n'
ctl explain GET http://127.0.0.1:9080/nowhere || true

say "a route is changed and reloaded while the gateway runs"
sed -i 's|uri: /hello|uri: /greeting|' "$place/routes/routes.yaml"
ctl reload || failed=1
show 404 '404' http://127.0.0.1:9080/hello
cp config/routes/routes.yaml "$place/routes/routes.yaml"
ctl reload || failed=1
show 200 'hello world' http://127.0.0.1:9080/hello

((failed == 0)) || die "an answer was not as expected"
printf '\n'
say "all answers were right"
((once)) && exit 0

cat <<TEXT

The gateway runs on http://127.0.0.1:9080 until Ctrl-C. Three things to try in another terminal:

  ctl="$bin/gatewayctl -s $place/data/gateway.sock"

  1. change a route and see it live:        \$EDITOR $place/routes/routes.yaml; \$ctl reload
  2. ask why a request goes where it goes:  \$ctl explain GET http://127.0.0.1:9080/api/echo
  3. look at the processes, kill a worker and see it return:  \$ctl status

TEXT
wait "$gateway"
