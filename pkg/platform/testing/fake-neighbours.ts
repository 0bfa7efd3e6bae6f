import type { NeighbourSpec, Neighbours } from '../doors.ts'
import { normalizeNeighbour } from '../normalize.ts'
import type { FakeKernel } from './fake-kernel.ts'

export function fakeNeighbours(kernel: FakeKernel): Neighbours {
  return {
    list: (namespace, signal) => {
      const space = () => kernel.namespace(namespace)
      return kernel.read('list neighbours', {
        effect: () => space().neighbours.filter(({ link }) => space().isOurs(link)),
        signal,
      })
    },

    async add(wanted, signal) {
      const spec = normalizeNeighbour(wanted)
      const namespace = kernel.namespace(spec.namespace)
      namespace.link(spec.link)
      if (namespace.neighbours.some((entry) => isSameIp(entry, spec) && entry.mac === spec.mac)) return
      const effect = () => {
        namespace.neighbours = [...namespace.neighbours.filter((entry) => !isSameIp(entry, spec)), spec]
      }
      const command = `neigh replace ${spec.ip} lladdr ${spec.mac} dev ${spec.link} nud permanent`
      await kernel.write(spec.namespace, command, { effect, signal })
    },

    async remove(wanted, signal) {
      const spec = normalizeNeighbour(wanted)
      if (!kernel.hasNamespace(spec.namespace)) return
      const namespace = kernel.namespace(spec.namespace)
      if (!namespace.neighbours.some((entry) => isSameIp(entry, spec))) return
      const effect = () => {
        namespace.neighbours = namespace.neighbours.filter((entry) => !isSameIp(entry, spec))
      }
      await kernel.write(spec.namespace, `neigh del ${spec.ip} dev ${spec.link}`, { effect, signal })
    },
  }
}

function isSameIp(a: NeighbourSpec, b: NeighbourSpec): boolean {
  return a.link === b.link && a.ip === b.ip
}
