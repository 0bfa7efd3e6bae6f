import { expect, it } from 'vitest'
import { podOf } from '../testing/pods.ts'
import { endFormerWires } from './end-former-wires.ts'
import type { PodStatus } from './node-pods.ts'
import { accountOf, wireId } from './pod.ts'

const pod = podOf()
const status: PodStatus = {
  pod,
  asked: undefined,
  sandbox: undefined,
  wires: [],
  endpoint: undefined,
  refusals: [],
  problem: undefined,
}

function standing(id: string, made: string) {
  const segments = [{ name: 'client', id: made, token: '', expiresMs: undefined, metrics: {} }]
  return { id, accounts: [accountOf(pod)], connection: { path: { index: 0, segments } } }
}

it.each<[string, PodStatus | undefined, readonly string[]]>([
  ['a pod that is gone', undefined, ['of-pod']],
  ['a pod that asks for nothing any more', status, ['of-pod']],
  ['a pod whose network was not found now', { ...status, problem: 'EIO' }, []],
])('ends wires of an earlier run where nobody wants them any more: %s', async (_what, found, ended) => {
  const table = { all: () => [standing('of-pod', wireId(pod, 'db')), standing('of-program', 'nsc-0')] }
  const ends: string[] = []
  const end = async (id: string) => void ends.push(id)
  await endFormerWires({ table, pods: { status: () => found }, end })
  expect(ends).toEqual(ended)
})
