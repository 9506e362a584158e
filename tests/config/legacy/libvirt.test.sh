#!/bin/sh
# A domain of libvirt becomes a machine; a DTD is refused; and the way to QEMU and back is the same.
#   sh tests/config/legacy/libvirt.test.sh
lathe=$PWD/${BUILD:-build}/lathe
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1
failed=0

wants() {   # wants TEXT FILE
    grep -qF -- "$1" "$2" || { echo "no \`$1\` in:"; cat "$2"; failed=1; }
}

cat > d.xml <<'END'
<domain type='kvm'><name>web</name><memory unit='GiB'>2</memory><vcpu>2</vcpu>
<os><type arch='riscv64' machine='virt'>hvm</type><kernel>Image</kernel></os>
<devices><disk type='file' device='disk'>
<driver name='qemu' type='qcow2' cache='none' io='native' discard='unmap'/>
<source file='a,b.qcow2'/><target dev='vda' bus='virtio'/><serial>S1</serial><readonly/>
<iotune><total_iops_sec>100</total_iops_sec></iotune></disk><graphics type='vnc'/></devices></domain>
END
"$lathe" translate libvirt d.xml > m.yaml 2> said
grep -q 'without libxml2' said && exit 77
for line in 'name: web' 'board: riscv-virt@1' 'memory: 2GiB' 'file: "a,b.qcow2"' 'cache: none' 'aio: native' \
    'serial: S1' 'read-only: true' 'iops-total: 100'; do
    wants "$line" m.yaml
done
wants 'lost     devices/graphics' said

"$lathe" translate to-qemu m.yaml > line 2> said
wants 'file=a,,b.qcow2' line
sh -c "exec $lathe translate qemu -- $(cat line)" > back.yaml 2> /dev/null
wants 'serial: S1' back.yaml

echo '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><domain><name>&x;</name></domain>' > e.xml
"$lathe" translate libvirt e.xml > m.yaml 2> said
[ $? = 2 ] || { echo "a DTD is taken"; failed=1; }
wants 'has a DTD' said
exit $failed
