/**
 * Tells nsm-cni which namespaces have pods that inherit wires: by a file for each of them, so that a pod that asks for
 * nothing can start without asking anybody. The files stay when this daemon ends: the pods of these namespaces wait for it.
 */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describeError, type Logger } from '../../base/index.ts'
import { type Annotations, isInheritedFrom } from '../annotations/asked-of-pod.ts'

export interface GatedNamespacesOptions {
  /** In which nsm-cni looks: `<folder>/gated/<namespace>`. */
  readonly folder: string
  /** The namespace in which nsmesh itself runs. */
  readonly ownNamespace: string
  readonly logger: Logger
}

export class GatedNamespaces {
  readonly #folder: string
  readonly #ownNamespace: string
  readonly #logger: Logger
  readonly #gated = new Set<string>()

  constructor({ folder, ownNamespace, logger }: GatedNamespacesOptions) {
    this.#folder = join(folder, 'gated')
    this.#ownNamespace = ownNamespace
    this.#logger = logger
  }

  /** @param namespaceAnnotations undefined: the namespace is gone */
  set(namespace: string, namespaceAnnotations: Annotations = {}): void {
    const ownNamespace = this.#ownNamespace
    const isGated = isInheritedFrom(namespace, { namespaceAnnotations, ownNamespace })
    if (isGated === this.#gated.has(namespace)) return
    if (isGated) this.#gated.add(namespace)
    else this.#gated.delete(namespace)
    this.#try(() => (isGated ? this.#add(namespace) : this.#remove(namespace)))
  }

  /** All namespaces have been set: what is left of an earlier run is removed. */
  settle(): void {
    this.#try(() => {
      mkdirSync(this.#folder, { recursive: true })
      for (const name of readdirSync(this.#folder)) if (!this.#gated.has(name)) this.#remove(name)
    })
  }

  #add(namespace: string): void {
    mkdirSync(this.#folder, { recursive: true })
    writeFileSync(join(this.#folder, namespace), '')
  }

  #remove(namespace: string): void {
    rmSync(join(this.#folder, namespace), { force: true })
  }

  /** Without its file, a namespace's pods start at once, and get their wires late. */
  #try(write: () => void): void {
    try {
      write()
    } catch (error) {
      this.#logger.error('Cannot say which pods wait for their wires', { error: describeError(error) })
    }
  }
}
