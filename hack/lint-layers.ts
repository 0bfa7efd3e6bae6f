/**
 * Holds the tree to the rules of hack/lint: which folder may import which, who may touch the outside world, how long a
 * file may be. Prints each breach as file:line and what to do; exits 1 when there is one.
 */
import { globSync, readFileSync } from 'node:fs'
import type { Rule, SourceFile } from './lint/rule.ts'
import { fileSize, RULES } from './lint/rules.ts'

const LEFT_OUT = /\/gen\/|node_modules|\/build/

const breaches = [
  ...breachesOf('{pkg,cmd,hack,test}/**/*.ts', RULES),
  ...breachesOf('pkg/dataplane/native/**/*.{h,cc}', [fileSize]),
]
for (const breach of breaches) console.error(breach)
process.exit(breaches.length === 0 ? 0 : 1)

function breachesOf(pattern: string, rules: readonly Rule[]): readonly string[] {
  const paths = globSync(pattern).filter((path) => !LEFT_OUT.test(path))
  return paths.sort().flatMap((path) => {
    const file: SourceFile = { path, lines: readFileSync(path, 'utf8').split('\n') }
    return rules.flatMap((rule) => rule(file)).map(({ line, sentence }) => `${path}:${line}: ${sentence}`)
  })
}
