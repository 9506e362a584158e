"""A client of an NBD server that says any bytes it wants: what libnbd and QEMU do not send.

    nbd-raw.py SOCKET resize SIZE [fua]     prints the error number of the answer
    nbd-raw.py SOCKET busy SIZE             many writes at once, with resizes between them
    nbd-raw.py SOCKET promise 0             three writes, one that is to be durable, a flush
    nbd-raw.py SOCKET change 0              the errors of a write, zeroes, and a discard
"""
import socket
import struct
import sys

RESIZE = 8
SEND_RESIZE = 1 << 9


class Client:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(20)
        self.socket.connect(path)
        assert self.take(18)[:16] == b"NBDMAGICIHAVEOPT"
        self.socket.sendall(struct.pack(">I", 3))
        self.socket.sendall(struct.pack(">8sIII", b"IHAVEOPT", 7, 6, 0) + b"\0\0")
        self.flags = self.size = None
        while True:
            _, _, kind, length = struct.unpack(">QIII", self.take(20))
            data = self.take(length)
            assert kind < 1 << 31, hex(kind)
            if kind == 3 and data[:2] == b"\0\0":
                self.size, self.flags = struct.unpack(">QH", data[2:])
            if kind == 1:
                break

    def take(self, length):
        data = b""
        while len(data) < length:
            more = self.socket.recv(length - len(data))
            assert more, "the server hung up"
            data += more
        return data

    def send(self, command, at, length, flags=0, data=b"", cookie=7):
        self.socket.sendall(
            struct.pack(">IHHQQI", 0x25609513, flags, command, cookie, at, length) + data)

    def answer(self):
        magic, error, cookie = struct.unpack(">IIQ", self.take(16))
        assert magic == 0x67446698
        return error, cookie

    def ask(self, *arguments, **named):
        self.send(*arguments, **named)
        return self.answer()[0]


def busy(path, size):
    """Two connections: writes to what is always there, and sizes that come and go."""
    writer, changer = Client(path), Client(path)
    for turn in range(20):
        for i in range(32):
            writer.send(1, i * 4096, 4096, data=bytes([turn + 1]) * 4096, cookie=i)
        changer.send(RESIZE, size + (turn % 2) * (1 << 20), 0)
        writer.send(1, size, 4096, data=b"x" * 4096, cookie=99)
        for _ in range(33):
            error, cookie = writer.answer()
            assert error == 0 or (cookie == 99 and error == 28), (error, cookie)
        assert changer.answer()[0] == 0
    writer.send(0, 0, 4096)
    assert writer.answer()[0] == 0 and writer.take(4096) == bytes([20]) * 4096


def main():
    path, what, size = sys.argv[1], sys.argv[2], int(sys.argv[3])
    if what == "busy":
        busy(path, size)
        return
    client = Client(path)
    if what == "promise":
        for i in range(4):
            assert client.ask(1, i * 8192, 4096, flags=1 if i == 3 else 0, data=bytes(4096)) == 0
        assert client.ask(3, 0, 0) == 0
        return
    if what == "change":
        print(client.ask(1, 0, 512, data=bytes(512)), client.ask(6, 0, 512), client.ask(4, 0, 512))
        return
    if "length" in sys.argv:
        print(client.ask(RESIZE, size, 512))
    else:
        print(client.ask(RESIZE, size, 0, flags=1 if "fua" in sys.argv else 0))


main()
