/** A cluster for a test file: a registry and nodes, made once, removed at the end. */
import { afterAll, beforeAll } from 'vitest'
import { type Node, nodeReady, type Registry, startNode, startRegistry } from './cluster.ts'
import { Lab } from './lab.ts'

const SETUP_MS = 60_000

export interface OneCluster {
  readonly lab: Lab
  readonly registry: Registry
  readonly nodes: readonly Node[]
  /** The first of them. */
  readonly node: Node
}

export interface ClusterOptions {
  readonly domain?: string
  /** The only IP version that its nodes reach each other by. */
  readonly family?: 4 | 6
  /** What the nsmd of a node is configured with besides; nodes count from 1. */
  readonly environment?: (lab: Lab, index: number) => Readonly<Record<string, string>>
}

/** @returns a function that gives the cluster, once the tests of this file run */
export function oneCluster(nodeCount: number, options: ClusterOptions = {}): () => OneCluster {
  const { domain = 'west', family = 4, environment = () => ({}) } = options
  let lab: Lab | undefined
  let made: OneCluster | undefined
  beforeAll(async () => {
    lab = await Lab.create({ family })
    const own = lab
    const registry = await startRegistry(own, domain, { number: 10 })
    const indices = Array.from({ length: nodeCount }, (_, index) => index + 1)
    const start = (index: number) =>
      startNode(own, registry, { index, number: 10 + index, environment: environment(own, index) })
    const nodes = await Promise.all(indices.map(start))
    await Promise.all(nodes.map(nodeReady))
    const [node] = nodes
    if (node !== undefined) made = { lab: own, registry, nodes, node }
  }, SETUP_MS)
  afterAll(() => lab?.close(), SETUP_MS)
  return () => {
    if (made === undefined) throw new Error('the cluster is not up')
    return made
  }
}
