/** CONTRIBUTING.md's recipes name the files that an extension touches, and no others. */
import { existsSync, globSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

const recipes = readFileSync('CONTRIBUTING.md', 'utf8').split(/^## /m)

/** The files of a recipe, with `name` as what was added. */
function filesOf(title: string, name = 'vxlan'): readonly string[] {
  const recipe = recipes.find((each) => each.startsWith(`${title}\n`)) ?? ''
  return [...recipe.matchAll(/^\| `([^`]+)` \|/gm)].map(([, file = '']) => file.replaceAll('<name>', name))
}

/** What ships, without tests and what is generated. */
const sources = globSync('{pkg,cmd,hack,manifests}/**/*.{ts,h,cc,txt,yaml}').filter(
  (file) => !/\.test\.ts$|\/(testing|gen|test|fuzz|bench|build[^/]*|node_modules)\//.test(file),
)

function naming(word: RegExp): readonly string[] {
  return sources.filter((file) => word.test(file) || word.test(readFileSync(file, 'utf8'))).sort()
}

describe('the recipe', () => {
  it.each([
    ['Add a step to a chain', 'reselect', /reselect/],
    ['Add a kind of object to the reconciler', 'pin', /pinKind|kinds\.pin/],
    ['Add an RPC', 'ListWires', /listWires|\bwires\(|WireView/i],
    ['Add a configuration variable', 'NSM_UAPI_SOCKET', /uapiSocket/],
    ['Add a view to nsmctl', 'wires', /\bwires\b/],
  ])('"%s" names the files that know %s', (title, name, word) => {
    const files = filesOf(title, name)
    expect(files.length).toBeGreaterThan(1)
    expect(files.filter((file) => !word.test(readFileSync(file, 'utf8')))).toEqual([])
  })

  it.each([
    ['Add a mechanism', 4],
    ['Add a port kind', 12],
    ['Add a mechanism parameter', 8],
  ])('"%s" names %i files that exist', (title, count) => {
    const files = filesOf(title)
    expect(files.filter((file) => !existsSync(file))).toEqual([])
    expect(new Set(files).size).toBe(count)
  })

  it('of a mechanism and that of its port kind name the files that name VXLAN', () => {
    // An attribute is named after what it says.
    const unnamed = 'pkg/dataplane/native/protocol/fields.cc'
    const files = new Set([...filesOf('Add a mechanism'), ...filesOf('Add a port kind')])
    expect(naming(/vxlan/i)).toEqual([...files].filter((file) => file !== unnamed).sort())
  })

  it('of a mechanism parameter names the files that name probe messages, and in TypeScript all of them', () => {
    const probeMessages = /probe_?messages|path_messages/i
    const files = filesOf('Add a mechanism parameter')
    expect(files.filter((file) => !probeMessages.test(readFileSync(file, 'utf8')))).toEqual([])
    const history = 'pkg/forwarding/intent-store.ts' // where they had another name
    const others = naming(probeMessages).filter((file) => file.endsWith('.ts') && !files.includes(file))
    expect(others).toEqual([history])
  })
})
