/** An eavesdropper on the simulated internet: records what passes and says what it could read. */
import type { ChildProcess } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import type { Lab } from '../lab/lab.ts'
import { stop } from '../lab/shell.ts'
import { until } from '../lab/until.ts'

/** Enough of each packet to hold every header and the start of what it carries. */
const SNAP_BYTES = 400
const PCAP_FILE_HEADER_BYTES = 24
const PCAP_PACKET_HEADER_BYTES = 16
const WIREGUARD_PORT = 51820

export interface Heard {
  readonly packets: number
  /** Packets with WireGuard's UDP port and one of its four message types. */
  readonly wireguard: number
  readonly plaintextSeen: boolean
}

export class Capture {
  readonly #tcpdump: ChildProcess
  readonly #file: string

  private constructor(tcpdump: ChildProcess, file: string) {
    this.#tcpdump = tcpdump
    this.#file = file
  }

  static async start(lab: Lab): Promise<Capture> {
    const file = `${lab.directory}/internet.pcap`
    const command = [
      'tcpdump',
      '-i',
      'inet0',
      '-U',
      '--immediate-mode',
      '-Z',
      'root',
      '-B',
      '65536',
      '-s',
      `${SNAP_BYTES}`,
      '-w',
      file,
    ]
    const tcpdump = lab.internet.start(command, `${lab.directory}/tcpdump.log`)
    await until('tcpdump', async () => existsSync(file) && readFileSync(file).length >= PCAP_FILE_HEADER_BYTES)
    return new Capture(tcpdump, file)
  }

  /** Stops listening and looks for `secrets`, what only the two ends of a wire should ever see. */
  async stop(secrets: readonly Buffer[]): Promise<Heard> {
    await stop(this.#tcpdump, 'SIGINT')
    const recorded = readFileSync(this.#file)
    const packets = [...framesOf(recorded)]
    return {
      packets: packets.length,
      wireguard: packets.filter(isWireguard).length,
      plaintextSeen: secrets.some((secret) => recorded.includes(secret)),
    }
  }
}

/** The frames of a pcap file in this machine's byte order, as tcpdump writes it. */
function* framesOf(pcap: Buffer): Generator<Buffer> {
  for (let at = PCAP_FILE_HEADER_BYTES; at + PCAP_PACKET_HEADER_BYTES <= pcap.length; ) {
    const length = pcap.readUInt32LE(at + 8)
    at += PCAP_PACKET_HEADER_BYTES
    yield pcap.subarray(at, at + length)
    at += length
  }
}

function isWireguard(frame: Buffer): boolean {
  const ethernetBytes = 14
  if (frame.length < ethernetBytes + 20 + 8 + 4 || frame.readUInt16BE(12) !== 0x0800 || frame[ethernetBytes + 9] !== 17)
    return false
  const udp = ethernetBytes + ((frame[ethernetBytes] ?? 0) & 15) * 4
  if (frame.readUInt16BE(udp + 2) !== WIREGUARD_PORT) return false
  const type = frame.readUInt32LE(udp + 8)
  return type >= 1 && type <= 4
}
