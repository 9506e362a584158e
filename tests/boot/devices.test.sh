# Linux finds and uses the devices that the disk and CPU tests do not: clock, entropy, balloon, console.
. tests/boot/lib.sh

# finds CLOCK: all devices in the guest, its clock under that name
finds() {
    machine devices <<MACHINE
devices:
  entropy: { type: virtio-rng, seed: 7 }
  terminal: { type: virtio-console }
  balloon: { type: virtio-balloon, target: 64MiB }
MACHINE
    before=$(date +%s)
    run 120 0
    says "@rng virtio_rng.0"
    says "@random 64"
    says "@rtc $1"
    says "@hvc"
    says "@balloon_inflate 16384"      # 64MiB in pages
    now=$(tr -d '\r' < "$log" | sed -n 's/^@time //p')
    { [ "$now" -ge "$before" ] && [ "$now" -le "$(date +%s)" ]; } ||
        fail "the guest's clock says $now, the host's $before to $(date +%s)"
}
guest riscv64
finds goldfish_rtc
guest arm64
finds rtc-pl031
