/** nsm-gate: keeps nsm-cni in the chain of CNI plugins of its node, for as long as nsmesh is installed. */
import { type Clock, type Runtime, Scope } from '../../base/index.ts'
import { Chain, keepChain, leaveChain } from '../../cni/index.ts'
import { clusterOf, type GateConfig } from '../../config/index.ts'
import { httpsTransport, isGone, KubeClient, type KubeObject, type Resource } from '../../kube/index.ts'

const DAEMON_SETS: Resource<KubeObject> = {
  group: 'apps',
  version: 'v1',
  kind: 'DaemonSet',
  plural: 'daemonsets',
  isNamespaced: true,
}

/** A program that ends leaves plugin and entry to the next one, unless there will be none. */
export async function startGate(config: GateConfig, { clock, logger }: Runtime): Promise<{ close(): Promise<void> }> {
  const scope = new Scope()
  const options = { chain: new Chain(config), clock, logger }
  options.chain.takeOver()
  if (config.gate === 'none') await leaveChain(options)
  else scope.run((until) => keepChain(options, until))
  return {
    async close() {
      await scope.close()
      if (!(await isUninstalled(config, clock))) return
      await leaveChain(options)
      options.chain.removeRun()
    },
  }
}

async function isUninstalled(config: GateConfig, clock: Clock): Promise<boolean> {
  const client = new KubeClient({ transport: httpsTransport(await clusterOf(config)), clock })
  try {
    const key = { namespace: config.namespace, name: config.daemonSet }
    return await isGone({ client, resource: DAEMON_SETS, key })
  } finally {
    client.close()
  }
}
