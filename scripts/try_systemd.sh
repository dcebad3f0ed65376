#!/usr/bin/env bash
# The unit under a real systemd: start, reload, deaths, new binary, watchdog, stop. Run by hand, as root; takes 15 s.
#
#   scripts/try_systemd.sh [DIRECTORY OF THE PROGRAMS]      default: build/release/bin
#
# systemd runs as process 1 of namespaces of its own, in a root of overlays over this machine's /usr: nothing is installed
# and no service of this machine is touched. Status 77: this machine cannot do that.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh
unit=$(realpath config/systemd/gateway.service)

cannot() {
    say "not possible here: $*"
    exit 77
}

# --- in the namespaces: the root, then systemd in the place of this shell

make_etc() {
    cp -a /etc/{passwd,group,shadow,nsswitch.conf,ld.so.cache,hosts} "$root/etc/"
    cp -aL /etc/os-release "$root/etc/"
    : >"$root/etc/machine-id"
    echo 'gateway:x:990:990::/nonexistent:/usr/sbin/nologin' >>"$root/etc/passwd"
    echo 'gateway:x:990:' >>"$root/etc/group"
    local units=$root/etc/systemd/system off
    mkdir -p "$units/gateway.service.d" "$root/etc/gateway"
    cp "$unit" "$units/"
    printf '[Service]\nWatchdogSec=3\n' >"$units/gateway.service.d/sooner.conf"
    ln -s /usr/lib/systemd/system/multi-user.target "$units/default.target"
    # What would reach for the hardware or the kernel of the machine, and what nobody needs here.
    for off in systemd-{sysctl,binfmt,modules-load,udevd,udev-trigger,random-seed,timesyncd,logind,firstboot,sysusers}.service \
        systemd-{remount-fs,update-utmp,update-utmp-runlevel,repart,tmpfiles-setup-dev,pstore,networkd}.service \
        systemd-udevd-{control,kernel}.socket proc-sys-fs-binfmt_misc.automount kmod-static-nodes.service getty.target \
        sys-kernel-{config,debug,tracing}.mount sys-fs-fuse-connections.mount dev-{hugepages,mqueue}.mount \
        dbus.{service,socket} {cryptsetup,integritysetup}.target; do
        ln -s /dev/null "$units/$off"
    done
    printf 'apisix: {node_listen: [{ip: 127.0.0.1, port: 80}]}\nnginx_config: {worker_processes: 2}\n' \
        >"$root/etc/gateway/gateway.yaml"
    routes one >"$root/etc/gateway/routes.yaml"
}

# The route file: / answers with the word, /slow two seconds later.
routes() {
    printf 'routes:\n  - {id: 1, uri: /, plugins: {mocking: {response_example: %s}}}\n' "$1"
    printf '  - {id: 2, uri: /slow, plugins: {fault-injection: {delay: {duration: 2}}, mocking: {response_example: late}}}\n'
}

make_dev() {
    mount -t tmpfs -o mode=0755 tmpfs "$root/dev"
    mkdir "$root/dev/shm" "$root/dev/pts"
    local name minor
    while read -r name minor; do mknod -m 666 "$root/dev/$name" c 1 "$minor"; done <<<$'null 3\nzero 5\nfull 7\nrandom 8\nurandom 9'
    mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
    ln -s pts/ptmx "$root/dev/ptmx"
    ln -s /proc/self/fd "$root/dev/fd"
    : >"$root/dev/console"
}

become_systemd() {
    root=$1
    mount -t tmpfs -o mode=0755 tmpfs "$root"
    mkdir -p "$root"/{usr,etc,run,tmp,dev,proc,sys,root,home,upper,work,var/lib,var/log,var/tmp,var/cache}
    chmod 1777 "$root/tmp" "$root/var/tmp"
    mount -t overlay -o "lowerdir=/usr,upperdir=$root/upper,workdir=$root/work" overlay "$root/usr"
    local link
    for link in bin sbin lib lib64; do ln -s "usr/$link" "$root/$link"; done
    cp "$programs/gatewayd" "$root/usr/sbin/"
    cp "$programs/gatewayctl" "$root/usr/bin/"
    make_etc
    make_dev
    mount -t proc proc "$root/proc"
    mount --bind "$root/proc/sys" "$root/proc/sys"
    mount -o remount,ro,bind "$root/proc/sys"
    mount -t sysfs -o ro sysfs "$root/sys"
    mount -t tmpfs -o mode=0755 tmpfs "$root/run"
    mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
    hostname gateway-try
    exec env -i container=oci PATH=/usr/sbin:/usr/bin chroot "$root" /usr/lib/systemd/systemd --system --show-status=no
}

# --- outside: what is done to it, and what must come of it

inside() { nsenter -t "$init" -m -p -C -n -i -u -r -w env -i PATH=/usr/sbin:/usr/bin "$@"; }
shown() { inside systemctl show gateway -p "$1" --value; }
main_pid() { shown MainPID; }
children() { inside ps -o pid= --ppid "$(main_pid)"; }
answer() { inside curl -s --max-time 5 "http://127.0.0.1${1:-/}"; }

