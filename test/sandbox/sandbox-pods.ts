/** The pods of one node of the sandbox: an API server in memory, and where the processes of the pods are. */
import { NsmError } from '../../pkg/base/index.ts'
import type { KubeObject, ObjectKey, ObjectList, Resource, WatchEvent } from '../../pkg/kube/index.ts'
import type { PodCondition, PodNamespaces, PodObject } from '../../pkg/kubernetes/index.ts'
import type { FakeKernel } from '../../pkg/platform/testing/index.ts'

const WIRES = 'networkservicemesh.io'
const SERVE = 'networkservicemesh.io/serve'

export interface SandboxPod {
  readonly name: string
  readonly namespace?: string
  readonly serviceAccount?: string
  readonly wires?: string
  readonly serve?: string
  readonly isReady?: boolean
  readonly phase?: string
  /** When the kubelet took it up; by default that is not known. */
  readonly startTime?: string
}

interface SandboxEvent {
  readonly regarding: { readonly name: string }
  readonly reason: string
  readonly note: string
}

interface StatusPatch {
  readonly status: { readonly conditions: readonly PodCondition[] }
}

export class SandboxPods {
  readonly #kernel: FakeKernel
  readonly #objects = new Map<string, PodObject>()
  readonly #watchers = new Set<(event: WatchEvent<KubeObject>) => void>()
  readonly #found = new Map<string, string>()
  /** That of nsmesh, by the name of the pod. */
  readonly #conditions = new Map<string, PodCondition>()
  #version = 1
  #namespaces = 0
  #addresses = 2

  readonly namespaces: PodNamespaces
  /** Before this is done, the API server tells of no namespace; undefined: it tells at once. */
  namespacesTold: Promise<void> | undefined
  /** What the node has written, in order: `web: False WireDenied …` for the condition, `web: WireUp …` for an event. */
  readonly written: string[] = []

  constructor(kernel: FakeKernel) {
    this.#kernel = kernel
    this.namespaces = {
      find: async (uid) => {
        const namespace = this.#found.get(uid)
        if (namespace !== undefined) return namespace
        throw new NsmError('not_found', 'Cannot find the network of the pod: no process of it runs here')
      },
      keep: async () => {},
      release: async () => {},
    }
  }

  /** The pod as it is from now on; new ones run in a network namespace of their own, which is returned. */
  apply({ name, namespace = 'shop', serviceAccount = 'default', ...pod }: SandboxPod): string {
    const uid = `uid-${name}`
    const { wires, serve, isReady = true, phase = 'Running', startTime } = pod
    const annotations = {
      ...(wires !== undefined && { [WIRES]: wires }),
      ...(serve !== undefined && { [SERVE]: serve }),
    }
    const object: PodObject = {
      kind: 'Pod',
      metadata: { name, namespace, uid, annotations },
      spec: { nodeName: 'n1', serviceAccountName: serviceAccount },
      status: {
        phase,
        ...(startTime !== undefined && { startTime }),
        podIP: `10.0.0.${this.#addresses}`,
        conditions: [{ type: 'Ready', status: isReady ? 'True' : 'False' }, ...this.#conditionOf(name)],
      },
    }
    this.#put(`pods/${name}`, object)
    return this.#place(uid)
  }

  /** The namespace as it is from now on. */
  applyNamespace(name: string, annotations: Readonly<Record<string, string>>): void {
    this.#put(`namespaces/${name}`, { kind: 'Namespace', metadata: { name, annotations }, spec: {} })
  }

  /** The pod gets another sandbox: another network namespace, which is returned, and another address. */
  restart(pod: SandboxPod): string {
    this.#found.delete(`uid-${pod.name}`)
    this.#addresses += 1
    return this.apply(pod)
  }

  remove(name: string): void {
    const object = this.#objects.get(`pods/${name}`)
    this.#objects.delete(`pods/${name}`)
    this.#conditions.delete(name)
    if (object !== undefined) this.#tell({ type: 'DELETED', object })
  }

  client() {
    const objects = {
      pages: (resource: Resource<KubeObject>) => this.#pages(resource),
      watch: (resource: Resource<KubeObject>, { signal }: { readonly signal: AbortSignal }) =>
        this.#watch(resource, signal),
      create: async (_: Resource<KubeObject>, event: SandboxEvent) => {
        this.written.push(`${event.regarding.name}: ${event.reason} ${event.note}`)
      },
      patch: async (_: Resource<KubeObject>, { name }: ObjectKey, { body }: { readonly body: StatusPatch }) =>
        this.#patchStatus(name, body),
    }
    // What is asked for says of which kind the answers are.
    return { objects: objects as never, close() {} }
  }

  #conditionOf(name: string): readonly PodCondition[] {
    const condition = this.#conditions.get(name)
    return condition === undefined ? [] : [condition]
  }

  #patchStatus(name: string, { status: { conditions } }: StatusPatch): KubeObject {
    const [condition] = conditions
    const object = this.#objects.get(`pods/${name}`)
    if (condition === undefined || object === undefined) throw new NsmError('not_found', 'Cannot find the pod')
    this.written.push(`${name}: ${condition.status} ${condition.reason} ${condition.message}`)
    this.#conditions.set(name, condition)
    const { status = {} } = object
    const others = status.conditions?.filter(({ type }) => type !== condition.type) ?? []
    const changed = { ...object, status: { ...status, conditions: [...others, condition] } }
    this.#put(`pods/${name}`, changed)
    return changed
  }

  #place(uid: string): string {
    const known = this.#found.get(uid)
    if (known !== undefined) return known
    this.#namespaces += 1
    const namespace = `inode://4/${7_000 + this.#namespaces}`
    this.#kernel.addNamespace(namespace)
    this.#found.set(uid, namespace)
    return namespace
  }

  #put(key: string, changed: PodObject): void {
    const metadata = { ...changed.metadata, resourceVersion: `${++this.#version}` }
    const object = { ...changed, metadata }
    const type = this.#objects.has(key) ? 'MODIFIED' : 'ADDED'
    this.#objects.set(key, object)
    this.#tell({ type, object })
  }

  #tell(event: WatchEvent<KubeObject>): void {
    for (const watcher of this.#watchers) watcher(event)
  }

  async *#pages({ kind }: Resource<KubeObject>): AsyncGenerator<ObjectList<KubeObject>> {
    if (kind === 'Namespace' && this.namespacesTold !== undefined) await this.namespacesTold
    const items = [...this.#objects.values()].filter((object) => object.kind === kind)
    yield { resourceVersion: `${this.#version}`, items }
  }

  async *#watch({ kind }: Resource<KubeObject>, signal: AbortSignal): AsyncGenerator<WatchEvent<KubeObject>> {
    const events: WatchEvent<KubeObject>[] = []
    let wake = () => {}
    const watcher = (event: WatchEvent<KubeObject>) => {
      if (event.type !== 'BOOKMARK' && event.object.kind === kind) events.push(event)
      wake()
    }
    this.#watchers.add(watcher)
    signal.addEventListener('abort', () => wake(), { once: true })
    try {
      while (!signal.aborted) {
        const event = events.shift()
        if (event !== undefined) yield event
        else {
          await new Promise<void>((resolve) => {
            wake = resolve
          })
        }
      }
    } finally {
      this.#watchers.delete(watcher)
    }
  }
}
