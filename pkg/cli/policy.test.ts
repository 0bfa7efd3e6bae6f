import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { nodeV1 } from '../api/index.ts'
import { FakeClock } from '../base/testing/index.ts'
import type { NodeApi } from './mesh.ts'
import { runCli } from './program.ts'

const directory = mkdtempSync(join(tmpdir(), 'nsm-cli-policy-'))
const good = join(directory, 'good.yaml')
const bad = join(directory, 'bad.yaml')
const failing = join(directory, 'failing.yaml')
const RULE = "rules:\n  - {name: no-db, effect: deny, actions: [request], when: service == 'db'}\n"
const TEST = 'tests:\n  - {action: request, caller: spiffe://west/node/n1/uid/7, service: db, expect: '

beforeAll(() => {
  writeFileSync(good, `${RULE}${TEST}deny, rule: no-db}\n`)
  writeFileSync(bad, "rules:\n  - {name: no-db, effect: denny, actions: [request], when: servise == 'db'}\n")
  writeFileSync(failing, `${RULE}${TEST}allow}\n`)
})
afterAll(() => rmSync(directory, { recursive: true }))

async function cli(args: readonly string[], node: Partial<NodeApi> = {}) {
  const out: string[] = []
  const errors: string[] = []
  const mesh = {
    node: async () => node as NodeApi,
    admin: () => Promise.reject(new Error('no admin here')),
    close: async () => {},
  }
  const terminal = {
    print: (text: string) => void out.push(text),
    read: async () => '',
    signal: AbortSignal.abort(),
    isColoured: false,
  }
  const printError = (text: string) => void errors.push(text)
  const code = await runCli(['policy', ...args], { mesh, terminal, clock: new FakeClock(), printError })
  return { code, out: out.join('\n'), errors: errors.join('\n') }
}

describe('nsmctl policy check', () => {
  it('says that files are in order', async () => {
    expect(await cli(['check', good])).toMatchObject({
      code: 0,
      out: 'the policy is in order: 1 rule, 1 test passed',
    })
  })

  it('names every mistake with its line, and what would be right', async () => {
    const { code, out } = await cli(['check', bad])
    expect([code, out.split('\n')]).toEqual([
      1,
      [
        `${bad}:2:27: must be one of allow, deny, and is "denny"`,
        expect.stringContaining(`${bad}:2:60: the condition is wrong: there is no variable servise; there are action`),
      ],
    ])
    expect((await cli(['check', failing])).out).toContain(`${failing}:4:5: the test in line 4 fails: it expects allow`)
    expect(await cli(['check', join(directory, 'none.yaml')])).toMatchObject({
      code: 1,
      errors: expect.stringContaining('Cannot read the file'),
    })
  })
})

describe('nsmctl policy test', () => {
  it.each([
    [() => good, 0, 'passed', 'deny by no-db', 'deny'],
    [() => failing, 1, 'FAILED', 'allow', 'deny'],
  ] as const)('shows what each test decides', async (file, code, ...cells) => {
    const result = await cli(['test', file()])
    expect(result.code).toBe(code)
    const [title = '', row = ''] = result.out.split('\n')
    expect(title.split(/ {2,}/)).toEqual(['RESULT', 'TEST', 'EXPECTED', 'DECIDED', 'BY', 'AT'])
    const [verdict, expected, decided] = cells
    expect(row.split(/ {2,}/)).toEqual([verdict, 'in line 4', expected, decided, 'no-db', `${file()}:4`])
  })

  it('shows the mistakes of files that cannot be read', async () => {
    expect(await cli(['test', bad])).toMatchObject({ code: 1, out: expect.stringContaining('there is no variable') })
  })
})

describe('nsmctl policy why', () => {
  it('asks the node, and shows what each rule says', async () => {
    const asked: unknown[] = []
    const answer = nodeV1.PolicyAnswer.fromPartial({
      rule: 'no-db',
      reason: 'the rule denies it',
      findings: [{ rule: 'no-db', effect: 'deny', finding: 'holds' }],
    })
    const explainPolicy: NodeApi['explainPolicy'] = async (question) => {
      asked.push(question)
      return answer
    }
    const args = ['why', 'request', 'spiffe://west/node/n1/uid/7', 'db', '--label', 'app=web', '--label', 'zone=a']
    const { code, out } = await cli(args, { explainPolicy })
    expect(code).toBe(0)
    expect(out).toContain('denied by the rule no-db: the rule denies it')
    expect(out).toMatch(/no-db {2}deny {4}holds/)
    const client = 'spiffe://west/node/n1/uid/7'
    const labels = new Map([
      ['app', 'web'],
      ['zone', 'a'],
    ])
    expect(asked).toEqual([{ action: 'request', caller: client, client, labels, networkService: 'db', endpoint: '' }])
    expect((await cli(['why', 'fly', client])).code).toBe(2)
    await cli(['why', 'route', client, 'vpn@east', '--prefix', '10.0.0.0/8'], { explainPolicy })
    expect(asked.at(-1)).toMatchObject({ action: 'route', networkService: 'vpn@east', prefix: '10.0.0.0/8' })
  })
})

describe('nsmctl policy diff', () => {
  it('shows which wires would be closed, and exits with a warning', async () => {
    const wire = { id: 'c1', networkService: 'db', clientIdentity: 'spiffe://west/node/n1/uid/7', reason: 'no-db' }
    const diffPolicy: NodeApi['diffPolicy'] = async (files) =>
      nodeV1.DiffPolicyResponse.fromPartial({ closed: files[0]?.text.includes('no-db') ? [wire] : [], kept: 2 })
    const { code, out } = await cli(['diff', good], { diffPolicy })
    expect(code).toBe(3)
    expect(out).toContain('c1  db       spiffe://west/node/n1/uid/7  no-db')
    expect(out).toContain('this policy would close 1 wire of this node and keep 2')
    const json = await cli(['diff', good, '-o', 'json'], { diffPolicy })
    expect(JSON.parse(json.out)).toMatchObject([{ id: 'c1' }])
  })
})
