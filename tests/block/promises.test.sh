#!/bin/sh
# What each cache mode becomes on the other side of each protocol: three writes and a flush, and the flush with
# which an image is closed, as the server sees them. (tests/block/modes.c asks the same of files, by strace.)
lathe=$(cd "$(dirname "$0")/../.." && pwd)/${BUILD:-build}/lathe
have=$(dirname "$lathe")/gen/core/have.h
lathe_tests=$(cd "$(dirname "$0")" && pwd)
dir=$(mktemp -d) server= done=
trap '[ -z "$server" ] || kill -9 "$server" 2>/dev/null; rm -rf "$dir"' EXIT
cd "$dir" || exit 1
fail() { echo "FAILED: $*"; exit 1; }
truncate -s 1M disk.img

# What of a mode reaches the server: writes that are to be durable, flushes
expect() {
    case $1 in
    writeback | none) durable=0 flushes=2 ;;
    writethrough | directsync) durable=3 flushes=2 ;;
    unsafe) durable=0 flushes=0 ;;
    esac
}
work() {            # work MODE URL
    timeout 30 "$lathe" io -f raw -t "$1" -c 'write 0 4k 1' -c 'write 8k 4k 2' -c 'write 16k 4k 3' -c flush "$2" \
        > said 2>&1 || fail "$1 $2: $(cat said)"
}
modes='writeback none writethrough directsync unsafe'

# ---- nbd: with FUA a durable write is one request, without it each is followed by a flush ----
if command -v nbdkit > /dev/null && grep -q LIBNBD "$have"; then
    for fua in fuamode=native ''; do
        for mode in $modes; do
            rm -f log
            nbdkit -U "$dir/s" --exit-with-parent -f --filter=log --filter=fua memory 1M logfile=log $fua \
                > nbdkit 2>&1 &
            server=$!
            tries=0
            until [ -S s ]; do tries=$((tries + 1)); [ $tries -lt 500 ] || fail "no nbdkit: $(cat nbdkit)"; sleep 0.02; done
            work $mode "nbd+unix:///?socket=$dir/s"
            kill $server; wait $server 2>/dev/null; server=; rm -f s
            expect $mode
            [ "$fua" ] || { flushes=$((flushes + durable)) durable=0; }
            [ "$(grep -c ' Write .*fua=1.*\.\.\.' log)" = $durable ] || fail "nbd, $mode, fua $fua: $(cat log)"
            [ "$(grep -c ' Flush .*\.\.\.' log)" = $flushes ] || fail "nbd, $mode, fua $fua, flushes: $(cat log)"
        done
    done
    done="$done nbd"
fi

can_trace=$(strace -o /dev/null true 2>/dev/null && echo yes)

