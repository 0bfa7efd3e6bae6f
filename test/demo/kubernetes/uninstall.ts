/** How the mesh ends: a domain is revoked, and nsmesh is removed from both clusters. */
import type { KubernetesNode } from '../../kubernetes/node.ts'
import { OVERLAY } from '../../kubernetes/nsmesh.ts'
import { ROOT } from '../../lab/programs.ts'
import { detail, step } from '../../lab/progress.ts'
import { until } from '../../lab/until.ts'
import type { TwoClusters } from './two-clusters.ts'

const CLEANUP = `${ROOT}/manifests/overlays/cleanup`
const GONE_MS = 30_000
const PATHS = [
  '/var/lib/nsmesh',
  '/var/lib/networkservicemesh',
  '/run/nsmesh',
  '/run/nsmesh-gate',
  '/opt/cni/bin/nsm-cni',
  '/etc/cni/net.d/*/50-nsm.conf',
]

/** @returns how long the pod of west had its wire still */
export async function revoke({ laptop }: TwoClusters): Promise<number> {
  const line = 'kubectl nsm --context east domain revoke west'
  step(line)
  const startMs = Date.now()
  await laptop.shell(line)
  const hasNone = async () =>
    (await laptop.tryShell('kubectl exec deployment/reader -- test -e /sys/class/net/nsm-1')).code !== 0
  await until('the wire to go', hasNone, GONE_MS)
  const revokedMs = Date.now() - startMs
  detail(`the wire is gone after ${revokedMs} ms`)
  return revokedMs
}

/** @returns what is left on the nodes */
export async function uninstall({ west, east, laptop }: TwoClusters): Promise<readonly string[]> {
  const lines = [
    'kubectl -n nsm-system delete daemonset nsmd',
    `kubectl apply -k ${CLEANUP}`,
    'kubectl -n nsm-system rollout status daemonset/nsm-cleanup --timeout=60s',
    `kubectl delete -k ${OVERLAY} --ignore-not-found --timeout=90s`,
  ]
  step(`${lines.join('\n    ').replaceAll(`${ROOT}/`, '')}    (in both)`)
  const inOrder = async (context: string) => {
    for (const line of lines) await laptop.shell(`${line} --context ${context}`)
  }
  await Promise.all(['west', 'east'].map(inOrder))
  const left = (await Promise.all([...west.nodes, ...east.nodes].map(leftOn))).flat()
  detail(left.length === 0 ? 'nothing is left on any node' : `left: ${left.join('\n')}`)
  return left
}

/** Of nsmesh: processes, files, and links of the node and of its pods. */
async function leftOn({ name, machine }: KubernetesNode): Promise<readonly string[]> {
  const look = `pgrep -fa 'nsm-datap[l]ane|/usr/bin/[n]sm'
    ls -d ${PATHS.join(' ')} 2>/dev/null
    for pod in /run/netns/*; do nsenter --net=$pod ip -oneline link; done | grep -vE ': (lo|eth0@[^:]*):'
    ip -oneline link | grep nsm
    grep -l nsm-cni /etc/cni/net.d/*.conflist
    true`
  const lines = (await machine.run(['bash', '-c', look])).split('\n')
  return lines.filter((line) => line !== '').map((line) => `${name}: ${line}`)
}
