/** The commands that write tracked files: what they write is what is there. */
import { existsSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ROOT } from '../lab/programs.ts'
import { run } from '../lab/shell.ts'
import { type Checkout, filesIn, installedCheckout } from './checkout.ts'

let checkout: Checkout
beforeAll(async () => {
  checkout = await installedCheckout()
})
afterAll(() => checkout?.remove())

test.each(
  [
    ['gen-proto', 'pkg/api/gen'],
    ['gen-reference', 'docs/reference'],
  ].filter(([, folder]) => existsSync(`${ROOT}/${folder}`)),
)(
  'hack/%s writes %s as it stands',
  async (name, folder) => {
    await run([`${checkout.root}/hack/${name}`])
    expect(filesIn(`${checkout.root}/${folder}`)).toEqual(filesIn(`${ROOT}/${folder}`))
  },
  60_000,
)
