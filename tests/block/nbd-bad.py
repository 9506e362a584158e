"""An NBD server of 1 MiB of zeroes that goes at one point of each conversation, and is there for the next.

    nbd-bad.py SOCKET connect|greeting|option|info|request|header|data|cookie|garbage
"""
import os
import socket
import struct
import sys
import threading

path, phase = sys.argv[1:]


def take(client, length):
    data = b""
    while len(data) < length:
        more = client.recv(length - len(data))
        if not more:
            raise ConnectionError
        data += more
    return data


def go(client, here, last=b""):
    if phase == here:
        client.sendall(last)
        raise ConnectionError


def handshake(client):
    go(client, "connect")
    client.sendall(b"NBDMAGICIHAVEOPT" + struct.pack(">H", 3))
    go(client, "greeting")
    take(client, 4)
    while True:
        _, option, length = struct.unpack(">QII", take(client, 16))
        take(client, length)
        go(client, "option")

        def reply(kind, data=b""):
            client.sendall(struct.pack(">QIII", 0x3E889045565A9, option, kind, len(data)) + data)

        if option in (6, 7):    # INFO, GO
            reply(3, struct.pack(">HQH", 0, 1 << 20, 1 | 4 | 8))
            go(client, "info")
            reply(1)
        else:
            reply(0x80000001)
        if option == 7:
            return


def serve(client):
    try:
        handshake(client)
        while True:
            _, _, kind, cookie, _, length = struct.unpack(">IHHQQI", take(client, 28))
            take(client, length if kind == 1 else 0)
            data = bytes(length if kind == 0 else 0)
            header = struct.pack(">IIQ", 0x67446698, 0, cookie)
            go(client, "request")
            go(client, "header", header[:7])
            go(client, "data", header + data[: len(data) // 2])
            go(client, "cookie", struct.pack(">IIQ", 0x67446698, 0, cookie + 99) + data)
            go(client, "garbage", os.urandom(4096))
            client.sendall(header + data)
    except OSError:
        client.close()


server = socket.socket(socket.AF_UNIX)
server.bind(path)
server.listen(50)
print("listening", flush=True)
while True:
    threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()
