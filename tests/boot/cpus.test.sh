# Debian's kernels boot with 1, 2 and 4 CPUs to busybox and power off; the exit status is 0.
. tests/boot/lib.sh
for name in riscv64 arm64; do
    guest $name
    machine boot < /dev/null
    for cpus in 1 2 4; do
        run 120 0 --set cpus.count=$cpus
        says "@cpus $cpus"
        says "@done"
    done
done
