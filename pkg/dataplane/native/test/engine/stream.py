#!/usr/bin/env python3
"""stream.py receive | stream.py send ADDRESS SECONDS BYTES_PER_SECOND: one continuous TCP stream. The receiver prints
how many bytes arrived and the longest silence, as JSON."""

import json
import socket
import sys
import time

PORT = 5301
INTERVAL_S = 0.01


def receive():
    with socket.create_server(('0.0.0.0', PORT)) as server:
        print('listening', flush=True)
        with server.accept()[0] as connection:
            count, last, silence = 0, time.monotonic(), 0.0
            while data := connection.recv(1 << 18):
                now = time.monotonic()
                count, last, silence = count + len(data), now, max(silence, now - last)
    return {'bytes': count, 'silenceMs': round(silence * 1000, 1)}


def send(address, seconds, rate):
    """Returns how many bytes were sent."""
    data, count = bytes(int(rate * INTERVAL_S)), 0
    end = time.monotonic() + seconds
    with socket.create_connection((address, PORT), timeout=30) as connection:
        while time.monotonic() < end:
            connection.sendall(data)
            count += len(data)
            time.sleep(INTERVAL_S)
    return {'bytes': count}


if __name__ == '__main__':
    print(
        json.dumps(receive() if sys.argv[1] == 'receive' else send(sys.argv[2], float(sys.argv[3]), int(sys.argv[4])))
    )
