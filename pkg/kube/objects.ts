/** What every object of the Kubernetes API has, and how a kind of object is addressed. */

export interface KubeObject {
  readonly apiVersion?: string
  readonly kind?: string
  readonly metadata: ObjectMeta
}

export interface ObjectMeta {
  readonly name: string
  readonly namespace?: string
  readonly uid?: string
  /** Of the last change of this object: a number in decimal, greater than all before it (Kubernetes 1.35 and later). */
  readonly resourceVersion?: string
  readonly generation?: number
  readonly creationTimestamp?: string
  /** Set once somebody has asked for its deletion, while something still holds it. */
  readonly deletionTimestamp?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  readonly ownerReferences?: readonly OwnerReference[]
}

export interface OwnerReference {
  readonly apiVersion: string
  readonly kind: string
  readonly name: string
  readonly uid: string
}

/** A kind of object: how the API server calls it, and the type of what it answers. */
export interface Resource<T extends KubeObject> {
  /** Empty for the core group, with pods and namespaces. */
  readonly group: string
  readonly version: string
  readonly kind: string
  /** As in URLs: `pods`. */
  readonly plural: string
  readonly isNamespaced: boolean
  /** Never set. It only carries the type of the objects, which the schema of the API server vouches for. */
  readonly type?: T
}

export interface ObjectKey {
  readonly name: string
  readonly namespace?: string
}

/** `namespace/name`, or `name` alone for objects without a namespace. */
export function keyOf({ metadata: { name, namespace } }: KubeObject): string {
  return namespace === undefined ? name : `${namespace}/${name}`
}

export interface ObjectList<T> {
  /** The state of the cluster of which the list is a picture: a watch from there misses nothing. */
  readonly resourceVersion: string
  readonly items: readonly T[]
}

/** A bookmark says how far the watch has come, and nothing of any object. */
export type WatchEvent<T> =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: T }
  | { readonly type: 'BOOKMARK'; readonly resourceVersion: string }

export interface Selection {
  /** Without it: the objects of all namespaces. */
  readonly namespace?: string
  readonly labelSelector?: string
  /** For instance `spec.nodeName=n1`. */
  readonly fieldSelector?: string
}
