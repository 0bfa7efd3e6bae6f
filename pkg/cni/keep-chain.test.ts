import { rmSync } from 'node:fs'
import { expect, onTestFinished, test } from 'vitest'
import { type LogFields, type Logger, silentLogger, systemClock } from '../base/index.ts'
import { keepChain, leaveChain } from './keep-chain.ts'
import { NodeFolders, PRIMARY } from './testing/index.ts'

function keep(node: NodeFolders) {
  const said: string[] = []
  const say = (message: string, fields?: LogFields) =>
    said.push(`${message}: ${fields?.['where'] ?? fields?.['error']}`)
  const logger: Logger = { ...silentLogger, info: say, warn: say }
  const stop = new AbortController()
  const keeping = keepChain({ chain: node.chain, clock: systemClock, logger }, stop.signal)
  onTestFinished(async () => {
    stop.abort()
    await keeping
  })
  return said
}

const within1s = (what: () => unknown) => expect.poll(what, { timeout: 1_000, interval: 10 })

test('what goes is put back within a second', async () => {
  const node = new NodeFolders()
  keep(node)
  for (const path of ['conf/pods/50-nsm.conf', 'bin/nsm-cni', 'conf/pods', 'bin/nsm-cni']) {
    await within1s(() => node.has(path)).toBe(true)
    rmSync(node.path(path), { recursive: true })
  }
  await within1s(() => node.files('bin')).toEqual(['nsm-cni'])
  node.write('conf/10-primary.conflist', JSON.stringify({ ...PRIMARY, name: 'other' }))
  await within1s(() => node.called).toEqual(['bridge', 'nsm-cni'])
})

test('it waits for the pod network, and says so once', async () => {
  const node = new NodeFolders()
  rmSync(node.path('conf/10-primary.conflist'))
  const said = keep(node)
  await within1s(() => said).toEqual([expect.stringMatching(/Cannot put .* the node has none yet/)])
  node.write('conf/other', '')
  node.write('conf/10-primary.conflist', JSON.stringify(PRIMARY))
  await within1s(() => said.slice(1)).toEqual(['Put nsm-cni into the chain of CNI plugins: beside the list'])
})

test.each([
  ['follows', 0],
  ['follows while it leaves', 100],
])('a run that another one %s takes nothing of it away', async (_, waitMs) => {
  const node = new NodeFolders()
  node.chain.takeOver()
  node.chain.put()
  const next = node.anotherChain()
  const follow = () => {
    node.write('run/keeper', '') // as the init container of its pod does
    node.write('run/cni', '')
    next.takeOver()
    next.put()
  }
  if (waitMs === 0) follow()
  const leaving = leaveChain({ chain: node.chain, clock: systemClock, logger: silentLogger })
  await systemClock.sleep(waitMs)
  if (waitMs > 0) follow()
  await leaving
  node.chain.removeRun()
  expect([node.called, node.has('bin/nsm-cni'), node.has('run/cni')]).toEqual([['bridge', 'nsm-cni'], true, true])
  next.removeRun()
  expect(node.files('run')).toEqual([])
})

test('the entry goes before the plugin does', async () => {
  const node = new NodeFolders()
  node.chain.put()
  const leaving = leaveChain({ chain: node.chain, clock: systemClock, logger: silentLogger })
  expect([node.called, node.has('bin/nsm-cni')]).toEqual([['bridge'], true])
  await leaving
  expect(node.has('bin/nsm-cni')).toBe(false)
})
