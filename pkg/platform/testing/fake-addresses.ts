import type { Addresses } from '../doors.ts'
import { normalizeAddress } from '../normalize.ts'
import type { FakeKernel } from './fake-kernel.ts'

export function fakeAddresses(kernel: FakeKernel): Addresses {
  return {
    list: (namespace, signal) => {
      const space = () => kernel.namespace(namespace)
      return kernel.read('list addresses', {
        effect: () => space().addresses.filter(({ link }) => space().isOurs(link)),
        signal,
      })
    },

    async add(wanted, signal) {
      const spec = normalizeAddress(wanted)
      const namespace = kernel.namespace(spec.namespace)
      namespace.link(spec.link)
      if (namespace.addresses.some(({ link, address }) => link === spec.link && address === spec.address)) return
      const effect = () => namespace.addresses.push(spec)
      await kernel.write(spec.namespace, `addr add ${spec.address} dev ${spec.link} nodad`, { effect, signal })
    },

    async remove(wanted, signal) {
      const spec = normalizeAddress(wanted)
      if (!kernel.hasNamespace(spec.namespace)) return
      const namespace = kernel.namespace(spec.namespace)
      if (!namespace.addresses.some(({ link, address }) => link === spec.link && address === spec.address)) return
      const effect = () => namespace.removeAddress(spec)
      await kernel.write(spec.namespace, `addr del ${spec.address} dev ${spec.link}`, { effect, signal })
    },
  }
}
