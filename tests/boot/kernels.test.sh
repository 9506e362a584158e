# The other kernels that Debian has for the guests' architectures boot too: cloud, real-time, the next release's.
. tests/boot/lib.sh
for name in arm64-cloud arm64-rt arm64-trixie; do
    guest $name
    machine boot < /dev/null
    run 120 0 --set cpus.count=2
    says "@cpus 2"
    says "@done"
done
