"""Makes a dmg image (UDIF) with chunks of every kind: dmg.py disk.raw out.dmg KIND[,KIND...]"""
import base64
import bz2
import struct
import sys
import zlib

SECTOR, CHUNK = 512, 64 * 1024
KINDS = {'raw': 1, 'zlib': 0x80000005, 'bzip2': 0x80000006, 'lzfse': 0x80000007, 'adc': 0x80000004}
pack = {'raw': bytes, 'zlib': zlib.compress, 'bzip2': bz2.compress, 'lzfse': bytes, 'adc': bytes}

disk = open(sys.argv[1], 'rb').read()
kinds = sys.argv[3].split(',')
data, tables = b'', []
half = len(disk) // CHUNK // 2 * CHUNK
for start, end in (0, half), (half, len(disk)):
    chunks = []
    for n, at in enumerate(range(start, end, CHUNK)):
        piece = disk[at:min(at + CHUNK, end)]
        kind = kinds[n % len(kinds)]
        number, packed = (n % 2 * 2, b'') if not any(piece) else (KINDS[kind], pack[kind](piece))
        chunks.append(struct.pack('>IIQQQQ', number, 0, (at - start) // SECTOR,
                                  len(piece) // SECTOR, len(data), len(packed)))
        data += packed
    chunks.append(struct.pack('>IIQQQQ', 0xffffffff, 0, (end - start) // SECTOR, 0, len(data), 0))
    head = struct.pack('>4sIQQQII24x', b'mish', 1, start // SECTOR, (end - start) // SECTOR, 0, 0, 0)
    tables.append(head + bytes(136) + struct.pack('>I', len(chunks)) + b''.join(chunks))
entries = ''.join('<dict><key>Data</key>\n<data>\n%s\n</data></dict>' %
                  base64.encodebytes(t).decode() for t in tables)
xml = ('<?xml version="1.0"?><plist version="1.0"><dict><key>resource-fork</key><dict>'
       '<key>blkx</key><array>%s</array><key>plst</key><array/></dict></dict></plist>' % entries).encode()
trailer = bytearray(512)
struct.pack_into('>4sIII', trailer, 0, b'koly', 4, 512, 1)
struct.pack_into('>QQ', trailer, 24, 0, len(data))
struct.pack_into('>II', trailer, 56, 1, 1)
struct.pack_into('>QQ', trailer, 216, len(data), len(xml))
struct.pack_into('>IQ', trailer, 488, 1, len(disk) // SECTOR)
open(sys.argv[2], 'wb').write(data + xml + trailer)
