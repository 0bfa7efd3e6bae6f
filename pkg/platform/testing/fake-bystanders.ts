import { formatIp, parsePrefix } from '../../net/index.ts'
import type { Bystander, Bystanders } from '../doors.ts'
import type { FakeKernel } from './fake-kernel.ts'

export function fakeBystanders(kernel: FakeKernel): Bystanders {
  return {
    list: (namespace, signal) => {
      const effect = (): Bystander[] => {
        const space = kernel.namespace(namespace)
        const addresses = space.addresses.filter(({ link }) => !space.isOurs(link))
        const routes = space.routes.filter(({ link }) => !space.isOurs(link))
        return [
          ...addresses.map(({ address }) => ({ ip: formatIp(parsePrefix(address).address), role: 'address' as const })),
          ...routes.flatMap(({ via }) => (via === undefined ? [] : [{ ip: via, role: 'gateway' as const }])),
        ]
      }
      return kernel.read('list bystanders', { effect, signal })
    },
  }
}
