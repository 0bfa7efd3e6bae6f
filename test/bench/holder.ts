/** A dataplane on a host of the lab, steered through its control socket as nsmd would, but by hand. */
import { statSync } from 'node:fs'
import { Scope, silentLogger, systemClock } from '../../pkg/base/index.ts'
import { ControlClient, type Dataplane, HolderDataplane } from '../../pkg/dataplane/index.ts'
import { formatNamespaceId } from '../../pkg/net/index.ts'
import type { Host } from '../lab/host.ts'
import { ENGINE_UID, type Lab } from '../lab/lab.ts'

const READY_MS = 10_000
const REQUEST_MS = 10_000

export interface Holder {
  readonly dataplane: Dataplane
  /** Of the holder's process. */
  readonly pid: number
  /** `inode://<dev>/<ino>` of the host's network namespace, in which its devices are made. */
  readonly namespace: string
  close(): Promise<void>
}

/** @param name of its files in the lab's directory */
export async function startHolder(lab: Lab, host: Host, name: string, program: string): Promise<Holder> {
  const scope = new Scope()
  const control = `${lab.folder(name)}/control.sock`
  const ids = ['--daemon-uid', '0', '--engine-uid', `${ENGINE_UID}`]
  const command = [program, 'hold', '--control', control, ...ids, '--allow-own-namespace']
  const child = host.start(command, `${lab.directory}/${name}.log`)
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  scope.defer(async () => {
    child.kill('SIGTERM')
    await gone
  })
  const client = scope.own(new ControlClient({ path: control, clock: systemClock, logger: silentLogger }))
  const dataplane = new HolderDataplane(client, silentLogger)
  await client.ready(AbortSignal.timeout(READY_MS))
  const { dev, ino } = statSync(`/run/netns/${host.name}`, { bigint: true })
  lab.defer(() => scope.close())
  const namespace = formatNamespaceId({ dev, ino })
  return { dataplane, pid: child.pid ?? 0, namespace, close: () => scope.close() }
}

/** How long one request to a dataplane may take. */
export function soon(): AbortSignal {
  return AbortSignal.timeout(REQUEST_MS)
}
