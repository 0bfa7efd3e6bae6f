import { subscribe } from 'node:diagnostics_channel'
import { Socket } from 'node:net'
import { systemClock } from '../base/index.ts'
import { CONNECT_MS } from './limits.ts'

let isOn = false

/**
 * Ends attempts to connect that get no answer, for all sockets of this process. gRPC leaves them to TCP, which gives up
 * after two minutes and asks ever more rarely until then: an address that is back is noticed late, and a name that leads
 * elsewhere by now is not looked up at all. gRPC makes its sockets itself, so Node has to tell us of them.
 */
export function limitConnecting(): void {
  if (isOn) return
  isOn = true
  subscribe('net.client.socket', (message) => {
    if (typeof message !== 'object' || message === null || !('socket' in message)) return
    if (message.socket instanceof Socket) limit(message.socket)
  })
}

function limit(socket: Socket): void {
  const cancel = systemClock.after(CONNECT_MS, () => {
    if (socket.connecting) socket.destroy(new Error('the address does not answer (ETIMEDOUT)'))
  })
  socket.once('connect', cancel)
  socket.once('close', cancel)
}
