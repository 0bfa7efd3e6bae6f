/** Keeps a wire from taking traffic that a pod has without us: to its own addresses and through its gateways. */
import { type WireIntent, type WorkloadInterface, workloadOf } from '../mechanism/index.ts'
import { checkOnWire, isDefaultRoute, type PrefixExceptions, parseIp, parsePrefix } from '../net/index.ts'
import type { Bystanders } from '../platform/index.ts'

export interface PodChecks {
  readonly bystanders: Bystanders
  /** What the operator lets the wire take all the same. */
  readonly exceptions: PrefixExceptions
}

/** @throws {NsmError} `invalid_argument` naming the prefix and what it would take */
export async function checkPods(
  { bystanders, exceptions }: PodChecks,
  { client, server }: Pick<WireIntent, 'client' | 'server'>,
  signal: AbortSignal,
): Promise<void> {
  const workloads = [workloadOf(client), workloadOf(server)].filter((each) => each !== undefined)
  await Promise.all(workloads.map((workload) => checkPod({ bystanders, exceptions }, workload, signal)))
}

async function checkPod(
  { bystanders, exceptions }: PodChecks,
  workload: WorkloadInterface,
  signal: AbortSignal,
): Promise<void> {
  const found = await bystanders.list(workload.namespace, signal)
  const kept = found.map(({ ip, role }) => ({
    ip: parseIp(ip),
    what: role === 'gateway' ? `the gateway ${ip} of the pod` : `the pod's own address ${ip}`,
  }))
  for (const text of prefixesOf(workload)) {
    if (isDefaultRoute(parsePrefix(text))) continue // the client has asked for it: see the chain of a request
    checkOnWire(text, { mayBeDefault: true, kept, exceptions })
  }
}

/** Policies have tables of their own, but what they route is not in the main table any more. */
function prefixesOf({ addresses, routes, policies }: WorkloadInterface): readonly string[] {
  const policyRoutes = policies.flatMap((policy) => policy.routes)
  return [...addresses, ...[...routes, ...policyRoutes].map(({ prefix }) => prefix)]
}
