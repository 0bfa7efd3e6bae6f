import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const PLUGIN = fileURLToPath(new URL('kubectl-nsm', import.meta.url))
/** Two nodes; a command on the second ends with warnings. Else it says what it was called with. */
const KUBECTL = `#!/bin/sh
case "$*" in
  *"get pods"*"nodeName=none"*) ;;
  *"get pods"*) printf 'west-2 nsmd-b\\nwest-1 nsmd-a\\n' ;;
  *json*) echo '[]' ;;
  *) echo "$*" ;;
esac
case "$*" in *"exec pod/nsmd-b"*) exit 3 ;; esac
`
const REGISTRY = '--namespace nsm-system exec deployment/nsm-registry --container registry -- nsmctl'
const NODE = '--namespace nsm-system exec pod/nsmd-a --container nsmd -- nsmctl'

describe('kubectl nsm', () => {
  const folder = mkdtempSync(join(tmpdir(), 'kubectl-nsm-'))
  beforeAll(() => writeFileSync(join(folder, 'kubectl'), KUBECTL, { mode: 0o755 }))
  afterAll(() => rmSync(folder, { recursive: true }))

  function plugin(line: string) {
    const env = { ...process.env, PATH: `${folder}:${process.env['PATH']}` }
    return new Promise<{ code: unknown; out: string; errors: string }>((resolve) => {
      execFile(PLUGIN, line === '' ? [] : line.split(' '), { env }, (error, out, errors) =>
        resolve({ code: error?.code ?? 0, out: out.trimEnd(), errors }),
      )
    })
  }

  test.each([
    ['domain invite east', `${REGISTRY} domain invite east`],
    ['get nodes', `${REGISTRY} get nodes`],
    ['describe node west-1', `${REGISTRY} describe node west-1`],
    ['get services', `${NODE} get services`],
    ['close 3f1c --node west-1', `${NODE} close 3f1c`],
    ['domain list --context east', `${REGISTRY.replace(' exec', ' --context east exec')} domain list`],
    ['--as=ann -n mesh node revoke n1', `${REGISTRY.replace(' exec', ' --as=ann -n mesh exec')} node revoke n1`],
  ])('%s', async (line, called) => {
    expect(await plugin(line)).toMatchObject({ code: 0, out: called })
  })

  test('hands on standard input to what reads it, and to nothing else', async () => {
    const called = REGISTRY.replace(' deployment', ' --stdin deployment')
    expect(await plugin('domain join -')).toMatchObject({ out: `${called} domain join -` })
  })

  test('shows wires and state of every node, in their order, and ends with the worst status', async () => {
    const shown = ['west-1:', `  ${NODE} status`, 'west-2:', `  ${NODE.replace('nsmd-a', 'nsmd-b')} status`]
    expect(await plugin('status')).toMatchObject({ code: 3, out: shown.join('\n') })
    const { out } = await plugin('get wires -o json')
    expect(JSON.parse(out)).toEqual({ 'west-1': [], 'west-2': [] })
  })

  test.each([
    ['request kernel://db', 2, "'request' is no command for a whole cluster"],
    ['close 3f1c', 2, 'name the node of the wire with --node'],
    ['domain list --context', 2, '--context needs a value'],
    ['status --node none', 4, 'no pod of nsmd runs on none'],
  ])('refuses `%s`', async (line, code, reason) => {
    expect(await plugin(line)).toMatchObject({ code, errors: expect.stringContaining(reason) })
  })

  test('says without a command how it is used', async () => {
    expect(await plugin('')).toMatchObject({ code: 0, out: expect.stringContaining('kubectl nsm get nodes') })
  })
})
