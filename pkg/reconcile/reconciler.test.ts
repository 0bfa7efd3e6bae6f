import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { NsmError, silentLogger } from '../base/index.ts'
import { FakeClock } from '../base/testing/index.ts'
import { type Kind, NODE_PLACE, Reconciler, want } from './index.ts'

interface Thing {
  readonly place: string
  readonly name: string
  readonly value: number
}

/** A world of named values. All operations pass through `gate` and are recorded in `log`. */
class FakeWorld {
  readonly things = new Map<string, Thing>()
  readonly log: string[] = []
  gate: (operation: string, signal: AbortSignal) => Promise<void> = async () => {}

  kind(name: string, isPlaced: boolean): Kind<Thing> {
    const id = (thing: Thing) => `${name} ${thing.place} ${thing.name}`
    return {
      name,
      key: (thing) => thing.name,
      ...(isPlaced ? { place: (thing: Thing) => thing.place } : {}),
      observe: async (place, signal) => {
        const here = [...this.things].filter(([key, thing]) => key.startsWith(`${name} `) && thing.place === place)
        await this.#pass(`look ${name} ${place}`, signal)
        return new Map(here.map(([, thing]) => [thing.name, thing]))
      },
      matches: (spec, actual) => spec.value === actual.value,
      apply: async (spec, _actual, signal) => {
        await this.#pass(`make ${id(spec)}`, signal)
        this.things.set(id(spec), spec)
        return spec
      },
      remove: async (_key, actual, signal) => {
        await this.#pass(`remove ${id(actual)}`, signal)
        this.things.delete(id(actual))
      },
    }
  }

  get writes(): readonly string[] {
    return this.log.filter((line) => !line.startsWith('look'))
  }

  async #pass(operation: string, signal: AbortSignal): Promise<void> {
    await this.gate(operation, signal)
    this.log.push(operation)
  }
}

const never = new AbortController().signal

let clock: FakeClock
let world: FakeWorld
let reconciler: Reconciler
let pin: Kind<Thing>
let link: Kind<Thing>
let gone: string[]
beforeEach(async () => {
  clock = new FakeClock()
  world = new FakeWorld()
  pin = world.kind('pin', false)
  link = world.kind('link', true)
  gone = []
  reconciler = make()
})
afterEach(async () => {
  await reconciler.close()
  expect(clock.pending).toBe(0)
})

function make(): Reconciler {
  return new Reconciler({
    kinds: [pin, link],
    places: async () => new Set([...world.things.values()].map(({ place }) => place)),
    onGone: (owner) => gone.push(owner),
    clock,
    logger: silentLogger,
    random: () => 0.5,
  })
}

const inNode = (name: string, value = 1): Thing => ({ place: NODE_PLACE, name, value })
const inPlace = (name: string, value = 1): Thing => ({ place: 'ns', name, value })
const both = (name: string, value = 1) => [want(link, inPlace(name, value)), want(pin, inNode(name, value))]

describe('settle', () => {
  test('creates in the order of kinds and removes in reverse', async () => {
    await reconciler.open(never)
    await reconciler.settle('a', both('x'), never)
    await reconciler.settle('a', [], never)
    expect(world.writes).toEqual(['make pin node x', 'make link ns x', 'remove link ns x', 'remove pin node x'])
    expect(reconciler.status('a')).toBeUndefined()
    expect(gone).toEqual(['a'])
  })

  test('is idempotent, changes objects that differ, and removes those no longer desired', async () => {
    await reconciler.open(never)
    await reconciler.settle('a', [...both('x'), ...both('y')], never)
    await reconciler.settle('a', [...both('x'), ...both('y')], never)
    expect(reconciler.writes).toBe(4)
    await reconciler.settle('a', both('x', 2), never)
    expect(world.writes.slice(4)).toEqual([
      'remove link ns y',
      'remove pin node y',
      'make pin node x',
      'make link ns x',
    ])
    expect([...reconciler.counters()]).toEqual([
      ['pin', { applies: 3, removes: 1, failures: 0 }],
      ['link', { applies: 3, removes: 1, failures: 0 }],
    ])
  })

  test('refuses an object of another owner, and grants it after that owner has left', async () => {
    await reconciler.open(never)
    await reconciler.settle('a', both('x'), never)
    await expect(reconciler.settle('b', both('x', 2), never)).rejects.toMatchObject({
      code: 'already_exists',
      fields: { kind: 'pin', key: 'x', connection: 'a' },
    })
    expect(world.things.get('pin node x')).toEqual(inNode('x'))
    await reconciler.settle('a', [], never)
    await clock.advance(1000)
    expect(reconciler.status('b')).toEqual({ at: 'settled' })
    expect(world.things.get('link ns x')).toEqual(inPlace('x', 2))
  })

  test('throws the first failure with its object, and retries in the background until it succeeds', async () => {
    await reconciler.open(never)
    const cause = new NsmError('resource_exhausted', 'no')
    world.gate = async (operation) => {
      if (operation === 'make link ns x') throw cause
    }
    await expect(reconciler.settle('a', both('x'), never)).rejects.toMatchObject({
      code: 'resource_exhausted',
      fields: { place: 'ns', kind: 'link', key: 'x' },
      cause,
    })
    expect(reconciler.status('a')).toMatchObject({ at: 'failed' })
    world.gate = async () => {}
    await clock.advance(1000)
    expect(reconciler.status('a')).toEqual({ at: 'settled' })
  })

  test('limits the time of a stuck operation, for which no other owner waits', async () => {
    await reconciler.open(never)
    world.gate = (operation, signal) =>
      operation.endsWith('stuck')
        ? new Promise((_, reject) => signal.addEventListener('abort', reject))
        : Promise.resolve()
    const stuck = reconciler.settle('a', [want(link, inPlace('stuck'))], never).catch((error) => error)
    await reconciler.settle('b', both('x'), never)
    await clock.advance(10_000)
    expect(await stuck).toBeInstanceOf(NsmError)
    world.gate = async () => {}
    await clock.advance(1000)
    expect(reconciler.status('a')).toEqual({ at: 'settled' })
  })
})

