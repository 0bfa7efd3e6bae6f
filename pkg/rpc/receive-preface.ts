import type { Socket } from 'node:net'
import { NsmError } from '../base/index.ts'
import { type LocalPeer, readPreface } from '../netlink/index.ts'

/**
 * Reads the preface and leaves all bytes after it in the stream.
 * @throws {NsmError} the refusal of the holder, or `unavailable` when the connection closes first
 */
export async function receivePreface(socket: Socket): Promise<LocalPeer> {
  let seen = Buffer.alloc(0)
  while (true) {
    const chunk = await nextChunk(socket)
    seen = Buffer.concat([seen, chunk])
    const preface = readPreface(seen)
    if (preface === undefined) continue
    if (seen.length > preface.length) socket.unshift(seen.subarray(preface.length))
    return preface.attestation
  }
}

function nextChunk(socket: Socket): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      socket.off('readable', onReadable)
      socket.off('close', onClose)
      socket.off('error', onClose)
    }
    const onReadable = () => {
      const chunk: unknown = socket.read()
      if (!Buffer.isBuffer(chunk)) return
      stop()
      resolve(chunk)
    }
    const onClose = (cause: unknown) => {
      stop()
      reject(new NsmError('unavailable', 'Cannot read the preface: the connection was closed', { cause }))
    }
    socket.on('readable', onReadable)
    socket.on('close', onClose)
    socket.on('error', onClose)
  })
}
