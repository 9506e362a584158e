#!/bin/sh
# The protocol ssh: a disk on an SSH server of this machine's own, with its own configuration and keys.
lathe=$(cd "$(dirname "$0")/../.." && pwd)/${BUILD:-build}/lathe
. "$(dirname "$0")/writes.sh"
sshd=/usr/sbin/sshd
[ -x $sshd ] || { echo "$sshd is missing"; exit 77; }
for program in ssh-keygen ssh-agent qemu-img; do
    command -v $program >/dev/null || { echo "$program is missing"; exit 77; }
done
grep -q LIBSSH2 "$(dirname "$lathe")/gen/core/have.h" || { echo "built without libssh2"; exit 77; }
dir=$(mktemp -d) server= agent=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null; [ -z "$agent" ] || kill "$agent" 2>/dev/null; rm -rf "$dir"' EXIT
cd "$dir" || exit 1
unset SSH_AUTH_SOCK
export HOME="$dir"

fail() { echo "FAILED: $*"; exit 1; }
run() { timeout 30 "$lathe" "$@"; }
refused() {         # refused TEXT VERB...: it fails, and says so
    text=$1; shift
    run "$@" > said 2>&1 && fail "not refused: $*"
    grep -q -- "$text" said || fail "not '$text': $(cat said)"
}

for key in host user other; do ssh-keygen -q -t ed25519 -N '' -f $key || fail "ssh-keygen"; done
cp user.pub authorized
port=$((12000 + $$ % 20000))
serve() {           # serve SUBSYSTEM: a server that runs until the test ends
    cat > config <<END
Port $port
ListenAddress 127.0.0.1
HostKey $dir/host
AuthorizedKeysFile $dir/authorized
StrictModes no
UsePAM no
PasswordAuthentication no
PidFile none
Subsystem sftp $1
END
    mkdir -p /run/sshd 2>/dev/null
    : > log             # not what the last one said
    $sshd -D -e -f config 2> log &
    server=$!
    tries=0
    until grep -q 'Server listening' log; do
        kill -0 $server 2>/dev/null || { echo "sshd does not run here: $(cat log)"; exit 77; }
        tries=$((tries + 1)); [ $tries -lt 1000 ] || fail "no server"
        sleep 0.01
    done
}
end() { kill $server; wait $server 2>/dev/null; server=; }
below() {           # below PID: what it has started, and what that has: from OpenSSH 9.8 on a session is several processes
    for child in $(ps -o pid= --ppid "$1"); do echo "$child"; below "$child"; done
}
cut_sessions() { kill -9 $(below $server) 2>/dev/null; }
serve internal-sftp

head -c 3000000 /dev/urandom > a.img
truncate -s 4M a.img
cp a.img before
print=$(ssh-keygen -l -f host.pub | cut -d' ' -f2)
url="ssh://127.0.0.1:$port$dir/a.img"
fine="$url?key=$dir/user&fingerprint=$print"

# ---- who the server is, who we are ----
refused "is not in .*known_hosts" img info -f raw "$url?key=$dir/user"
refused "has the fingerprint $print, expected SHA256:" img info -f raw "$url?key=$dir/user&fingerprint=SHA256:abc"
echo "[127.0.0.1]:$port $(cat other.pub)" > wrong
refused "is another one than" img info -f raw "$url?key=$dir/user&known-hosts=$dir/wrong"
echo "[127.0.0.1]:$port $(cat host.pub)" > hosts
run img info -f raw "$url?key=$dir/user&known-hosts=$dir/hosts" > said 2>&1 || fail "known hosts: $(cat said)"
refused "with the key" img info -f raw "$url?key=$dir/other&fingerprint=$print"
refused "with no key of the agent" img info -f raw "$url?fingerprint=$print"
refused "has no parameter .quay." img info -f raw "$url?quay=x"
eval "$(ssh-agent -s)" > /dev/null
agent=$SSH_AGENT_PID
ssh-add -q other user 2>/dev/null
run img info -f raw "$url?fingerprint=$print" > said 2>&1 || fail "the agent: $(cat said)"
unset SSH_AUTH_SOCK
refused "cannot be opened for reading: No such file" img info -f raw "$(echo "$fine" | sed s/a.img/b.img/)"