describe('observing', () => {
  test('removes strays and creates missing objects at the start, and writes nothing if all is in order', async () => {
    await reconciler.open(never)
    await reconciler.settle('a', [...both('x'), ...both('y')], never)
    await reconciler.close()
    world.things.delete('link ns y')
    world.things.set('link ns stray', inPlace('stray'))
    world.things.set('pin node stray', inNode('stray'))
    reconciler = make()
    reconciler.want('a', [...both('x'), ...both('y')])
    await reconciler.open(never)
    expect(world.writes.slice(4)).toEqual(['remove link ns stray', 'remove pin node stray', 'make link ns y'])
    await reconciler.close()
    reconciler = make()
    reconciler.want('a', [...both('x'), ...both('y')])
    await reconciler.open(never)
    expect(reconciler.writes).toBe(0)
  })

  test('keeps the pin of a place that could not be cleaned', async () => {
    world.things.set('link ns stray', inPlace('stray'))
    world.things.set('pin node stray', inNode('stray'))
    world.gate = async (operation) => {
      if (operation === 'remove link ns stray') throw new NsmError('internal', 'no')
    }
    await reconciler.open(never)
    expect(world.writes).toEqual([])
    world.gate = async () => {}
    await clock.advance(1000)
    expect(world.writes).toEqual(['remove link ns stray', 'remove pin node stray'])
  })

  test('batches the changes of a place and repairs it soon, without observing other places', async () => {
    await reconciler.open(never)
    await reconciler.settle('a', both('x'), never)
    world.log.length = 0
    world.things.delete('link ns x')
    for (let event = 0; event < 100; event += 1) reconciler.changed('ns')
    await clock.advance(100)
    expect(world.log).toEqual(['look link ns', 'make link ns x'])
  })

  test('restores what somebody removes in a loop at once, then more and more slowly, until that has stopped', async () => {
    await reconciler.open(never)
    await reconciler.settle('a', both('x'), never)
    const made = () => world.writes.filter((line) => line === 'make link ns x').length - 1
    const removeInALoop = async (ms: number) => {
      const before = made()
      for (let sinceMs = 0; sinceMs < ms; sinceMs += 50) {
        world.things.delete('link ns x')
        reconciler.changed('ns')
        await clock.advance(50)
      }
      return made() - before
    }
    expect(await removeInALoop(200)).toBeGreaterThanOrEqual(3)
    await removeInALoop(20_000)
    expect(await removeInALoop(60_000)).toBeLessThan(20)
    await clock.advance(20_000)
    expect(world.things.has('link ns x')).toBe(true)
    expect(await removeInALoop(200)).toBeGreaterThanOrEqual(3)
    await clock.advance(20_000)
  })

  test('happens every few minutes without a change', async () => {
    await reconciler.open(never)
    await reconciler.settle('a', both('x'), never)
    world.things.delete('pin node x')
    await clock.advance(300_000)
    expect(world.things.has('pin node x')).toBe(true)
  })

  test('fails at the start when the node cannot be observed', async () => {
    world.gate = async () => {
      throw new NsmError('unavailable', 'away')
    }
    await expect(reconciler.open(never)).rejects.toMatchObject({ code: 'unavailable' })
  })

  test('does not remove objects that are created during an observation', async () => {
    await reconciler.open(never)
    await reconciler.settle('a', both('x'), never)
    let release = () => {}
    world.gate = (operation) =>
      operation === 'look link ns' ? new Promise((resolve) => (release = resolve)) : Promise.resolve()
    reconciler.changed('ns')
    await clock.advance(60)
    await reconciler.settle('b', both('y'), never)
    world.gate = async () => {}
    release()
    await clock.advance(100)
    expect([...world.things.keys()].sort()).toEqual(['link ns x', 'link ns y', 'pin node x', 'pin node y'])
    expect(reconciler.writes).toBe(4)
  })

  test('does not restore objects that are removed during an observation', async () => {
    await reconciler.open(never)
    await reconciler.settle('a', both('x'), never)
    let release = () => {}
    world.gate = (operation) =>
      operation === 'look link ns' ? new Promise((resolve) => (release = resolve)) : Promise.resolve()
    reconciler.changed('ns')
    await clock.advance(60)
    await reconciler.settle('a', [], never)
    world.gate = async () => {}
    release()
    await clock.advance(100)
    expect(reconciler.writes).toBe(4)
  })

  test('keeps a stray that an owner claims before it is removed', async () => {
    for (const name of ['s1', 's2']) world.things.set(`link ns ${name}`, inPlace(name))
    let release = () => {}
    world.gate = (operation) =>
      operation === 'remove link ns s1' ? new Promise((resolve) => (release = resolve)) : Promise.resolve()
    const opening = reconciler.open(never)
    await clock.advance(1)
    await reconciler.settle('a', [want(link, inPlace('s2'))], never)
    release()
    await opening
    expect(world.writes).toEqual(['remove link ns s1'])
  })
})

