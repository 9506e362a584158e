"""Images of every format that both programs read, of one disk: by qemu-img where it can make them."""
import os
import struct
import subprocess
import sys
import zlib

WRITTEN = ['raw', 'qcow2', 'qed', 'vmdk', 'vdi', 'vpc', 'vhdx', 'parallels']   # by both programs
READ = ['qcow', 'bochs', 'cloop', 'dmg']                                       # lathe only reads them


def bochs(disk, out):
    """A growing image (Bochs, doc/docbook/user, "growing mode"): catalog, then bitmap and data of each extent."""
    sector, extent = 512, 64 << 10
    count = len(disk) // extent
    bitmap = extent // sector // 8
    head = bytearray(sector)
    struct.pack_into('<32s16s16sII', head, 0, b'Bochs Virtual HD Image', b'Redolog', b'Growing', 0x00020000, sector)
    struct.pack_into('<IIIIQ', head, 72, count, bitmap, extent, 0, len(disk))
    catalog = struct.pack(f'<{count}I', *range(count))
    out.write(head + catalog + bytes(-len(catalog) % sector))
    for at in range(0, len(disk), extent):
        out.write((b'\xff' * bitmap).ljust(sector, b'\0') + disk[at:at + extent])


def cloop(disk, out):
    """Version 2: blocks compressed by zlib, and where each begins."""
    size, script = 64 << 10, b'#!/bin/sh\n#V2.0 Format\nmodprobe cloop file=$0 && mount -r -t iso9660 /dev/cloop $1\n'
    blocks = [zlib.compress(disk[at:at + size], 1) for at in range(0, len(disk), size)]
    offsets = [128 + 8 + 8 * (len(blocks) + 1)]
    for block in blocks:
        offsets.append(offsets[-1] + len(block))
    out.write(script.ljust(128, b'\0') + struct.pack('>II', size, len(blocks)))
    out.write(struct.pack(f'>{len(offsets)}Q', *offsets) + b''.join(blocks))


def make(folder, form, raw):
    """The image's path, made of the file `raw` in its folder when it is not there yet."""
    path = os.path.join(folder, form)
    if os.path.exists(path):
        return path
    if form in ('bochs', 'cloop'):
        with open(raw, 'rb') as disk, open(path, 'wb') as out:
            (bochs if form == 'bochs' else cloop)(disk.read(), out)
    elif form == 'dmg':
        script = os.path.join(os.path.dirname(os.path.abspath(__file__)), '../block/dmg.py')
        subprocess.run([sys.executable, script, raw, path, 'zlib'], check=True)
    else:
        subprocess.run(['qemu-img', 'convert', '-f', 'raw', '-O', form, raw, path], check=True)
    return path


def chain(folder, depth):
    """The top of so many layers. Each is a copy of the first one with another name of the same length in it."""
    first = os.path.join(folder, 'layer')
    subprocess.run(['qemu-img', 'create', '-q', '-u', '-f', 'qcow2', '-b', '0000.layer', '-F', 'qcow2', first, '1G'],
                   check=True)
    with open(first, 'rb') as image:
        layer = image.read()
    subprocess.run(['qemu-img', 'create', '-q', '-f', 'qcow2', os.path.join(folder, '0000.layer'), '1G'], check=True)
    for i in range(1, depth):
        with open(os.path.join(folder, f'{i:04}.layer'), 'wb') as out:
            out.write(layer.replace(b'0000.layer', b'%04d.layer' % (i - 1)))
    return os.path.join(folder, f'{depth - 1:04}.layer')


def huge(folder):
    """1 TiB, which has as many tables as one can have."""
    path = os.path.join(folder, 'huge')
    subprocess.run(['qemu-img', 'create', '-q', '-f', 'qcow2', path, '1T'], check=True)
    return path
