# A Debian 12 system on a disk, made by tests/guest/rootfs.sh (its second stage runs in lathe), boots with systemd
# to its login with 1, 2 and 4 CPUs; and what people run there runs.
. tests/boot/lib.sh
guest arm64
[ -f "$guest/root.img" ] || [ -n "${LONG:-}" ] || skip "making the system takes ten minutes: LONG=1 does"
sh tests/guest/rootfs.sh arm64 || skip "no root file system can be made here"
machine root <<MACHINE
drives:
  root: { file: $guest/root.img, format: raw, overlay: ephemeral }
MACHINE
sed -i 's/256MiB/1GiB/' "$work/m.yaml"
for cpus in 1 2 4; do
    sed -i "/^cpus/d; \$a cpus: { count: $cpus }" "$work/m.yaml"
    run_until 240 1 'lathe login:' < /dev/null
done

sed -i 's#lathe.do=root#& systemd.run=/usr/local/sbin/root-check systemd.run_success_action=poweroff#' "$work/m.yaml"
run 600 0
! grep '^@fail' "$log" || fail "some programs failed"
says "@done"
[ "$(grep -c '^@pass' "$log")" = 11 ] || fail "some programs did not run"
