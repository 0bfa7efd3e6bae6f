/** Keeps a wire from taking traffic that a pod has without us: to its own addresses and through its gateways. */
import { NsmError } from '../base/index.ts'
import { type WireIntent, type WorkloadInterface, workloadOf } from '../mechanism/index.ts'
import { isDefaultRoute, parseIp, parsePrefix, whyNotOnWire } from '../net/index.ts'
import type { Bystanders } from '../platform/index.ts'

/** @throws {NsmError} `invalid_argument` naming the prefix and what it would take */
export async function checkPods(
  bystanders: Bystanders,
  { client, server }: Pick<WireIntent, 'client' | 'server'>,
  signal: AbortSignal,
): Promise<void> {
  const workloads = [workloadOf(client), workloadOf(server)].filter((each) => each !== undefined)
  await Promise.all(workloads.map((workload) => checkPod(bystanders, workload, signal)))
}

async function checkPod(bystanders: Bystanders, workload: WorkloadInterface, signal: AbortSignal): Promise<void> {
  const found = await bystanders.list(workload.namespace, signal)
  const kept = found.map(({ ip, role }) => ({
    ip: parseIp(ip),
    what: role === 'gateway' ? `the gateway ${ip} of the pod` : `the pod's own address ${ip}`,
  }))
  for (const text of prefixesOf(workload)) {
    const prefix = parsePrefix(text)
    if (isDefaultRoute(prefix)) continue // the client has asked for it: see the chain of a request
    const reason = whyNotOnWire(prefix, { mayBeDefault: true, kept })
    if (reason === undefined) continue
    throw new NsmError('invalid_argument', `Cannot put the prefix on a wire: ${reason}`, {
      fields: { prefix: text, namespace: workload.namespace },
      next: 'give the endpoint other prefixes, or exclude these in the request',
    })
  }
}

/** Policies have tables of their own, but what they route is not in the main table any more. */
function prefixesOf({ addresses, routes, policies }: WorkloadInterface): readonly string[] {
  const policyRoutes = policies.flatMap((policy) => policy.routes)
  return [...addresses, ...[...routes, ...policyRoutes].map(({ prefix }) => prefix)]
}
