import { expect, test } from 'vitest'
import type { NetworkService, NetworkServiceEndpoint, RegistryClient } from '../api/index.ts'
import { NsmError, silentLogger } from '../base/index.ts'
import { FakeClock } from '../base/testing/index.ts'
import { Registration, type RegistrationOptions } from './index.ts'

const LIFE_MS = 60_000

class FakeRegistry<T, Q> implements RegistryClient<T, Q> {
  readonly registered: T[] = []
  readonly unregistered: T[] = []
  refusals: Error[] = []
  readonly #answer: (value: T) => T

  constructor(answer: (value: T) => T) {
    this.#answer = answer
  }

  async register(value: T): Promise<T> {
    const refusal = this.refusals.shift()
    if (refusal !== undefined) throw refusal
    this.registered.push(value)
    return this.#answer(value)
  }

  async *find() {}

  async unregister(value: T): Promise<void> {
    this.unregistered.push(value)
  }
}

function start(clock: FakeClock, change: Partial<RegistrationOptions> = {}) {
  const services = new FakeRegistry<NetworkService, unknown>((value) => value)
  const endpoints = new FakeRegistry<NetworkServiceEndpoint, unknown>((value) => {
    return { ...value, name: value.name || 'nse-generated', expiresMs: clock.nowMs() + LIFE_MS }
  })
  const options: RegistrationOptions = {
    name: 'files-1',
    services: ['files'],
    labels: { app: 'www' },
    payload: 'IP',
    url: 'unix:///listen.sock',
    isServiceRegistered: true,
    registries: { services, endpoints },
    clock,
    logger: silentLogger,
    ...change,
  }
  return { registration: new Registration(options), services, endpoints }
}

test('Registration registers services and endpoint, renews both at two thirds of the life, and unregisters', async () => {
  const clock = new FakeClock()
  const { registration, services, endpoints } = start(clock)
  await registration.done
  expect(services.registered.map(({ name }) => name)).toEqual(['files'])
  expect(endpoints.registered).toMatchObject([{ name: 'files-1', url: 'unix:///listen.sock' }])
  await clock.advance((LIFE_MS * 2) / 3 - 1)
  expect(endpoints.registered).toHaveLength(1)
  await clock.advance(1)
  expect(endpoints.registered).toHaveLength(2)
  await registration.close()
  expect(endpoints.unregistered.map(({ name }) => name)).toEqual(['files-1'])
  expect(clock.pending).toBe(0)
})

test('Registration keeps the name that the registry gave', async () => {
  const clock = new FakeClock()
  const { registration, endpoints } = start(clock, { name: '' })
  await registration.done
  await clock.advance(LIFE_MS)
  expect(endpoints.registered[1]?.name).toBe('nse-generated')
  await registration.close()
})

test('Registration tries again when the registry is away, also later on', async () => {
  const clock = new FakeClock()
  const { registration, endpoints } = start(clock)
  await registration.done
  endpoints.refusals = Array.from({ length: 3 }, () => new NsmError('unavailable', 'away'))
  await clock.advance(LIFE_MS)
  expect(endpoints.registered).toHaveLength(2)
  await registration.close()
})

test('Registration leaves services alone that somebody else registers', async () => {
  const { registration, services } = start(new FakeClock(), { isServiceRegistered: false })
  await registration.done
  expect(services.registered).toEqual([])
  await registration.close()
})
