# Sourced by the tests of protocols: writes that are under way when a server goes. The server's disk is a.img.

# begin_writes URL REQUESTS DEPTH: in the background; comes back when the first is on the disk
begin_writes() {
    timeout 60 "$lathe" img bench -f raw -w -t writethrough -n "$2" -d "$3" "$1" > bench 2>&1 &
    bench=$!
    until [ "$(head -c 4096 a.img | tr -d Z | wc -c)" = 0 ]; do
        kill -0 $bench 2>/dev/null || break
        sleep 0.02
    done
}

end_writes() {      # all were done
    wait $bench || fail "requests did not outlive the server: $? $(cat bench)"
}
