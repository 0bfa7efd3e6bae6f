import { describe, expect, it } from 'vitest'
import { chain } from './index.ts'

const greeting = chain<{ readonly name: string }, string>()
  .step(async function greet({ name }, next: (added: { readonly hello: string }) => Promise<string>) {
    return `<${await next({ hello: `hello ${name}` })}>`
  })
  .step(async function shout({ hello }, next: (added: { readonly loud: string }) => Promise<string>) {
    return next({ loud: hello.toUpperCase() })
  })
  .end(async function say({ name, loud }) {
    return `${loud} (${name})`
  })

describe('a chain', () => {
  it('passes on what its steps add, and gives back what they return', async () => {
    expect(await greeting.run({ name: 'west' })).toBe('<HELLO WEST (west)>')
  })

  it('prints the names of its steps', () => expect(String(greeting)).toBe('greet > shout > say'))

  it('takes no step without a name', () => {
    expect(() => chain<object, string>().step(async (_, next: (added: object) => Promise<string>) => next({}))).toThrow(
      'its function has no name',
    )
  })
})
