import type { Pod } from '../pods/pod.ts'

/** A pod that runs, is Ready and asks for nothing. */
export function podOf(change: Partial<Pod> = {}): Pod {
  return {
    uid: 'uid-web',
    name: 'web',
    namespace: 'shop',
    annotations: {},
    isHostNetwork: false,
    isStatic: false,
    priorityClass: '',
    serviceAccount: 'default',
    phase: 'Running',
    isReady: true,
    podIp: '10.0.0.2',
    isReadyByWires: false,
    startedMs: 0,
    condition: undefined,
    ...change,
  }
}
