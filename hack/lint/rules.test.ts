import { describe, expect, test } from 'vitest'
import { LAYERS } from './layers.ts'
import type { SourceFile } from './rule.ts'
import { doors, fileSize, layers, outsideWorld, testSupport } from './rules.ts'

function source(path: string, ...lines: readonly string[]): SourceFile {
  return { path, lines }
}

describe('fileSize', () => {
  test('lets 400 lines pass and no more', () => {
    expect(fileSize(source('pkg/a/a.ts', ...Array(400).fill('')))).toEqual([])
    expect(fileSize(source('pkg/a/a.ts', ...Array(401).fill('')))).toEqual([
      { line: 1, sentence: '401 lines; split it (at most 400)' },
    ])
  })
})

describe('outsideWorld', () => {
  const rules = [
    { what: 'the moon', pattern: /moon/, allowed: ['pkg/space/'] },
    { what: 'the sun', pattern: /sun/, allowed: [] },
  ]
  test('names the line, what is touched, and who may', () => {
    expect(outsideWorld(source('pkg/a/a.ts', '', 'to the moon'), rules)).toEqual([
      { line: 2, sentence: 'touches the moon; only pkg/space/ may' },
    ])
    expect(outsideWorld(source('pkg/space/a.ts', 'sun'), rules)).toEqual([
      { line: 1, sentence: 'touches the sun; only nobody may' },
    ])
  })
  test.each(['pkg/space/a.ts', 'pkg/a/a.test.ts', 'pkg/a/testing/fake.ts', 'test/lab/a.ts', 'hack/a.ts'])(
    'lets %s touch it',
    (path) => {
      expect(outsideWorld(source(path, 'moon'), rules)).toEqual([])
    },
  )
  test.each([
    'process.env',
    'Date.now()',
    'setTimeout(f, 1)',
    'AbortSignal.timeout(1)',
    "import { setTimeout } from 'node:timers/promises'",
    "import { readFileSync } from 'node:fs'",
    "import { connect } from 'node:net'",
    "import { spawn } from 'node:child_process'",
  ])('holds the product to the real table: %s', (text) => {
    expect(outsideWorld(source('pkg/net/a.ts', text))).toHaveLength(1)
  })
})

describe('testSupport', () => {
  test.each(["import { test } from 'vitest'", "import { FakeClock } from '../base/testing/index.ts'"])(
    'keeps it from the product: %s',
    (text) => {
      expect(testSupport(source('pkg/net/a.ts', text))).toEqual([{ line: 1, sentence: 'imports what only tests may' }])
      for (const path of ['pkg/net/a.test.ts', 'pkg/net/testing/a.ts', 'test/lab/a.ts']) {
        expect(testSupport(source(path, text))).toEqual([])
      }
    },
  )
})

describe('doors', () => {
  const reaching = "import { a } from '../rpc/channel.ts'"
  test('are index.ts for the product', () => {
    expect(doors(source('pkg/client/a.ts', reaching))).toEqual([
      { line: 1, sentence: 'reaches into pkg/rpc; import its index.ts' },
    ])
    expect(doors(source('cmd/nsmd/main.ts', "import '../../pkg/daemon/run.ts'"))).toHaveLength(1)
    expect(doors(source('pkg/client/a.ts', "import { a } from '../rpc/index.ts'"))).toEqual([])
    expect(doors(source('pkg/client/a.ts', "import { a } from './b.ts'"))).toEqual([])
  })
  test('are testing/index.ts too for what only tests use', () => {
    const fakes = "import { FakeClock } from '../../base/testing/index.ts'"
    expect(doors(source('pkg/client/testing/a.ts', fakes))).toEqual([])
    expect(doors(source('pkg/client/testing/a.ts', "import { a } from '../../rpc/channel.ts'"))).toHaveLength(1)
  })
  test('are no matter of tests', () => {
    for (const path of ['pkg/client/a.test.ts', 'test/lab/a.ts']) expect(doors(source(path, reaching))).toEqual([])
  })
})

describe('layers', () => {
  const table = [['low'], ['left', 'right'], ['top']]
  test.each([
    ['low', 'top', 'pkg/low (layer 0) may not import pkg/top (layer 2)'],
    ['left', 'right', 'pkg/left (layer 1) may not import pkg/right (layer 1)'],
    ['new', 'low', 'pkg/new has no layer; add it to hack/lint/layers.ts'],
    ['top', 'new', 'pkg/new has no layer; add it to hack/lint/layers.ts'],
  ])('%s may not import %s', (from, to, sentence) => {
    const file = source(`pkg/${from}/a.ts`, '', `import { a } from '../${to}/index.ts'`)
    expect(layers(file, table)).toEqual([{ line: 2, sentence }])
    expect(layers({ ...file, path: `pkg/${from}/a.test.ts` }, table)).toEqual([])
  })
  test.each([
    ['top', 'low'],
    ['right', 'low'],
    ['left', 'left'],
  ])('%s may import %s', (from, to) => {
    expect(layers(source(`pkg/${from}/a.ts`, `import { a } from '../${to}/index.ts'`), table)).toEqual([])
  })
  test('are no matter of programs and of the lab', () => {
    for (const path of ['cmd/nsmd/main.ts', 'test/lab/a.ts']) {
      expect(layers(source(path, "import { a } from '../../pkg/top/index.ts'"), table)).toEqual([])
    }
  })
  test('name each folder once', () => {
    const names = LAYERS.flat()
    expect(new Set(names).size).toBe(names.length)
  })
})
