import { existsSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Lab } from '../lab/lab.ts'
import { until } from '../lab/until.ts'
import { ApiServer } from './api-server.ts'
import { missingForKubernetes } from './programs.ts'

const SETUP_MS = 120_000
const missing = missingForKubernetes()

describe.skipIf(missing !== undefined)('an API server alone', () => {
  let lab: Lab
  let api: ApiServer

  beforeAll(async () => {
    lab = await Lab.create()
    api = await ApiServer.start(lab)
  }, SETUP_MS)
  afterAll(() => lab?.close(), SETUP_MS)

  test('obeys its admin', async () => {
    await api.kubectl(['create', 'configmap', 'greeting', '--from-literal=text=hello'])
    expect(await api.kubectl(['get', 'configmap', 'greeting', '-o', 'jsonpath={.data.text}'])).toBe('hello')
  })

  test('allows a user what its roles allow, and no more', async () => {
    await api.kubectl(['create', 'role', 'reader', '--verb=get,list', '--resource=configmaps'])
    await api.kubectl(['create', 'rolebinding', 'reader', '--role=reader', '--group=people'])
    const reader = ['--kubeconfig', await api.kubeconfig({ name: 'reader', groups: ['people'] })]
    const isAllowed = async () => (await api.tryKubectl([...reader, 'get', 'configmaps'])).code === 0
    await until('the server to know the new role', isAllowed)
    expect(await api.tryKubectl([...reader, 'delete', 'configmap', 'greeting'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('User "reader" cannot delete resource "configmaps"'),
    })
  })

  test('signs tokens of service accounts', async () => {
    await api.kubectl(['create', 'serviceaccount', 'robot'])
    const token = await api.kubectl(['create', 'token', 'robot', '--audience', 'nsmesh'])
    const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token: token.trim() } }
    const input = JSON.stringify({ ...review, spec: { ...review.spec, audiences: ['nsmesh'] } })
    const answer = await api.kubectl(['create', '-o', 'jsonpath={.status.user.username}', '-f', '-'], { input })
    expect(answer).toBe('system:serviceaccount:default:robot')
  })

  test('has what it promised when it comes back', { timeout: SETUP_MS }, async () => {
    await api.server.stop('SIGKILL')
    expect(await api.tryKubectl(['get', 'configmaps'])).toMatchObject({ code: 1 })
    api.server.start()
    await api.ready()
    expect(await api.kubectl(['get', 'configmap', 'greeting', '-o', 'name'])).toBe('configmap/greeting\n')
  })

  test('leaves nothing behind', { timeout: SETUP_MS }, async () => {
    const pids = [api.etcd.pid, api.server.pid]
    await lab.close()
    expect(existsSync(lab.directory)).toBe(false)
    expect(pids.filter((pid) => existsSync(`/proc/${pid}`))).toEqual([])
  })
})

if (missing !== undefined) test.skip(`the tests with Kubernetes are skipped: ${missing}`, () => {})