# ---- our own nbd server: what it makes of its clients' requests. (A ring of io_uring strace cannot see.) ----
raw=$lathe_tests/nbd-raw.py
if [ "$can_trace" ] && command -v python3 > /dev/null; then
    for mode in writeback/threads none/threads none/native writethrough/threads directsync/threads directsync/native \
            unsafe/threads; do
        strace -f -v -qq -s 0 -o trace -e trace=openat,pwritev2,pwritev,pwrite64,io_submit,fdatasync,fsync \
            "$lathe" nbd -f raw -t ${mode%/*} -i ${mode#*/} --socket "$dir/s" disk.img > nbd 2>&1 &
        server=$!
        tries=0
        until grep -q ^listening nbd; do
            kill -0 $server 2>/dev/null || fail "no server: $(cat nbd)"
            tries=$((tries + 1)); [ $tries -lt 500 ] || fail "no server, $mode"
            sleep 0.02
        done
        timeout 20 python3 "$raw" "$dir/s" promise 0 || fail "our server, $mode: $(cat nbd)"
        kill -TERM $(ps -o pid= --ppid $server); wait $server; server=
        case $mode in
        unsafe/*) durable=0 flushes=0 ;;
        write*through/* | directsync/*) durable=4 flushes=2 ;;
        *) durable=1 flushes=2 ;;
        esac
        direct=0
        case $mode in none/* | directsync/*) direct=1 ;; esac
        [ "$(grep -c 'disk.img".*O_DIRECT' trace)" = $direct ] || fail "our server, $mode: O_DIRECT"
        [ "$(grep -c RWF_DSYNC trace)" = $durable ] || fail "our server, $mode, durable writes: $(cat trace)"
        [ "$(grep -cE 'f(data)?sync\(|FDSYNC' trace)" = $flushes ] || fail "our server, $mode, flushes: $(cat trace)"
        rm -f nbd
    done
    done="$done nbd-server"
fi

# ---- iscsi: each durable write and each flush is a sync of the target's ----
control=$(($$ % 30000 + 1000)) port=$((12000 + $$ % 20000))
if [ "$can_trace" ] && command -v tgtd > /dev/null && grep -q LIBISCSI "$have"; then
    strace -f -qq -o trace -e trace=fsync,fdatasync tgtd -f -C $control --iscsi "portal=127.0.0.1:$port" > tgt 2>&1 &
    server=$!
    tries=0
    until tgtadm -C $control --lld iscsi --op show --mode target > /dev/null 2>&1; do
        tries=$((tries + 1)); [ $tries -lt 200 ] && kill -0 $server 2>/dev/null || break
        sleep 0.05
    done
    if tgtadm -C $control --lld iscsi --op new --mode target --tid 1 -T iqn.2026-01.test:disk 2>/dev/null; then
        tgtadm -C $control --lld iscsi --op new --mode logicalunit --tid 1 --lun 1 -b "$dir/disk.img"
        tgtadm -C $control --lld iscsi --op bind --mode target --tid 1 -I ALL
        for mode in $modes; do
            : > trace
            work $mode iscsi://127.0.0.1:$port/iqn.2026-01.test:disk/1
            expect $mode
            # One more: opening tries whether the target can.
            seen=$(grep -c 'sync(' trace)
            [ "$seen" = $((durable + flushes + 1)) ] || fail "iscsi, $mode: $seen syncs"
        done
        done="$done iscsi"
    fi
    pids=$(ps -o pid= --ppid $server)
    kill -9 $pids $server 2>/dev/null; wait $server 2>/dev/null; server=
fi

# ---- ssh: the server's fsync ----
sftp=/usr/lib/openssh/sftp-server
if [ "$can_trace" ] && [ -x $sftp ] && [ -x /usr/sbin/sshd ] && grep -q LIBSSH2 "$have"; then
    for key in host user; do ssh-keygen -q -t ed25519 -N '' -f $key || fail "ssh-keygen"; done
    cat > config <<END
Port $port
ListenAddress 127.0.0.1
HostKey $dir/host
AuthorizedKeysFile $dir/user.pub
StrictModes no
UsePAM no
PidFile none
Subsystem sftp $(command -v strace) -qq -o $dir/trace -e trace=fsync $sftp
END
    mkdir -p /run/sshd 2>/dev/null
    /usr/sbin/sshd -D -e -f config 2> log &
    server=$!
    tries=0
    until grep -q 'Server listening' log; do
        tries=$((tries + 1)); [ $tries -lt 200 ] && kill -0 $server 2>/dev/null || break
        sleep 0.05
    done
    if kill -0 $server 2>/dev/null; then
        print=$(ssh-keygen -l -f host.pub | cut -d' ' -f2)
        for mode in $modes; do
            work $mode "ssh://127.0.0.1:$port$dir/disk.img?key=$dir/user&fingerprint=$print"
            expect $mode
            seen=$(grep -c 'fsync(' trace)
            [ "$seen" = $((durable + flushes + 1)) ] || fail "ssh, $mode: $seen syncs"
        done
        done="$done ssh"
    fi
    kill $server 2>/dev/null; wait $server 2>/dev/null; server=
fi
[ "$done" ] || { echo "no server of any protocol runs here"; exit 77; }
echo "seen:$done"
