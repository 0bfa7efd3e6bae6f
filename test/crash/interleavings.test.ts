/** Random wires coming, changing and going while operations fail and the process dies: in the end, the intents decide. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { NsmError } from '../../pkg/base/index.ts'
import { FakeClock } from '../../pkg/base/testing/index.ts'
import type { Forwarder } from '../../pkg/forwarding/index.ts'
import { FakeNode, localWire, remoteWire, SERVER_NS, vxlanWire } from '../../pkg/forwarding/testing/fake-node.ts'
import type { WireIntent } from '../../pkg/mechanism/index.ts'
import { Crash } from '../../pkg/platform/testing/index.ts'
import { converge, expectWorldOfIntents, succeed } from './drive.ts'

const IDS = ['w1', 'w2', 'w3']

type Act =
  | { readonly at: 'establish'; readonly intent: WireIntent }
  | { readonly at: 'remove'; readonly id: string }
  | { readonly at: 'fail' | 'crash'; readonly afterOperations: number }
  | { readonly at: 'delete link' | 'set down'; readonly id: string }
  | { readonly at: 'dataplane away' | 'dataplane back' | 'restart' }
  | { readonly at: 'wait'; readonly ms: number }

const id = fc.constantFrom(...IDS)
const wire = fc.constantFrom(localWire, remoteWire, vxlanWire)
const mtuBytes = fc.constantFrom(1300, 1400)
const act: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.tuple(id, wire, mtuBytes).map(([name, make, mtu]) => establish(make(name, { mtuBytes: mtu }))),
  },
  { weight: 4, arbitrary: id.map((name) => ({ at: 'remove', id: name }) as const) },
  {
    weight: 4,
    arbitrary: fc
      .tuple(fc.constantFrom('fail', 'crash'), fc.nat(12))
      .map(([at, afterOperations]) => ({ at, afterOperations }) as const),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.constantFrom('delete link', 'set down'), id)
      .map(([at, name]) => ({ at, id: name }) as const),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom('dataplane away', 'dataplane back', 'restart').map((at) => ({ at }) as const),
  },
  { weight: 4, arbitrary: fc.nat(400).map((ms) => ({ at: 'wait', ms }) as const) },
)

function establish(intent: WireIntent): Act {
  return { at: 'establish', intent }
}

/** Plays the acts without waiting for any of them. */
class Play {
  readonly clock = new FakeClock()
  readonly node = new FakeNode(this.clock)
  #forwarder: Forwarder | undefined
  #isDead = false

  async begin(): Promise<void> {
    this.#forwarder = await succeed(this.clock, this.node.start())
  }

  async act(step: Act): Promise<void> {
    switch (step.at) {
      case 'establish':
        return void this.#forwarder?.establish(step.intent, AbortSignal.timeout(60_000)).catch(() => {})
      case 'remove':
        return void this.#forwarder?.remove(step.id, AbortSignal.timeout(60_000)).catch(() => {})
      case 'fail':
      case 'crash':
        return this.#inject(step.at, step.afterOperations)
      case 'delete link':
        return this.node.kernel.removeDevice(SERVER_NS, `s-${step.id}`)
      case 'set down':
        if (this.node.kernel.namespace(SERVER_NS).links.has(`s-${step.id}`)) {
          this.node.kernel.setDown(SERVER_NS, `s-${step.id}`)
        }
        return
      case 'dataplane away':
        return this.node.engine.disconnect()
      case 'dataplane back':
        return this.node.engine.reconnect()
      case 'restart':
        return void (await this.restart())
      case 'wait':
        return this.clock.advance(step.ms)
    }
  }

  async restart(): Promise<Forwarder> {
    this.node.kill()
    this.node.inject(async () => {
      throw new Crash('gone')
    })
    if (this.#forwarder !== undefined) await succeed(this.clock, this.#forwarder.close())
    this.node.heal()
    this.node.engine.reconnect()
    this.#isDead = false
    this.#forwarder = await succeed(this.clock, this.node.start())
    return this.#forwarder
  }

  /** With or without a last restart, the intents that live must become the world. */
  async end(): Promise<void> {
    this.node.heal()
    this.node.engine.reconnect()
    const forwarder = this.#isDead || this.#forwarder === undefined ? await this.restart() : this.#forwarder
    await this.clock.advance(120_000)
    await converge(this.clock, forwarder, IDS)
    await expectWorldOfIntents(this.node, forwarder)
    await succeed(this.clock, forwarder.close())
    expect(this.clock.pending).toBe(0)
    this.node.close()
  }

  #inject(kind: 'fail' | 'crash', afterOperations: number): void {
    let left = afterOperations
    this.node.inject(async (_operation, effect) => {
      left -= 1
      if (left >= 0) return effect()
      if (kind === 'fail') {
        this.node.heal()
        throw new NsmError('internal', 'injected')
      }
      this.#isDead = true
      this.node.kill()
      throw new Crash('here')
    })
  }
}

test('whatever happens in whatever order, the node ends up with exactly the wires that live', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(act, { minLength: 3, maxLength: 30 }), async (acts) => {
      const play = new Play()
      await play.begin()
      for (const step of acts) await play.act(step)
      await play.end()
    }),
    { numRuns: 150 },
  )
}, 120_000)
