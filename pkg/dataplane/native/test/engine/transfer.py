#!/usr/bin/env python3
"""transfer.py receive | transfer.py send ADDRESS BYTES: random bytes over one TCP connection, and their SHA-256."""

import hashlib
import os
import socket
import sys

PORT = 5300


def receive():
    with socket.create_server(('0.0.0.0', PORT)) as server:
        print('listening', flush=True)
        with server.accept()[0] as connection:
            digest = hashlib.sha256()
            while data := connection.recv(1 << 18):
                digest.update(data)
    return digest.hexdigest()


def send(address, size):
    digest = hashlib.sha256()
    with socket.create_connection((address, PORT), timeout=10) as connection:
        for _ in range(size >> 20):
            data = os.urandom(1 << 20)
            digest.update(data)
            connection.sendall(data)
    return digest.hexdigest()


if __name__ == '__main__':
    print(receive() if sys.argv[1] == 'receive' else send(sys.argv[2], int(sys.argv[3])))
