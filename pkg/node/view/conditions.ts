/** What can be wrong with a node: one condition for each thing, with the next thing to do. Pure. */
import { describeError } from '../../base/index.ts'
import type { DataplaneStatus } from '../../dataplane/index.ts'

export interface Condition {
  readonly name: string
  /** Empty: all is well. */
  readonly problem: string
  readonly next: string
  /** The node goes on with what stands and with what it knows. */
  readonly warningOnly: boolean
}

export interface NodeFacts {
  /** What the dataplane says, or why it does not answer. */
  readonly dataplane: DataplaneStatus | { readonly error: unknown }
  /** Why the registry's word may be out of date; empty while the registry is there. */
  readonly registryProblem: string
  /** Why the registry cannot write its records; empty while it can. */
  readonly registryDiskProblem: string
  /** Where another machine runs under the name of this node; empty: nowhere. */
  readonly namesake: string
  /** How far the clock of this machine is ahead of the registry's. */
  readonly aheadMs: number
  readonly identityLeftMs: number
  /** From its beginning to its end. */
  readonly identityLifeMs: number
  /** Why the policy in force is not the one in its files; empty where it is, undefined where there is no policy. */
  readonly policyProblem: string | undefined
  /** Why state could not be written; empty where it was. */
  readonly diskProblem: string
  /** Of the program itself; empty where there was none lately. */
  readonly faults: string
  /** Ids of wires that should be up and are not. */
  readonly broken: readonly string[]
  /** Ids of wires that clients have asked for in vain. */
  readonly pending: readonly string[]
}

/** An identity is renewed at half of its life, which another agent may choose. */
const MIN_IDENTITY_LEFT = 1 / 4

export function conditionsOf(facts: NodeFacts): readonly Condition[] {
  const conditions = [
    dataplaneCondition,
    sourcesCondition,
    registryCondition,
    nameCondition,
    clockCondition,
    identityCondition,
    policyCondition,
    diskCondition,
    faultsCondition,
    wiresCondition,
  ]
  return conditions.flatMap((condition) => condition(facts) ?? [])
}

function dataplaneCondition({ dataplane }: NodeFacts): Condition {
  const healthy = { name: 'dataplane', problem: '', next: '', warningOnly: false }
  const next = 'check that `nsm-dataplane hold` runs and read its log'
  if ('error' in dataplane) return { ...healthy, problem: describeError(dataplane.error), next }
  return dataplane.enginePid === 0 ? { ...healthy, problem: 'the engine does not run', next } : healthy
}

/** A dataplane that does not answer has a condition of its own. */
function sourcesCondition({ dataplane }: NodeFacts): Condition | undefined {
  if ('error' in dataplane || dataplane.features.get('ipv6_source_checks') !== 'off') return undefined
  const problem = 'wires within the node carry IPv6 from any source, because the kernel lacks nf_tables'
  const next = 'load the kernel module nft_fib_ipv6 and restart nsm-dataplane; wires made after that are checked'
  return { name: 'sources', problem, next, warningOnly: true }
}

/** A registry that cannot write serves what it has. */
function registryCondition({ registryProblem, registryDiskProblem }: NodeFacts): Condition {
  const registry = { name: 'registry', warningOnly: true }
  if (registryProblem !== '' || registryDiskProblem === '') {
    const next = registryProblem === '' ? '' : 'check that nsm-registry runs and that this node reaches it'
    return { ...registry, problem: registryProblem, next }
  }
  const next = 'make room on the file system of its NSM_STATE_DIR; until then nothing new is registered'
  return { ...registry, problem: `its disk: ${registryDiskProblem}`, next }
}

function nameCondition({ namesake }: NodeFacts): Condition | undefined {
  if (namesake === '') return undefined
  const problem = `another machine runs as this node, at ${namesake}, and is refused`
  const next = 'end it, or give it a name and a token of its own: nsmctl node invite <name>'
  return { name: 'name', problem, next, warningOnly: true }
}

/** More than people set a clock apart for who have no network time. */
const MOST_APART_MS = 30_000

function clockCondition({ aheadMs }: NodeFacts): Condition | undefined {
  const apartMs = Math.abs(aheadMs)
  if (apartMs <= MOST_APART_MS) return undefined
  const by = apartMs < 120_000 ? `${Math.round(apartMs / 1_000)} s` : `${Math.round(apartMs / 60_000)} min`
  const problem = `this machine's clock is ${by} ${aheadMs > 0 ? 'ahead of' : 'behind'} the registry's`
  return { name: 'clock', problem, next: 'set the clocks of both machines by NTP', warningOnly: true }
}

function identityCondition({ identityLeftMs, identityLifeMs }: NodeFacts): Condition {
  const healthy = { name: 'identity', problem: '', next: '', warningOnly: false }
  if (identityLeftMs > identityLifeMs * MIN_IDENTITY_LEFT) return healthy
  const isOver = identityLeftMs <= 0
  const left =
    identityLeftMs < 60_000
      ? `${Math.round(identityLeftMs / 1_000)} s`
      : `${Math.round(identityLeftMs / 60_000)} minutes`
  const problem = isOver ? 'it has expired' : `it expires in ${left} and could not be renewed`
  const next = 'bring the registry, or the agent that issues it, back; or join again: nsmctl node invite <name>'
  return { ...healthy, problem, next, warningOnly: !isOver }
}

function policyCondition({ policyProblem: problem }: NodeFacts): Condition | undefined {
  if (problem === undefined) return undefined
  const next = problem === '' ? '' : 'correct the file; until then the policy before it holds'
  return { name: 'policy', problem, next, warningOnly: true }
}

function diskCondition({ diskProblem: problem }: NodeFacts): Condition | undefined {
  if (problem === '') return undefined
  const next = 'make room on the file system of NSM_STATE_DIR; until then no new wire is made'
  return { name: 'disk', problem, next, warningOnly: true }
}

function faultsCondition({ faults: problem }: NodeFacts): Condition | undefined {
  if (problem === '') return undefined
  return { name: 'program', problem, next: 'report it with the log of nsmd, and restart nsmd', warningOnly: true }
}

function wiresCondition({ broken, pending }: NodeFacts): Condition {
  const [first] = [...broken, ...pending]
  if (first === undefined) return { name: 'wires', problem: '', next: '', warningOnly: true }
  const problem = [...complaintOf(broken, 'down'), ...complaintOf(pending, 'wanted and not there')].join('; ')
  return { name: 'wires', problem, next: `nsmctl describe wire ${first}`, warningOnly: true }
}

function complaintOf(ids: readonly string[], state: string): readonly string[] {
  if (ids.length === 0) return []
  return [ids.length === 1 ? `wire ${ids[0]} is ${state}` : `${ids.length} wires are ${state}`]
}
