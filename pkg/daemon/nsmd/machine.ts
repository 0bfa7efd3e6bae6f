import { type Runtime, VERSION } from '../../base/index.ts'
import type { NsmdConfig } from '../../config/index.ts'
import { ControlClient, type Dataplane, HolderDataplane, HolderRtnl } from '../../dataplane/index.ts'
import { linuxPlatform, type Platform } from '../../platform/index.ts'

/** The kernel and the dataplane of this machine. */
export interface Machine {
  readonly platform: Platform
  readonly dataplane: Dataplane
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
  const platform = linuxPlatform(new HolderRtnl(client, logger))
  return { platform, dataplane: new HolderDataplane(client, logger), close: () => client.close() }
}
