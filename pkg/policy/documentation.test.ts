/** Holds docs/policy.md to the code: its files load, its conditions compile, its tables say what there is. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { CLAIMS_FIELDS, checkPolicy, compileCondition, IDENTITY_FIELDS, VARIABLES } from './index.ts'

const page = readFileSync(new URL('../../docs/policy.md', import.meta.url), 'utf8')
const blocks = (language: string) =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, 'gms'))].map(([, text = '']) => text)

describe('docs/policy.md', () => {
  it.each(blocks('yaml'))('shows a policy whose tests pass', (text) => {
    const { mistakes, results } = checkPolicy([{ path: 'docs/policy.md', text }], 'east')
    expect(mistakes).toEqual([])
    expect(results.length).toBeGreaterThanOrEqual(3)
  })

  it.each(blocks('cel').flatMap((text) => text.trim().split('\n')))('shows a condition: %s', (text) => {
    expect(compileCondition(text).steps).toBeGreaterThan(0)
  })

  it.each([...VARIABLES.map(({ name, about }) => [name, about]), ...Object.entries(IDENTITY_FIELDS)])(
    'says what %s is',
    (name, about) => {
      expect(page).toContain(`| \`${name}\` | ${about} |`)
    },
  )

  it('knows the fields of claimed', () => {
    expect(Object.keys(CLAIMS_FIELDS)).toEqual(['labels'])
  })
})