# expect WHAT COMMAND…: the command succeeds within fifteen seconds.
expect() {
    local what=$1 tries=150
    shift
    until "$@"; do
        ((tries--)) || { inside journalctl -u gateway --no-pager -o cat -n 30 >&2; die "not seen: $what"; }
        sleep 0.1
    done
    say "$what"
}
is() { [[ $("${@:2}") == "$1" ]]; }
is_not() { [[ $("${@:2}") != "$1" ]]; }
# Active, all workers ready, that revision, that many restarts by systemd, and a request is answered.
serves() {
    is active shown ActiveState && is "2 of 2 workers ready, revision $2" shown StatusText &&
        is "$3" shown NRestarts && is "$1" answer
}
write_routes() { "$@" | inside tee /etc/gateway/routes.yaml >/dev/null; }

story() {
    up() { inside systemctl is-system-running 2>/dev/null; }
    expect 'systemd runs' is running up
    inside systemctl start gateway
    expect 'started as its user on port 80; the status names workers and revision' serves one 1 0
    is gateway inside ps -o user= -p "$(main_pid)" || die "it does not run as gateway"
    local main worker
    main=$(main_pid)

    write_routes routes two
    inside systemctl reload gateway
    expect 'reload: the new revision' serves two 2 0
    write_routes echo 'routes: 5'
    inside systemctl reload gateway 2>/dev/null && die "a bad file was reloaded"
    expect 'a bad file: the reload fails, all else stays' serves two 2 0
    write_routes routes two

    worker=$(children | tail -n 1)
    inside kill -9 "$worker"
    all_back() { [[ $(children | wc -l) -eq 3 && $(children) != *"$worker"* ]]; }
    expect 'kill -9 of a worker: another one, by the master' all_back
    expect 'and it serves' serves two 2 0
    inside kill -USR2 "$main"
    renewed() { is "" comm -12 <(children | sort) <(echo "$before" | sort); }
    before=$(children)
    expect 'USR2: other workers of the same process' renewed
    is "$main" main_pid || die "USR2 changed the main process"

    inside kill -9 "$main"
    expect 'kill -9 of the master: started again by systemd' is_not "$main" main_pid
    expect 'and it serves' is two answer
    is 1 shown NRestarts || die "expected one restart"
    main=$(main_pid)
    local told
    told=$(shown WatchdogTimestampMonotonic)
    expect 'the watchdog is told' is_not "$told" shown WatchdogTimestampMonotonic
    inside kill -STOP "$main"
    expect 'a master that stands still: ended by the watchdog, started again' is 2 shown NRestarts
    expect 'and it serves' is two answer

    answer /slow >"$place/late" &
    local client=$!
    asked() { [[ $(inside gatewayctl --json -s /run/gateway/gateway.sock show connections) == *slow* ]]; }
    expect 'a request is under way' asked
    inside systemctl stop gateway
    wait "$client" || true
    is late cat "$place/late" || die "the request was cut off: $(cat "$place/late")"
    expect 'stop: the request ends first' is inactive shown ActiveState
    is success shown Result || die "result of the stop: $(shown Result)"
    inside pgrep gatewayd && die "processes are left"
    say "done"
}

end() {
    local status=$?
    [[ -z ${init:-} ]] || kill -9 "$init" 2>/dev/null || true
    wait 2>/dev/null || true
    find "$group" -depth -type d -exec rmdir {} + 2>/dev/null || true
    rm -rf "$place"
    exit $status
}

if [[ ${1:-} == --inside ]]; then
    programs=$3
    become_systemd "$2"
fi
programs=$(realpath "${1:-build/release/bin}")
((EUID == 0)) || cannot "needs root"
[[ -x $programs/gatewayd ]] || die "no gatewayd in $programs: build it first"
[[ -x /usr/lib/systemd/systemd ]] || cannot "no systemd"
grep -qw overlay /proc/filesystems || cannot "no overlays"
groups=$(findmnt -n -t cgroup2 -o TARGET | head -n 1)
[[ -n $groups ]] || cannot "no cgroup2"
place=$(mktemp -d "${TMPDIR:-/tmp}/gateway-systemd.XXXXXX")
group=$groups/gateway-try-$$
trap end EXIT
mkdir "$group" "$place/root" 2>/dev/null || cannot "no control group of our own"
(
    echo "$BASHPID" >"$group/cgroup.procs"
    exec unshare --mount --pid --fork --cgroup --uts --ipc --net --propagation private \
        "$0" --inside "$place/root" "$programs" >"$place/log" 2>&1 </dev/null
) &
found() { init=$(pgrep -P "$!" -x systemd); }
for ((tries = 100; tries; --tries)); do
    found && break
    kill -0 "$!" 2>/dev/null || cannot "$(tail -n 1 "$place/log")"
    sleep 0.1
done
[[ -n ${init:-} ]] || cannot "systemd does not start: $(tail -n 3 "$place/log")"
story
