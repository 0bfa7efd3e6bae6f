import type { Host } from '../lab/host.ts'
import type { Lab } from '../lab/lab.ts'

/** Where packets of a system start and end: programs run on `client` and reach those on `server` at `address`. */
export interface Path {
  readonly client: Host
  readonly server: Host
  readonly address: string
}

export interface PublicHost {
  readonly host: Host
  readonly address: string
}

/** Two hosts on the lab's internet, between which every system makes its own way. */
export interface Pair {
  readonly lab: Lab
  readonly left: PublicHost
  readonly right: PublicHost
}

/** Something that carries packets from host to host. What it starts ends with the lab. */
export interface System {
  readonly name: string
  /** Of a peer, which has more than one. */
  version?(): string
  up(pair: Pair): Promise<Path>
}
