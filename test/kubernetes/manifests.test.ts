/** The manifests as they are shipped, with the image as it is built, on a cluster of two nodes. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { VERSION } from '../../pkg/base/index.ts'
import { Lab } from '../lab/lab.ts'
import { ROOT } from '../lab/programs.ts'
import type { KubernetesCluster } from './cluster.ts'
import { BOX_IMAGE } from './images.ts'
import { clusterWithImage, OVERLAY } from './nsmesh.ts'
import { missingForKubernetes } from './programs.ts'

const SETUP_MS = 300_000
const TEST_MS = 120_000
const IMAGE = `localhost/nsmesh:${VERSION}`
/** Where programs of pods find the node, and the node their sockets. */
const NSM_FOLDER = '/var/lib/networkservicemesh'
const missing = missingForKubernetes()

/** A program of the image with its environment, beside a shell. */
function pod(name: string, nodeName: string, program: string, environment: Record<string, string>, security = {}) {
  const folders = { nsm: NSM_FOLDER, agent: '/run/nsmesh' }
  const mesh = {
    name: 'mesh',
    image: IMAGE,
    command: [program],
    env: Object.entries(environment).map(([name, value]) => ({ name, value })),
    securityContext: security,
    volumeMounts: Object.entries(folders).map(([name, mountPath]) => ({ name, mountPath })),
  }
  const spec = {
    nodeName,
    terminationGracePeriodSeconds: 1,
    containers: [{ name: 'box', image: BOX_IMAGE }, mesh],
    volumes: Object.entries(folders).map(([name, path]) => ({ name, hostPath: { path } })),
  }
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec }
}

/** A pod that has nothing of nsmesh but annotations, as a namespace with PodSecurity `restricted` wants it. */
function annotated(name: string, nodeName: string, annotations: Record<string, string>) {
  const container = {
    name: 'box',
    image: BOX_IMAGE,
    securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
  }
  const spec = {
    nodeName,
    terminationGracePeriodSeconds: 1,
    automountServiceAccountToken: false,
    securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } },
    containers: [container],
  }
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'strict', annotations }, spec }
}

