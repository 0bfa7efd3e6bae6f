/** Two clusters with the same pod CIDR, joined from a laptop that has nothing but a kubeconfig. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Lab } from '../lab/lab.ts'
import { KubernetesCluster } from './cluster.ts'
import { buildImage, installNsmesh, Laptop } from './nsmesh.ts'
import { missingForKubernetes } from './programs.ts'
import { FETCH, fileServer, HASH, reader } from './workloads.ts'

const SETUP_MS = 300_000
const TEST_MS = 120_000
const missing = missingForKubernetes()

describe.skipIf(missing !== undefined)('two clusters and a laptop', () => {
  let lab: Lab
  let west: KubernetesCluster
  let east: KubernetesCluster
  let laptop: Laptop

  beforeAll(async () => {
    lab = await Lab.create()
    const image = buildImage(lab)
    ;[west, east] = await Promise.all([
      KubernetesCluster.start(lab, { name: 'west', number: 10, nodeCount: 2 }),
      KubernetesCluster.start(lab, { name: 'east', number: 20 }),
    ])
    laptop = await Laptop.start(lab, 5, [west, east])
    await Promise.all([west, east].map(async (cluster) => cluster.loadImage(await image)))
    await Promise.all([west, east].map((cluster) => installNsmesh(laptop, cluster)))
  }, SETUP_MS)
  afterAll(() => lab?.close(), SETUP_MS)

  const shell = (line: string) => laptop.shell(line)

  test('kubectl nsm joins them', { timeout: TEST_MS }, async () => {
    const joined = await shell('kubectl nsm domain invite east | kubectl nsm --context east domain join -')
    expect(joined).toContain('joined west')
    expect(await shell('kubectl nsm domain list')).toMatch(/^east /m)
    expect(await shell('kubectl nsm domain list --context east')).toMatch(/^west /m)
  })

  test('a pod gets a wire to a service of the other cluster, while it runs', { timeout: TEST_MS }, async () => {
    await east.apply(fileServer(10))
    await west.apply(reader())
    await shell('kubectl --context east rollout status deployment/files')
    await shell('kubectl rollout status deployment/reader')
    await shell('kubectl nsm --context east domain export files west')
    await shell('kubectl annotate pod -l app=reader networkservicemesh.io=kernel://files@east/nsm-1')
    const hash = await shell(`kubectl --context east exec deployment/files -- sh -c '${HASH}'`)
    const fetched = () => shell(`kubectl exec deployment/reader -- sh -c '${FETCH}'`).catch(String)
    await expect.poll(fetched, { timeout: 30_000 }).toBe(hash)
  })

  test('kubectl nsm shows nodes, wires and services of a cluster', { timeout: TEST_MS }, async () => {
    expect(await shell('kubectl nsm get nodes')).toMatch(/west-1[\s\S]*west-2/)
    expect(await shell('kubectl nsm get wires')).toMatch(/^west-1:\n[\s\S]*^west-2:\n/m)
    const byNode = JSON.parse(await shell('kubectl nsm get wires -o json'))
    expect([...byNode['west-1'], ...byNode['west-2']]).toMatchObject([{ networkService: 'files@east', state: 'up' }])
    expect(await shell('kubectl nsm status --node west-1')).toMatch(/west-1/)
    expect(await shell('kubectl nsm --context east get endpoints')).toContain('files')
  })

  describe('an administrator of the domain', () => {
    let as = ''

    beforeAll(async () => {
      const bind = 'kubectl -n nsm-system create rolebinding ann --role=nsm-administrator --user=ann'
      await shell(bind)
      as = `--kubeconfig ${await west.api.kubeconfig({ name: 'ann' })}`
    })

    test('uses kubectl nsm, with no other rights', { timeout: TEST_MS }, async () => {
      expect(await shell(`kubectl nsm ${as} domain list`)).toMatch(/^east /m)
      expect(await shell(`kubectl nsm ${as} get wires`)).toContain('files@east')
      expect(await laptop.tryShell(`kubectl ${as} get secrets -n nsm-system`)).toMatchObject({ code: 1 })
    })

    test.each(['node -e 0', 'nsmctl policy check /etc/passwd', 'nsmctl', 'nsm-registry'])(
      'cannot run `%s` in a pod of nsmesh',
      async (program) => {
        const { code, stderr } = await laptop.tryShell(
          `kubectl ${as} -n nsm-system exec deployment/nsm-registry -- ${program}`,
        )
        expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining('run nsmctl in its pods') })
      },
    )

    test('is nobody without the role', async () => {
      const bob = await west.api.kubeconfig({ name: 'bob' })
      const { code, stderr } = await laptop.tryShell(`kubectl nsm --kubeconfig ${bob} domain list`)
      expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining('forbidden') })
    })
  })

  test('a revoked domain loses its wires', { timeout: TEST_MS }, async () => {
    await shell('kubectl nsm --context east domain revoke west')
    const links = () => shell('kubectl exec deployment/reader -- ls /sys/class/net')
    await expect.poll(links, { timeout: 20_000 }).not.toContain('nsm-1')
    await expect.poll(() => shell('kubectl nsm --context east get wires'), { timeout: 20_000 }).not.toContain(' up ')
  })
})

if (missing !== undefined) test.skip(`the tests with Kubernetes are skipped: ${missing}`, () => {})
