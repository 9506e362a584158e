#!/bin/sh
# A domain of libvirt becomes a machine and a domain again; a DTD is refused; the way to QEMU and back.
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

# There and back: what lathe has a word for by that, all else as it was; and libvirt's schema holds.
cat > d.xml <<'END'
<domain type='kvm'><name>web.Server</name><uuid>c7a5fdbd-cdaf-9455-926a-d65c16db1809</uuid>
<memory unit='GiB'>2</memory><vcpu placement='static'>2</vcpu>
<os><type arch='x86_64' machine='pc-q35-7.2'>hvm</type>
<loader readonly='yes' type='pflash'>/usr/share/OVMF/OVMF_CODE.fd</loader><nvram>/var/lib/nv.fd</nvram></os>
<features><acpi/></features><cpu mode='host-passthrough'/><clock offset='utc'/>
<devices><emulator>/usr/bin/qemu-system-x86_64</emulator>
<disk type='file' device='disk'><driver name='qemu' type='qcow2' cache='none' error_policy='stop'
 io='native' discard='unmap' detect_zeroes='on' iothread='1'/><source file='/var/lib/a,b.qcow2'/>
<target dev='vda' bus='virtio'/><iotune><total_bytes_sec>1048576</total_bytes_sec>
<total_bytes_sec_max>2097152</total_bytes_sec_max><total_bytes_sec_max_length>3</total_bytes_sec_max_length></iotune>
<serial>S1</serial><boot order='1'/>
<address type='pci' domain='0x0000' bus='0x04' slot='0x00' function='0x0'/></disk>
<disk type='file' device='cdrom'><driver name='qemu' type='raw'/><source file='/x &amp; y.iso'/>
<target dev='sda' bus='sata'/><readonly/></disk>
<disk type='network' device='disk'><driver name='qemu' type='raw'/><source protocol='nbd' name='e'>
<host name='h.example' port='10809'/></source><target dev='vdb' bus='virtio'/></disk>
<disk type='block' device='disk'><driver name='qemu' type='raw' cache='directsync' copy_on_read='on'/>
<source dev='/dev/sdc'/><target dev='sdc' bus='scsi'/><transient/></disk>
<disk type='file' device='cdrom'><target dev='sdb' bus='sata'/><readonly/></disk>
<interface type='network'><mac address='52:54:00:11:22:33'/><source network='default'/><model type='virtio'/></interface>
<controller type='scsi' index='0' model='virtio-scsi'/><graphics type='vnc' port='-1'/>
<memballoon model='virtio'/></devices></domain>
END
"$lathe" translate libvirt d.xml > m.yaml 2> said
wants 'lost     devices/graphics' said
"$lathe" translate to-libvirt m.yaml > back.xml 2> said
tr -d '\n' < back.xml | sed 's/> *</></g; s/></>\n</g' > lines
for line in "<name>web.Server</name>" "<memory unit='KiB'>2097152</memory>" "<cpu mode='host-passthrough'/>" \
    "<loader readonly='yes' type='pflash'>" "cache='none' error_policy='stop' io='native' discard='unmap' detect_zeroes='on' iothread='1'/>" \
    "<source file='/var/lib/a,b.qcow2'/>" "<total_bytes_sec_max_length>3" "<address type='pci'" "<boot order='1'/>" \
    "<source file='/x &amp; y.iso'/>" "<source protocol='nbd' name='e'>" "<host name='h.example' port='10809'/>" \
    "type='raw' cache='directsync' copy_on_read='on'/>" "<source dev='/dev/sdc'/>" "<transient/>" "<target dev='sdb' bus='sata'/>" \
    "<mac address='52:54:00:11:22:33'/>" "<source network='default'/>" "<graphics type='vnc' port='-1'/>"; do
    wants "$line" lines
done
"$lathe" translate libvirt back.xml 2> /dev/null > again.yaml
"$lathe" translate to-libvirt again.yaml 2> /dev/null | cmp -s - back.xml || { echo "a second time, it is another domain"; failed=1; }

# A machine that was never a domain.
printf 'lathe: machine/v1\nboard: riscv-virt@1\nmemory: 1GiB\ndrives:\n  root: { file: a.img, format: raw, cache: none }\nnet:\n  lan: { type: user }\n' > n.yaml
"$lathe" translate to-libvirt n.yaml > n.xml 2> said
wants "<type arch='riscv64' machine='virt'>hvm</type>" n.xml
wants "cache='none'" n.xml
if command -v virt-xml-validate > /dev/null; then
    for xml in d.xml back.xml n.xml; do
        virt-xml-validate $xml domain > said 2>&1 || { cat said $xml; failed=1; }
    done
fi
exit $failed
