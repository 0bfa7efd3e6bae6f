/** What tests of stores need of an API server: our resources in it, clients, and a namespace of their own. */
import { type Clock, NsmError, systemClock } from '../../pkg/base/index.ts'
import { httpsTransport, KubeClient, type KubeObject, type Resource, readKubeconfig } from '../../pkg/kube/index.ts'
import type { ApiServer } from './api-server.ts'
import type { User } from './certificates.ts'

const namespaces: Resource<KubeObject> = {
  group: '',
  version: 'v1',
  kind: 'Namespace',
  plural: 'namespaces',
  isNamespaced: false,
}

/** Resolves when the API server serves our resources. */
export async function installResources(api: ApiServer): Promise<void> {
  await api.kubectl(['apply', '-f', 'manifests/base/crds'])
  await api.kubectl(['wait', '--for=condition=Established', '--timeout=60s', '-f', 'manifests/base/crds'])
}

export async function clientOf(api: ApiServer, user?: User, clock: Clock = systemClock): Promise<KubeClient> {
  const cluster = await readKubeconfig(await api.kubeconfig(user))
  return new KubeClient({ transport: httpsTransport(cluster), clock })
}

let count = 0

export async function makeNamespace(client: KubeClient): Promise<string> {
  count += 1
  const name = `test-${count}`
  await client.create(namespaces, { metadata: { name } })
  return name
}

/** A client whose watches a test can break, while its other calls come through. */
export async function clientWithoutWatches(api: ApiServer) {
  const transport = httpsTransport(await readKubeconfig(await api.kubeconfig()))
  let broken = new AbortController()
  const refusals: number[] = []
  const client = new KubeClient({
    transport: {
      ...transport,
      async exchange(exchange) {
        if (exchange.isWatch !== true) return transport.exchange(exchange)
        const signal = AbortSignal.any([exchange.signal, broken.signal])
        signal.throwIfAborted()
        const { status, body } = await transport.exchange({ ...exchange, signal })
        return { status, body: noting(body, refusals) }
      },
    },
    clock: systemClock,
  })
  const watches = {
    /** The codes with which the API server has ended watches. */
    refusals,
    stop: () => broken.abort(new NsmError('unavailable', 'the test has broken the watch')),
    resume: () => {
      broken = new AbortController()
    },
  }
  return { client, watches }
}

async function* noting(body: AsyncIterable<Uint8Array>, refusals: number[]): AsyncGenerator<Uint8Array> {
  for await (const part of body) {
    const code = /"type":"ERROR".*"code":(\d+)/.exec(Buffer.from(part).toString())?.[1]
    if (code !== undefined) refusals.push(Number(code))
    yield part
  }
}
