/** Holds the recipes of CONTRIBUTING.md against the tree: they name the files that an extension touches, and no others. */
import { existsSync, globSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

/** In the order of their rows, with VXLAN as what was added. */
function filesOf(recipe: string): readonly string[] {
  const text = readFileSync('CONTRIBUTING.md', 'utf8')
  const section = text.split(/^## /m).find((each) => each.startsWith(`${recipe}\n`)) ?? ''
  return [...section.matchAll(/^\| `([^`]+)` \|/gm)].map(([, file = '']) => file.replaceAll('<name>', 'vxlan'))
}

/** Sources of what ships: without tests, documents, and what is generated. */
function sources(): readonly string[] {
  const all = globSync('{pkg,cmd,hack,manifests}/**/*.{ts,h,cc,txt,yaml}')
  return all.filter((file) => !/\.test\.ts$|\/(testing|gen|test|fuzz|bench|build[^/]*|node_modules)\//.test(file))
}

function naming(word: RegExp): readonly string[] {
  return sources().filter((file) => word.test(readFileSync(file, 'utf8')) || word.test(file))
}

describe('the recipe', () => {
  it.each([
    ['Add a mechanism', 8],
    ['Add a mechanism parameter', 8],
    ['Add a port kind', 12],
  ])('"%s" names at most %i files, all of which exist', (recipe, most) => {
    const files = filesOf(recipe)
    expect(files.filter((file) => !existsSync(file))).toEqual([])
    expect(files.length).toBeGreaterThan(0)
    expect(files.length).toBeLessThanOrEqual(most)
  })

  it('for a mechanism and its kind of port names the files that name VXLAN', () => {
    const recipe = new Set([...filesOf('Add a mechanism'), ...filesOf('Add a port kind')])
    // Attributes of its own name what they say, not whose they are.
    recipe.delete('pkg/dataplane/native/protocol/fields.cc')
    expect([...naming(/vxlan/i)].sort()).toEqual([...recipe].sort())
  })
})
