import type { Platform } from '../doors.ts'
import { fakeAddresses } from './fake-addresses.ts'
import { fakeBystanders } from './fake-bystanders.ts'
import type { FakeKernel } from './fake-kernel.ts'
import { fakeLinks } from './fake-links.ts'
import { fakeNamespaces } from './fake-namespaces.ts'
import { fakeNeighbours } from './fake-neighbours.ts'
import { fakeRoutes } from './fake-routes.ts'
import { fakeRules } from './fake-rules.ts'

/** A platform on a kernel in memory. To simulate a restart, create another one on the same kernel. */
export function fakePlatform(kernel: FakeKernel): Platform {
  return {
    links: fakeLinks(kernel),
    addresses: fakeAddresses(kernel),
    routes: fakeRoutes(kernel),
    rules: fakeRules(kernel),
    neighbours: fakeNeighbours(kernel),
    bystanders: fakeBystanders(kernel),
    namespaces: fakeNamespaces(kernel),
  }
}
