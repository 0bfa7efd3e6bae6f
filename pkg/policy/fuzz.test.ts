/**
 * Property tests of what reads policies. Whatever the text is, it is refused with a place in the file or becomes a policy
 * that decides every question, without an error, at a cost that was known before.
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { NsmError } from '../base/index.ts'
import { ConditionError, compileCondition } from './condition/condition.ts'
import { factsOf } from './condition/facts.ts'
import { ACTIONS, checkPolicy, type Question } from './index.ts'

const RUNS = { numRuns: 2_000 }

/** Pieces of conditions, good and bad, so that many texts get past the parser. */
const PIECES = [
  ...['service', 'client', 'caller', 'claimed', 'labels', 'domain', 'id', 'uid', 'x', 'k', 'constructor', '__proto__'],
  ...[
    '.',
    '[',
    ']',
    '(',
    ')',
    '{',
    '}',
    ',',
    ':',
    '?',
    '==',
    '!=',
    '<',
    '&&',
    '||',
    '!',
    '-',
    '+',
    '*',
    '/',
    '%',
    'in',
  ],
  ...["'db'", '""', "'\\u0000'", '1', '1.5', '0x7fffffffffffffff', 'true', 'null', 'b"a"', 'r"\\d"', '\n', ' ', '//'],
  ...[
    '.exists(k, ',
    '.all(x, ',
    '.filter(k, ',
    '.map(k, ',
    'has(',
    '.size()',
    '.contains(',
    '.matches(',
    'claimed.labels',
  ],
]
const condition = fc
  .oneof(
    fc.array(fc.constantFrom(...PIECES), { maxLength: 30 }),
    fc.array(fc.string({ unit: 'binary' }), { maxLength: 5 }),
  )
  .map((pieces) => pieces.join(''))

/** Conditions that compile: quantifiers over labels and lists, with what they may compare. */
const { valid } = fc.letrec<{ valid: string }>((tie) => ({
  valid: fc.oneof(
    { depthSize: 'medium' },
    fc.constantFrom("service == 'db'", "client.uid in ['0', '1']", "'a' in claimed.labels", "claimed.labels.a == 'b'"),
    fc
      .tuple(tie('valid'), fc.constantFrom('&&', '||'), tie('valid'))
      .map(([one, op, other]) => `(${one} ${op} ${other})`),
    tie('valid').map((inner) => `claimed.labels.exists(k, k.startsWith('a') || ${inner})`),
    tie('valid').map((inner) => `['a', 'b'].all(k, k != service || ${inner})`),
    tie('valid').map((inner) => `!${inner}`),
  ),
}))

const text = fc.oneof(
  condition.map((when) => `rules: [{name: a, effect: deny, actions: [request], when: ${JSON.stringify(when)}}]`),
  fc
    .array(
      fc.constantFrom(
        'rules',
        'tests',
        'defaults',
        ': ',
        '\n',
        '- ',
        '  ',
        '{',
        '}',
        '[',
        ']',
        ',',
        '&a ',
        '*a',
        '!!map ',
        '"',
        "'",
        '|',
        '>',
        '#',
        '---',
        '\t',
        '<<',
      ),
      { maxLength: 40 },
    )
    .map((pieces) => pieces.join('')),
  fc.string({ unit: 'binary' }),
)

const labels = fc.dictionary(fc.string(), fc.string(), { maxKeys: 64 })
const questions: fc.Arbitrary<Question> = fc.record({
  action: fc.constantFrom(...ACTIONS),
  caller: fc.oneof(fc.constantFrom('spiffe://west/node/n1', 'spiffe://east/registry'), fc.string()),
  service: fc.string({ unit: 'binary' }),
  labels,
  isAllowedByDefault: fc.boolean(),
})

describe('whatever the text is', () => {
  it('a condition is refused with a place in it, or has a known cost', () => {
    fc.assert(
      fc.property(condition, (when) => {
        try {
          expect(compileCondition(when).steps).toBeGreaterThan(0)
        } catch (error) {
          if (!(error instanceof ConditionError)) throw error
          expect(error.offset).toBeGreaterThanOrEqual(0)
          expect(error.offset).toBeLessThanOrEqual(when.length)
        }
      }),
      RUNS,
    )
  })

  it('a file is refused with the place of every mistake, or becomes a policy that decides', () => {
    fc.assert(
      fc.property(text, questions, (file, question) => {
        const { policy, mistakes } = checkPolicy([{ path: 'p.yaml', text: file }], 'west')
        if (policy === undefined) {
          expect(mistakes.length).toBeGreaterThan(0)
          for (const mistake of mistakes) expect(mistake).toMatch(/^(p\.yaml:\d+:\d+: |Cannot use the policy)/)
        } else expect(typeof policy.decide(question).isAllowed).toBe('boolean')
      }),
      RUNS,
    )
  })
})

it('an evaluation costs no more than was said before', () => {
  const many = Object.fromEntries(Array.from({ length: 64 }, (_, at) => [`a${at}`, 'b']))
  const question = { action: 'request', caller: 'spiffe://west/node/n1', service: 'db', labels: many } as const
  const facts = factsOf({ ...question, isAllowedByDefault: true }, 'west')
  fc.assert(
    fc.property(valid, (when) => {
      const { steps, holds } = compiled(when)
      if (steps === undefined || steps > 10_000) return
      const start = process.cpuUsage()
      try {
        holds(facts)
      } catch {
        // no answer is an answer, too
      }
      expect(process.cpuUsage(start).user).toBeLessThan(100_000) // µs; 10,000 steps take about 1,000
    }),
    { numRuns: 300 },
  )
})

function compiled(when: string) {
  try {
    const { steps, holds } = compileCondition(when)
    return { steps, holds }
  } catch (error) {
    if (error instanceof ConditionError || error instanceof NsmError) return { steps: undefined, holds: () => false }
    throw error
  }
}