describe('a sighting', () => {
  const saw = (name: string, actual: Thing | undefined) => reconciler.saw('ns', { kind: link, key: name, actual })

  const settled = async () => {
    await reconciler.open(never)
    await reconciler.settle('a', both('x'), never)
    world.log.length = 0
  }

  test('of what we did ourselves has nothing observed', async () => {
    await settled()
    for (let event = 0; event < 100; event += 1) saw('x', inPlace('x'))
    await reconciler.settle('a', [], never)
    saw('x', undefined)
    await clock.advance(1000)
    expect(world.log).toEqual(['remove link ns x', 'remove pin node x'])
  })

  test('of an object that is not as we know it has its place observed, and the object repaired', async () => {
    await settled()
    world.things.delete('link ns x')
    saw('x', undefined)
    await clock.advance(100)
    expect(world.log).toEqual(['look link ns', 'make link ns x'])
  })

  test('of what changed and changed back has its place observed: what depends on it may be gone', async () => {
    await reconciler.open(never)
    await reconciler.settle('a', [...both('x'), ...both('y')], never)
    saw('x', inPlace('x'))
    world.log.length = 0
    world.things.delete('link ns y')
    saw('x', inPlace('x', 2))
    saw('x', inPlace('x'))
    await clock.advance(100)
    expect(world.log).toEqual(['look link ns', 'make link ns y'])
  })

  test('that is older than what we did last has nothing observed', async () => {
    await settled()
    saw('x', inPlace('x', 2)) // on the way to what we wanted
    saw('x', inPlace('x'))
    await clock.advance(1000)
    expect(world.log).toEqual([])
  })

  test('of what somebody has changed before our own echo came has its place observed', async () => {
    await settled()
    world.things.set('link ns x', inPlace('x', 2))
    saw('x', inPlace('x', 2))
    await clock.advance(200)
    expect(world.log).toEqual(['look link ns', 'make link ns x'])
  })

  test('of a stray has it removed', async () => {
    await reconciler.open(never)
    await reconciler.settle('a', both('x'), never)
    world.things.set('link ns stray', inPlace('stray'))
    saw('stray', inPlace('stray'))
    await clock.advance(200)
    expect([...world.things.keys()]).not.toContain('link ns stray')
  })

  test('while its owner is at work is judged when that has settled', async () => {
    await reconciler.open(never)
    let release = () => {}
    world.gate = (operation) =>
      operation === 'make link ns x' ? new Promise((resolve) => (release = resolve)) : Promise.resolve()
    const settling = reconciler.settle('a', both('x'), never)
    await clock.advance(1)
    saw('x', inPlace('x', 2))
    await clock.advance(500)
    world.log.length = 0
    release()
    await settling
    await clock.advance(200)
    expect(world.log).toEqual(['make link ns x', 'look link ns'])
  })
})

describe('an owner that fails', () => {
  test('has its places observed again, because a failed operation may have had any effect', async () => {
    await reconciler.open(never)
    await reconciler.settle('a', both('x'), never)
    world.gate = async (operation) => {
      if (operation !== 'make pin node x') return
      world.things.set('pin node x', inNode('x', 2))
      world.things.delete('link ns x')
      throw new NsmError('internal', 'lost the answer')
    }
    const changed = [want(link, inPlace('x')), want(pin, inNode('x', 2))]
    await expect(reconciler.settle('a', changed, never)).rejects.toMatchObject({ code: 'internal' })
    world.gate = async () => {}
    await clock.advance(1000)
    expect(reconciler.status('a')).toEqual({ at: 'settled' })
    expect(world.things.has('link ns x')).toBe(true)
  })

  test('backs off, even if its own attempts are reported as changes of its place', async () => {
    await reconciler.open(never)
    let tries = 0
    world.gate = async (operation) => {
      if (!operation.startsWith('make link')) return
      tries += 1
      reconciler.changed('ns')
      throw new NsmError('internal', 'no')
    }
    await expect(reconciler.settle('a', both('x'), never)).rejects.toMatchObject({ code: 'internal' })
    await clock.advance(60_000)
    expect(tries).toBeGreaterThan(5)
    expect(tries).toBeLessThan(20)
  })
})
