/** A pod as nsmesh sees it: what the API server says of it, as far as it matters here. */
import type { Attestation } from '../../api/index.ts'
import type { KubeObject, Resource } from '../../kube/index.ts'
import type { Annotations, AskingPod } from '../annotations/asked-of-pod.ts'
import { SERVE, WIRES } from '../annotations/refuse.ts'

export interface PodObject extends KubeObject {
  readonly spec: {
    readonly nodeName?: string
    readonly hostNetwork?: boolean
    readonly serviceAccountName?: string
    readonly priorityClassName?: string
    readonly readinessGates?: readonly { readonly conditionType: string }[]
  }
  readonly status?: {
    readonly phase?: string
    readonly podIP?: string
    readonly startTime?: string
    readonly conditions?: readonly PodCondition[]
  }
}

export interface PodCondition {
  readonly type: string
  readonly status: string
  readonly reason?: string
  readonly message?: string
}

export const PODS: Resource<PodObject> = {
  group: '',
  version: 'v1',
  kind: 'Pod',
  plural: 'pods',
  isNamespaced: true,
}

/** Whether all wires of the pod are up, for people and for readiness gates. */
export const WIRES_CONDITION = 'networkservicemesh.io/wires'

export interface Pod extends AskingPod {
  readonly uid: string
  readonly name: string
  readonly serviceAccount: string
  readonly phase: string
  readonly isReady: boolean
  /** Changes with the sandbox. */
  readonly podIp: string
  /** It is not Ready before its condition says so. */
  readonly isReadyByWires: boolean
  /** When the kubelet took it up, to the second; 0: not yet. */
  readonly startedMs: number
  /** As it stands in the API server. */
  readonly condition: PodCondition | undefined
}

/** The network of a pod, from one start of it to the next: a pod that is started anew has another one. */
export interface Sandbox {
  /** As the runtime calls it; empty where the namespace was found by the pod's processes. */
  readonly id: string
  /** Its network namespace, `inode://<dev>/<ino>`. */
  readonly namespace: string
}

/** A pod of this node and where its wires begin or end. */
export interface PodAt {
  readonly pod: Pod
  readonly sandbox: Sandbox
}

export function readPod({ metadata, spec, status = {} }: PodObject): Pod {
  const conditionOf = (wanted: string) => status.conditions?.find(({ type }) => type === wanted)
  return {
    uid: metadata.uid ?? '',
    name: metadata.name,
    namespace: metadata.namespace ?? '',
    annotations: ownAnnotations(metadata.annotations),
    isHostNetwork: spec.hostNetwork === true,
    isStatic: metadata.annotations?.['kubernetes.io/config.mirror'] !== undefined,
    priorityClass: spec.priorityClassName ?? '',
    serviceAccount: spec.serviceAccountName ?? 'default',
    phase: status.phase ?? 'Pending',
    isReady: conditionOf('Ready')?.status === 'True',
    podIp: status.podIP ?? '',
    isReadyByWires: spec.readinessGates?.some(({ conditionType }) => conditionType === WIRES_CONDITION) ?? false,
    startedMs: status.startTime === undefined ? 0 : Date.parse(status.startTime),
    condition: conditionOf(WIRES_CONDITION),
  }
}

/** Ours, of all the kilobytes that a pod may have. */
export function ownAnnotations(all: Annotations = {}): Annotations {
  return Object.fromEntries(Object.entries(all).filter(([key]) => key === WIRES || key === SERVE))
}

/** It will never run again: its object may stay for days. */
export function hasEnded({ phase }: Pod): boolean {
  return phase === 'Succeeded' || phase === 'Failed'
}

/** The name of a pod's client and of its endpoint, which no other pod has. */
export function fullName({ name, namespace }: Pod): string {
  return `${name}.${namespace}`
}

/** How the domain's authority calls the pod's identity. */
export function identityPath({ namespace, serviceAccount }: Pick<Pod, 'namespace' | 'serviceAccount'>): string {
  return `ns/${namespace}/sa/${serviceAccount}`
}

/** How the client that a pod is calls its wire. */
export function wireId({ uid }: Pick<Pod, 'uid'>, key: string): string {
  return `${uid}-${key}`
}

const ACCOUNT = 'pod/'

export function accountOf({ uid }: Pod): string {
  return `${ACCOUNT}${uid}`
}

/** The uid of the pod; undefined for other accounts. */
export function podOfAccount(account: string): string | undefined {
  return account.startsWith(ACCOUNT) ? account.slice(ACCOUNT.length) : undefined
}

/** What the kernel would say of a process in the pod, for calls that its node makes for it. */
export function attestationOf({ pod, sandbox: { namespace } }: PodAt): Attestation {
  return {
    connectionId: 0n,
    pid: 0,
    uid: 0,
    gid: 0,
    namespace,
    pidNamespace: 0n,
    userNamespace: 0n,
    mountNamespace: 0n,
    cgroup: '',
    pod: pod.uid,
    account: accountOf(pod),
    isNodesOwn: false,
  }
}