describe.skipIf(missing !== undefined)('kubectl apply -k manifests/overlays/default', () => {
  let lab: Lab
  let cluster: KubernetesCluster

  beforeAll(async () => {
    lab = await Lab.create()
    cluster = await clusterWithImage(lab)
  }, SETUP_MS)
  afterAll(() => lab?.close(), SETUP_MS)

  const kubectl = (...command: readonly string[]) => cluster.kubectl(...command)
  const rolledOut = (what: string) => kubectl('-n', 'nsm-system', 'rollout', 'status', what, '--timeout=90s')

  test('is what the API server takes, without a warning', { timeout: TEST_MS }, async () => {
    await kubectl('apply', '-f', `${ROOT}/manifests/base/namespace.yaml`)
    await kubectl('apply', '-f', `${ROOT}/manifests/base/crds`)
    const { code, stderr } = await cluster.api.tryKubectl([
      'apply',
      '--dry-run=server',
      '--warnings-as-errors',
      '-k',
      OVERLAY,
    ])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  })

  test('starts a registry that the nodes join', { timeout: TEST_MS }, async () => {
    await kubectl('-n', 'nsm-system', 'create', 'configmap', 'nsmesh', '--from-literal=domain=west')
    await kubectl('apply', '-k', OVERLAY)
    await rolledOut('deployment/nsm-registry')
    await rolledOut('daemonset/nsmd')
    const nodes = () => kubectl('-n', 'nsm-system', 'exec', 'deployment/nsm-registry', '--', 'nsmctl', 'get', 'nodes')
    await expect.poll(nodes, { timeout: 30_000 }).toMatch(/west-1[\s\S]*west-2/)
  })

  test('gives pods of two nodes a wire, by the programs of the image', { timeout: TEST_MS }, async () => {
    const endpoint = { NSM_NAME: 'files-1', NSM_SERVICE_NAMES: 'files', NSM_CIDR_PREFIX: '172.16.1.0/31' }
    // Its socket is where the node reaches it; only root may make one there.
    await cluster.apply(
      pod('files', 'west-1', 'nsm-endpoint', { ...endpoint, NSM_LISTEN_DIR: NSM_FOLDER }, { runAsUser: 0 }),
    )
    await cluster.apply(pod('reader', 'west-2', 'nsm-client', { NSM_NETWORK_SERVICES: 'kernel://files/nsm-1' }))
    await kubectl('wait', 'pod', 'reader', '--for=condition=Ready', '--timeout=60s')
    const ping = () => kubectl('exec', 'reader', '-c', 'box', '--', 'ping', '-c', '3', '-W', '1', '172.16.1.0')
    await expect.poll(() => ping().catch(String), { timeout: 60_000 }).toContain(' 0% packet loss')
  })

  test('gives a pod its wire by an annotation alone, while it runs', { timeout: TEST_MS }, async () => {
    await kubectl('create', 'namespace', 'strict')
    await kubectl('label', 'namespace', 'strict', 'pod-security.kubernetes.io/enforce=restricted')
    await cluster.apply(annotated('db', 'west-1', { 'networkservicemesh.io/serve': 'db?prefix=172.16.2.0/31' }))
    await cluster.apply(annotated('asks', 'west-2', {}))
    const inStrict = (...command: readonly string[]) => kubectl('-n', 'strict', ...command)
    await inStrict('wait', 'pod', 'db', 'asks', '--for=condition=Ready', '--timeout=60s')
    await inStrict('exec', 'db', '--', 'httpd', '-p', '8080', '-h', '/bin')
    const fetch = 'wget -q -T 2 -O - http://172.16.2.0:8080/busybox | cmp - /bin/busybox && echo the same'
    const fetched = () => inStrict('exec', 'asks', '--', 'sh', '-c', fetch).catch(String)

    await inStrict('annotate', 'pod', 'asks', 'networkservicemesh.io=kernel://db/nsm-1')
    await expect.poll(fetched, { timeout: 30_000 }).toContain('the same')
    await inStrict('annotate', 'pod', 'asks', 'networkservicemesh.io-')
    const links = () => inStrict('exec', 'asks', '--', 'ls', '/sys/class/net')
    await expect.poll(links, { timeout: 10_000 }).not.toContain('nsm-1')
    const status = await inStrict('get', 'pod', 'asks', '-o', 'jsonpath={.status.containerStatuses[0].restartCount}')
    expect(status).toBe('0')
  })

  describe('tells of a pod what has become of its wires', () => {
    const inStrict = (...command: readonly string[]) => kubectl('-n', 'strict', ...command)
    const describePod = (name: string) => inStrict('describe', 'pod', name)
    const condition = (name: string) =>
      inStrict('get', 'pod', name, '-o', 'jsonpath={.status.conditions[?(@.type=="networkservicemesh.io/wires")]}')
    const isReady = (name: string, is: boolean) =>
      inStrict('wait', 'pod', name, `--for=condition=Ready=${is ? 'True' : 'False'}`, '--timeout=30s')
    /** Ready only when its wires are up. */
    const gated = (name: string, service: string) => {
      const pod = annotated(name, 'west-2', { 'networkservicemesh.io': `kernel://${service}/nsm-1` })
      return { ...pod, spec: { ...pod.spec, readinessGates: [{ conditionType: 'networkservicemesh.io/wires' }] } }
    }

    test('one whose wire is up is Ready', { timeout: TEST_MS }, async () => {
      await cluster.apply(gated('good', 'db'))
      await isReady('good', true)
      const shown = await describePod('good')
      expect(shown).toMatch(/networkservicemesh.io\/wires +True/)
      expect(shown).toMatch(/Normal +WireUp +\S+ +networkservicemesh.io\/nsmd +nsm-1 to db is up/)
    })

    test('one whose wire is refused is told why, and what to type next', { timeout: TEST_MS }, async () => {
      await cluster.apply(gated('refused', 'nobody'))
      const why = 'nsm-1 to nobody: .*; list the services with: kubectl nsm get services'
      await expect
        .poll(() => describePod('refused'), { timeout: 30_000 })
        .toMatch(new RegExp(`Warning +WireDenied +\\S+ +networkservicemesh.io/nsmd +${why}`))
      expect(JSON.parse(await condition('refused'))).toMatchObject({
        status: 'False',
        reason: 'WireDenied',
        message: expect.stringMatching(why),
      })
      expect(await describePod('refused')).toMatch(/networkservicemesh.io\/wires +False/)
      await isReady('refused', false)
    })

    // Of its own node: a wire whose far node is replaced is down for a moment, and may be told of.
    test('one that stands when nsmd is replaced is not told of again', { timeout: TEST_MS }, async () => {
      const events = async () => {
        const names = await inStrict('get', 'events.events.k8s.io', '-o', 'name')
        return names.split('\n').filter((name) => name.includes('/good.'))
      }
      const before = [await condition('good'), await events()]
      const node = await inStrict('get', 'pod', 'good', '-o', 'jsonpath={.spec.nodeName}')
      const there = ['-l', 'app.kubernetes.io/name=nsmd', '--field-selector', `spec.nodeName=${node}`]
      await kubectl('-n', 'nsm-system', 'delete', 'pod', ...there)
      await rolledOut('daemonset/nsmd')
      const { metadata, ...later } = gated('later', 'db')
      await cluster.apply({ ...later, metadata: { ...metadata, annotations: {} } })
      await isReady('later', true) // the new nsmd says of it that it asks for no wire
      expect([await condition('good'), await events()]).toEqual(before)
    })
  })
})

if (missing !== undefined) test.skip(`the tests with Kubernetes are skipped: ${missing}`, () => {})
