import { NsmError } from '../../base/index.ts'
import { type Namespaces, NODE } from '../doors.ts'
import type { FakeKernel } from './fake-kernel.ts'

export function fakeNamespaces(kernel: FakeKernel): Namespaces {
  return {
    list: (signal) =>
      kernel.read('list pins', {
        effect: () => [...kernel.pins].map(([id, namespace]) => ({ id, namespace })),
        signal,
      }),

    async pin({ id, namespace }, signal) {
      kernel.namespace(namespace)
      const before = kernel.pins.get(id)
      if (before === namespace) return
      if (before !== undefined) {
        throw new NsmError('already_exists', 'Cannot pin the network namespace: the id already pins another one', {
          fields: { pin: id, namespace: before },
        })
      }
      const effect = () => void kernel.pins.set(id, namespace)
      await kernel.write(NODE, `netns attach ${id} ${namespace}`, { effect, signal })
    },

    async unpin(id, signal) {
      const namespace = kernel.pins.get(id)
      if (namespace === undefined) return
      const effect = () => {
        kernel.pins.delete(id)
        kernel.collect(namespace)
      }
      await kernel.write(NODE, `netns delete ${id}`, { effect, signal })
    },

    watch: (onChange) => kernel.watch(onChange),
  }
}
