/** What the kernel does by itself: the bare veth, and its VXLAN device on top. */
import type { System } from '../system.ts'

export const veth: System = {
  name: 'veth',
  up: async ({ left, right }) => ({ client: left.host, server: right.host, address: right.address }),
}

export const kernelVxlan: System = {
  name: 'kernel-vxlan',
  async up({ left, right }) {
    const ends = [
      [left, right.address, '10.91.0.1/24'],
      [right, left.address, '10.91.0.2/24'],
    ] as const
    for (const [{ host, address }, remote, own] of ends) {
      const device = `link add vx0 type vxlan id 91 local ${address} remote ${remote} dstport 4789`
      await host.ip(device, `address add ${own} dev vx0`, 'link set vx0 up')
    }
    return { client: left.host, server: right.host, address: '10.91.0.2' }
  },
}
