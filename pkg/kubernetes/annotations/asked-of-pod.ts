/**
 * What a pod asks for: by its own annotations, and where it has none, by those of its namespace. Each annotation is judged
 * by itself. Pure.
 */
import { errorCode, NsmError } from '../../base/index.ts'
import { type Annotation, SERVE, WIRES } from './refuse.ts'
import { parseServe, type Serve } from './serve.ts'
import { type AskedWire, parseWires } from './wires.ts'

export type Annotations = Readonly<Record<string, string>>

export interface AskingPod {
  readonly namespace: string
  readonly annotations: Annotations
  /** It has the network of its node, and none of its own. */
  readonly isHostNetwork: boolean
  /** The kubelet runs it from a file. */
  readonly isStatic: boolean
  readonly priorityClass: string
}

/** Refused: what stands already stays as it is. */
export type Judged<T> =
  | { readonly at: 'asked'; readonly value: T }
  | { readonly at: 'refused'; readonly error: NsmError }

export interface Asked {
  readonly wires: Judged<readonly AskedWire[]>
  readonly serve: Judged<Serve | undefined>
}

export interface Inheriting {
  /** Of the pod's namespace. */
  readonly namespaceAnnotations: Annotations
  /** The namespace in which nsmesh itself runs. */
  readonly ownNamespace: string
}

export function askedOfPod(pod: AskingPod, inheriting: Inheriting): Asked {
  const wires = () => parseWires(textOf(WIRES, pod, inheriting))
  const serve = () => {
    const text = textOf(SERVE, pod, inheriting)
    return text.trim() === '' ? undefined : parseServe(text)
  }
  return { wires: judge(wires), serve: judge(serve) }
}

export function isNothing({ wires, serve }: Asked): boolean {
  const asksNoWire = wires.at === 'refused' || wires.value.length === 0
  return asksNoWire && (serve.at === 'refused' || serve.value === undefined)
}

/** Whether pods of the namespace get something by being in it. */
export function isInheritedFrom(namespace: string, { namespaceAnnotations, ownNamespace }: Inheriting): boolean {
  const isSet = [WIRES, SERVE].some((each) => (namespaceAnnotations[each] ?? '').trim() !== '')
  return isSet && !isSystem(namespace, ownNamespace)
}

/** Of the pod; of its namespace, where the pod has none; empty: nothing is asked. */
function textOf(annotation: Annotation, pod: AskingPod, { namespaceAnnotations, ownNamespace }: Inheriting): string {
  const own = pod.annotations[annotation]
  if (own !== undefined) {
    if (own.trim() !== '') checkPod(annotation, pod)
    return own
  }
  const isLeftOut = isSystem(pod.namespace, ownNamespace) || isCritical(pod) || pod.isHostNetwork || pod.isStatic
  return isLeftOut ? '' : (namespaceAnnotations[annotation] ?? '')
}

/** Those that have to run before nsmesh does, or so that it can, never depend on it unless they themselves ask. */
function isSystem(namespace: string, ownNamespace: string): boolean {
  return namespace === 'kube-system' || namespace === ownNamespace
}

function isCritical({ priorityClass }: AskingPod): boolean {
  return priorityClass.startsWith('system-') && priorityClass.endsWith('-critical')
}

/** @throws {NsmError} `failed_precondition` for a pod that cannot have a wire, whatever it asks for */
function checkPod(annotation: Annotation, { isHostNetwork, isStatic }: AskingPod): void {
  if (isHostNetwork) {
    throw new NsmError(
      'failed_precondition',
      `Cannot use the annotation ${annotation}: the pod has no network of its own`,
      {
        next: 'leave hostNetwork out of the pod, or the annotation',
      },
    )
  }
  if (!isStatic) return
  throw new NsmError('failed_precondition', `Cannot use the annotation ${annotation}: a static pod has no identity`, {
    next: 'run the pod by a DaemonSet, or leave the annotation out',
  })
}

function judge<T>(read: () => T): Judged<T> {
  try {
    return { at: 'asked', value: read() }
  } catch (error) {
    if (error instanceof NsmError && errorCode(error) !== 'internal') return { at: 'refused', error }
    throw error
  }
}
