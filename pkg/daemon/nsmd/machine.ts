import { type Runtime, VERSION } from '../../base/index.ts'
import type { NsmdConfig } from '../../config/index.ts'
import { ControlClient, type Dataplane, HolderDataplane, HolderPods, HolderRtnl } from '../../dataplane/index.ts'
import type { PodNamespaces } from '../../kubernetes/index.ts'
import { linuxPlatform, type Platform } from '../../platform/index.ts'

/** The kernel and the dataplane of this machine. */
export interface Machine {
  readonly platform: Platform
  readonly dataplane: Dataplane
  readonly pods: PodNamespaces
  close(): void | Promise<void>
}

/** Waits, and logs that it does, while nsm-dataplane is away. */
export async function openMachine(config: NsmdConfig, { clock, logger, signal }: Runtime): Promise<Machine> {
  const client = new ControlClient({ path: config.control, clock, logger, build: VERSION })
  try {
    logger.info('Connecting to nsm-dataplane', { socket: config.control })
    await client.ready(signal)
  } catch (error) {
    await client.close()
    throw error
  }
  const rtnl = new HolderRtnl(client, logger)
  return {
    platform: linuxPlatform(rtnl),
    dataplane: new HolderDataplane(client, logger),
    pods: new HolderPods(client, rtnl),
    close: () => client.close(),
  }
}
