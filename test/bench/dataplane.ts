/** A dataplane on a host of the lab, steered as nsmd would, but by hand. */
import type { Dataplane } from '../../pkg/dataplane/index.ts'
import { Holder } from '../lab/holder.ts'
import type { Host } from '../lab/host.ts'
import type { Lab } from '../lab/lab.ts'

const REQUEST_MS = 10_000

export interface SteeredDataplane {
  readonly dataplane: Dataplane
  /** Of the holder's process. */
  readonly pid: number
  /** `inode://<dev>/<ino>` of the host's network namespace, in which its devices are made. */
  readonly namespace: string
}

/** @param name of its files in the lab's directory */
export async function startDataplane(lab: Lab, host: Host, name: string, program: string): Promise<SteeredDataplane> {
  const holder = await Holder.start(lab, host, { name, program, allowsOwnNamespace: true })
  const { dataplane } = await holder.connect()
  return { dataplane, pid: holder.pid, namespace: host.namespace }
}

/** How long one request to a dataplane may take. */
export function soon(): AbortSignal {
  return AbortSignal.timeout(REQUEST_MS)
}