# ---- bytes, both ways, with every cache mode ----
run img convert -q -f raw -O raw "$fine" copy || fail "reading"
cmp copy before || fail "other bytes"
for mode in writeback none writethrough directsync unsafe; do
    run io -f raw -t $mode -c "write 4097 70000 0x5a" -c flush -c "read 4097 70000 0x5a" \
        -c "zero 1M 64k" -c "read 1M 64k 0" "$fine" > said 2>&1 || fail "$mode: $(cat said)"
done
cmp -n 4096 a.img before || fail "bytes before changed"
qemu-img create -q -f qcow2 new.qcow2 8M
run io -f qcow2 -c "write 1M 1M 7" "$(echo "$fine" | sed s/a.img/new.qcow2/)" > said 2>&1 || fail "qcow2: $(cat said)"
qemu-img check -q new.qcow2 || fail "qemu-img check"

# ---- a server that comes back ----
begin_writes "$fine" 800 4
kill $(below $server) 2>/dev/null
end_writes
end

# ---- a server whose host loses power: what it had acknowledged and not flushed is gone from the file ----
cp before a.img
serve internal-sftp
rm -f written cut
{
    echo 'write 0 64KiB 1'; echo flush
    echo 'write 64KiB 64KiB 2'; echo 'write 100KiB 8KiB 3'; echo 'read 0 512'
    until [ -e cut ]; do sleep 0.02; done
    echo flush; echo 'read 64KiB 36KiB 2'; echo 'read 100KiB 8KiB 3'; echo 'read 108KiB 20KiB 2'
} | run io -f raw -t writeback "$fine" > said 2>&1 &
io=$!
until grep -q 'read at 0: 512 bytes' said; do kill -0 $io 2>/dev/null || fail "io: $(cat said)"; sleep 0.02; done
cut_sessions
end
cp before a.img
serve internal-sftp
touch cut
wait $io || fail "what a server has forgotten: $(cat said)"
cmp -n 65536 a.img before || fail "what a flush had covered was written again"
end

# ---- and one that does not come back: the guest's error, in time (some 20 s) ----
if [ "${LONG:-}" = 1 ]; then
    cp before a.img
    serve internal-sftp
    rm -f cut
    { echo 'write 0 4KiB 1'; echo 'read 0 512'; until [ -e cut ]; do sleep 0.02; done; echo flush; } |
        run io -f raw -t writeback "$fine" > said 2>&1 &
    io=$!
    until grep -q 'read at 0: 512 bytes' said; do kill -0 $io 2>/dev/null || fail "io: $(cat said)"; sleep 0.02; done
    cut_sessions
    end
    touch cut
    wait $io && fail "a flush that reached nobody succeeded"
    grep -q 'Input/output error' said || fail "a server that is gone: $(cat said)"
fi

# ---- several requests at once have several sessions ----
serve internal-sftp
run img bench -f raw -w -n 400 -d 8 "$fine" > bench 2>&1 &
bench=$!
most=0
while kill -0 $bench 2>/dev/null; do
    now=$(ps -o pid= --ppid $server | wc -l)
    [ "$now" -le $most ] || most=$now
    sleep 0.01
done
wait $bench || fail "several sessions: $(cat bench)"
[ $most -gt 1 ] || fail "one session only"
end

# ---- a server without fsync@openssh.com keeps no promise of its own ----
for sftp in /usr/lib/openssh/sftp-server /usr/libexec/openssh/sftp-server; do
    [ ! -x $sftp ] || serve "$sftp -P fsync"
done
[ -n "$server" ] || exit 0
refused "has no fsync@openssh.com, so it cannot keep what cache mode writethrough promises" \
    io -f raw -t writethrough -c 'write 0 512' "$fine"
refused "cache mode directsync" io -f raw -t directsync -c 'write 0 512' "$fine"
run io -f raw -t unsafe -c 'write 0 512' "$fine" > /dev/null 2>&1 || fail "unsafe promises nothing"
run io -f raw -t writeback -c 'write 0 512' -c flush "$fine" > said 2>&1 && fail "a flush that did nothing succeeded"
exit 0
