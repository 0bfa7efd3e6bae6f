import { describe, expect, test } from 'vitest'
import { NsmError } from '../base/index.ts'
import { refusal } from './errors.ts'
import { isGone } from './is-gone.ts'
import type { KubeObject, Resource } from './objects.ts'

const resource: Resource<KubeObject> = { group: 'apps', version: 'v1', kind: 'X', plural: 'xs', isNamespaced: true }

function ask(get: () => Promise<KubeObject>) {
  return isGone({ client: { get: get as never }, resource, key: { name: 'x' } })
}

describe('an object is gone', () => {
  test.each([404, 403, 401])('when the API server answers %i', async (code) => {
    const error = refusal(code, { status: {}, call: 'GET x' })
    expect(await ask(() => Promise.reject(error))).toBe(true)
  })

  test('when it is being deleted', async () => {
    expect(await ask(async () => ({ metadata: { name: 'x', deletionTimestamp: '2026-01-01T00:00:00Z' } }))).toBe(true)
  })

  test('and not while it is there', async () => {
    expect(await ask(async () => ({ metadata: { name: 'x' } }))).toBe(false)
  })

  test.each([500, 429])('and not when the API server answers %i', async (code) => {
    const error = refusal(code, { status: {}, call: 'GET x' })
    expect(await ask(() => Promise.reject(error))).toBe(false)
  })

  test('and not while the API server is away', async () => {
    expect(await ask(() => Promise.reject(new NsmError('unavailable', 'Cannot call the API server')))).toBe(false)
  })
})
