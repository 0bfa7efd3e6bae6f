/** A lab with a node on which only a holder runs, and workloads that it knows. */
import { type DaemonLine, Holder } from './holder.ts'
import type { Host } from './host.ts'
import { Lab } from './lab.ts'

export interface OneHolder<Name extends string> extends DaemonLine {
  readonly lab: Lab
  readonly holder: Holder
  readonly node: Host
  readonly workloads: Readonly<Record<Name, Host>>
  close(): Promise<void>
}

/** @param names of the workloads; each is connected to the local API, so that the holder has its namespace */
export async function oneHolder<Name extends string>(...names: readonly Name[]): Promise<OneHolder<Name>> {
  const lab = await Lab.create()
  try {
    const node = await lab.host('node')
    const holder = await Holder.start(lab, node, { name: 'holder' })
    const line = await holder.connect()
    const workloads: Partial<Record<Name, Host>> = {}
    for (const name of names) {
      workloads[name] = await lab.host(name)
      await holder.connectClient(workloads[name])
    }
    return { ...line, lab, holder, node, workloads: workloads as Record<Name, Host>, close: () => lab.close() }
  } catch (error) {
    await lab.close()
    throw error
  }
}
