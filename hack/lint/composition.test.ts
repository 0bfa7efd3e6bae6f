import { describe, expect, test } from 'vitest'
import { askDirectory, composition, plainTypes, sharedSteps } from './composition.ts'

function source(path: string, ...lines: readonly string[]) {
  return { path, lines }
}

describe('composition', () => {
  test.each([
    ['class Nodes {', 'a class'],
    ['export class Nodes {', 'a class'],
    ["  throw new NsmError('internal', 'Cannot')", 'an error'],
    ['  for (const each of all) each.close()', 'a loop'],
    ['  for await (const each of all) use(each)', 'a loop'],
    ['  while (!signal.aborted) {', 'a loop'],
    ['const NAME = /^[a-z]+$/', 'a regular expression'],
    ["  return url.replace(/^tcp:/, '')", 'a regular expression'],
    ['  if (!/^tcp:/.test(url)) return url', 'a regular expression'],
  ])('refuses %j in pkg/daemon', (text, what) => {
    const sentence = `makes ${what}; composition decides nothing: move it to the folder that it belongs to`
    expect(composition(source('pkg/daemon/nsmd/nsmd.ts', '', text))).toEqual([{ line: 2, sentence }])
    for (const path of ['pkg/daemon/run-program.ts', 'pkg/node/a.ts', 'pkg/daemon/nsmd/a.test.ts']) {
      expect(composition(source(path, text))).toEqual([])
    }
  })

  test.each([
    "import { Forwarder } from '../../forwarding/index.ts'",
    '  const table = new ConnectionTable(connectionRecords(state.connections))',
    ' * for (what a comment says)',
    '  const half = whole / 2 / 3',
    '  // a comment',
  ])('lets %j stand', (text) => {
    expect(composition(source('pkg/daemon/nsmd/nsmd.ts', text))).toEqual([])
  })
})

describe('plainTypes', () => {
  const text = "import { nodeV1 } from '../api/index.ts'"

  test('keeps protobuf at the border of a room', () => {
    expect(plainTypes(source('pkg/node/view/wire-view.ts', text))).toEqual([
      { line: 1, sentence: 'uses protobuf messages; convert them in a file named *-proto.ts' },
    ])
    for (const path of ['pkg/node/view/view-proto.ts', 'pkg/node/node-service.ts', 'pkg/node/authority-client.ts']) {
      expect(plainTypes(source(path, text))).toEqual([])
    }
  })

  test('does not concern tests, gRPC and composition', () => {
    for (const path of ['pkg/node/a.test.ts', 'pkg/rpc/nsm-services.ts', 'pkg/daemon/nsmd/nsmd.ts']) {
      expect(plainTypes(source(path, text))).toEqual([])
    }
  })
})

describe('sharedSteps', () => {
  test.each(['  const arrived = arrive(connection, { name, newId })', '  verifyPathTokens({ tokens })'])(
    'refuses %j outside of the steps',
    (text) => {
      expect(sharedSteps(source('pkg/endpoint/a.ts', text))).toEqual([
        { line: 1, sentence: 'follows a path by hand; use pkg/steps' },
      ])
      for (const path of ['pkg/steps/path.ts', 'pkg/identity/path-tokens.ts', 'pkg/request/testing/a.ts']) {
        expect(sharedSteps(source(path, text))).toEqual([])
      }
    },
  )
})

describe('askDirectory', () => {
  const text = "import type { EndpointRegistryClient } from '../api/index.ts'"

  test('keeps clients of registries from the chain', () => {
    expect(askDirectory(source('pkg/request/a.ts', text))).toEqual([
      { line: 1, sentence: 'calls a registry; ask the directory' },
    ])
    for (const path of ['pkg/directory/a.ts', 'pkg/endpoint/registration.ts', 'pkg/request/a.test.ts']) {
      expect(askDirectory(source(path, text))).toEqual([])
    }
  })
})
