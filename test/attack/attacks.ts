/**
 * Attacks as a table: each row is one attack, what it must be answered with, and what must be the same afterwards. An
 * attack that is denied has no effect, so the world is looked at before and after.
 */
import { describe, expect, test } from 'vitest'
import { describeError, type ErrorCode, errorCode, nextStep } from '../../pkg/base/index.ts'

export interface Attack {
  /** What the attacker does, and as whom. */
  readonly name: string
  readonly run: () => Promise<unknown>
  /** How it must be refused; with a text, also of the next step, where several refusals have one code. */
  readonly denied: ErrorCode | { readonly code: ErrorCode; readonly text: RegExp }
  /** What must not change, in a form that can be compared. */
  readonly world: () => Promise<unknown>
}

export function attacks(title: string, rows: () => readonly Attack[]): void {
  describe(title, () => {
    test.each(rows())('$name', async (attack) => {
      const before = await attack.world()
      const outcome = await attack.run().then(
        (value) => ({ isDenied: false, value }),
        (error: unknown) => ({ isDenied: true, error }),
      )
      expect(await attack.world(), 'what the attack left behind').toEqual(before)
      if (!('error' in outcome)) throw new Error(`the attack succeeded: ${JSON.stringify(outcome.value)}`)
      const { code, text } = typeof attack.denied === 'string' ? { code: attack.denied, text: /./ } : attack.denied
      expect(errorCode(outcome.error), describeError(outcome.error)).toBe(code)
      expect(`${describeError(outcome.error)}: ${nextStep(outcome.error) ?? ''}`).toMatch(text)
    })
  })
}
