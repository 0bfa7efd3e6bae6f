import { isWorkloadOf } from '../policy/index.ts'
import type { Records, RegistryRecord, RegistryStore } from './store/registry-store.ts'

/** Removes the registrations of an expelled node and of its workloads. Safe to repeat after a crash. */
export async function removeOwned({ services, endpoints }: RegistryStore, node: string): Promise<void> {
  await removeFrom(endpoints, node)
  await removeFrom(services, node)
}

async function removeFrom<T extends RegistryRecord>(records: Records<T>, node: string): Promise<void> {
  const { values } = await records.list({})
  for (const { name, pathIds } of values) {
    const [owner = ''] = pathIds
    if (owner === node || isWorkloadOf(owner, node)) await records.remove(name)
  }
}
