#!/usr/bin/env python3
"""flows.py serve PORT | flows.py talk ADDRESS PORT COUNT SECONDS: COUNT TCP connections that each send 8 bytes every
20 ms and check that the echo is the same; prints how many connections are alive at the end, and the longest wait for
an echo, as JSON."""

import asyncio
import json
import struct
import sys
import time


async def echo(reader, writer):
    while data := await reader.read(4096):
        writer.write(data)


async def talk_once(address, port, seconds):
    reader, writer = await asyncio.open_connection(address, port)
    end, number, longest = time.monotonic() + seconds, 0, 0
    while (began := time.monotonic()) < end:
        writer.write(struct.pack('!Q', number))
        if await reader.readexactly(8) != struct.pack('!Q', number):
            raise ValueError('the echo differs from what was sent')
        longest, number = max(longest, time.monotonic() - began), number + 1
        await asyncio.sleep(0.02)
    writer.close()
    return longest


async def talk(address, port, count, seconds):
    ends = await asyncio.gather(*(talk_once(address, port, seconds) for _ in range(count)), return_exceptions=True)
    waits = [end for end in ends if not isinstance(end, BaseException)]
    return {'alive': len(waits), 'longestMs': round(max(waits, default=0) * 1000)}


async def serve(port):
    server = await asyncio.start_server(echo, '0.0.0.0', port)
    print('listening', flush=True)
    await server.serve_forever()


if __name__ == '__main__':
    if sys.argv[1] == 'serve':
        asyncio.run(serve(int(sys.argv[2])))
    else:
        print(json.dumps(asyncio.run(talk(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), float(sys.argv[5])))))
