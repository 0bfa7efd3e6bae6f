/** A wire of nsmesh between workloads of two nodes, asked for as any workload asks: daemons, registry and all. */
import { nodeReady, startNode, startRegistry } from '../../lab/cluster.ts'
import { requestServices, serveService, startWorkload } from '../../lab/workload.ts'
import type { System } from '../system.ts'

/** The AEAD is what both nodes have in hardware: AES-256-GCM on every machine with AES instructions. */
export const nsmeshRequested: System = {
  name: 'nsmesh-aes',
  async up({ lab }) {
    const registry = await startRegistry(lab, 'bench', { number: 30 })
    const start = (index: number) => startNode(lab, registry, { index, number: 30 + index })
    const [left, right] = await Promise.all([start(1), start(2)])
    await Promise.all([left, right].map(nodeReady))
    const server = await startWorkload(lab, right, 'server')
    const client = await startWorkload(lab, left, 'client')
    serveService(lab, server, { service: 'bench', cidr: '10.94.0.0/31' })
    await requestServices(lab, client, 'kernel://bench/nsm-1')
    return { client: client.host, server: server.host, address: '10.94.0.0' }
  },
}
