/** A service of east, and a pod of west that gets a wire to it while it runs. */
import { FETCH, fileServer, HASH, reader } from '../../kubernetes/workloads.ts'
import { detail, step } from '../../lab/progress.ts'
import { until } from '../../lab/until.ts'
import type { TwoClusters } from './two-clusters.ts'

const MEGABYTES = 100
const READER = 'kubectl exec deployment/reader --'
const FILES = 'kubectl --context east exec deployment/files --'

interface Shared {
  /** The first bytes of the file: whoever sees these on the internet has seen plaintext. */
  readonly head: Buffer
  readonly sha256: string
  /** From the annotation to the interface in the pod. */
  readonly wireMs: number
}

interface Transfer {
  readonly bytes: number
  readonly sha256Match: boolean
  readonly seconds: number
}

export async function share({ west, east, laptop }: TwoClusters): Promise<Shared> {
  step('a Deployment of east serves files; one of west knows nothing of it yet')
  await Promise.all([east.apply(fileServer(MEGABYTES)), west.apply(reader())])
  await laptop.shell('kubectl --context east rollout status deployment/files --timeout=120s')
  await laptop.shell('kubectl rollout status deployment/reader --timeout=120s')
  const head = Buffer.from(await laptop.shell(`${FILES} sh -c 'head -c 48 /tmp/file | base64'`), 'base64')
  const sha256 = await laptop.shell(`${FILES} sh -c '${HASH}'`)
  const lines = [
    'kubectl nsm --context east domain export files west',
    'kubectl annotate pod -l app=reader networkservicemesh.io=kernel://files@east/nsm-1',
  ]
  step(lines.join('\n    '))
  for (const line of lines) await laptop.shell(line)
  const startMs = Date.now()
  const hasWire = async () => (await laptop.tryShell(`${READER} test -e /sys/class/net/nsm-1`)).code === 0
  await until('the wire', hasWire, 30_000)
  const wireMs = Date.now() - startMs
  detail(`the running pod has it after ${wireMs} ms`)
  return { head, sha256, wireMs }
}

export async function fetchFile({ laptop }: TwoClusters, sha256: string): Promise<Transfer> {
  step(`fetching ${MEGABYTES} MB over the wire`)
  const startMs = Date.now()
  const fetched = await laptop.shell(`${READER} sh -c '${FETCH}'`)
  const seconds = Math.round((Date.now() - startMs) / 100) / 10
  const sha256Match = fetched === sha256
  detail(`${seconds} s with the hash, SHA-256 ${sha256Match ? 'equal' : 'DIFFERENT'}`)
  return { bytes: MEGABYTES * 1024 * 1024, sha256Match, seconds }
}
