/** Starts the victim (victim.ts) for a test file, and asks it how it is. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll } from 'vitest'
import { type IdentitySource, identityFile, staticSource } from '../../pkg/identity/index.ts'
import type { WorkloadPlace } from '../sandbox/test-holder.ts'

export interface VictimPlace {
  /** Of the node that is attacked. */
  readonly url: string
  readonly registryUrl: string
  /** A token for the domain `evil`; the service `loot` is exported to every domain. */
  readonly invitation: string
  /** A workload of the node. */
  readonly workload: WorkloadPlace
  /** Of another node, which serves `mail`. */
  readonly otherUrl: string
  /** The file with the identity of another node of the domain. */
  readonly otherIdentity: string
  /** And that of one more. */
  readonly thirdIdentity: string
}

export interface Memory {
  readonly heldBytes: number
  readonly rssBytes: number
}

export interface Victim extends VictimPlace {
  /** As another node of the domain. */
  member(): Promise<IdentitySource>
  /** As one more node, which is honest. */
  honest(): Promise<IdentitySource>
  /** Ends that node, so that an attacker can take its place. */
  stopOther(): Promise<void>
  memory(): Promise<Memory>
  logBytes(): Promise<number>
}

const START_MS = 60_000

/** @returns a function that gives the victim, once the tests of this file run */
export function oneVictim(): () => Victim {
  let process: ChildProcess | undefined
  let victim: Victim | undefined
  beforeAll(async () => {
    const child = fork(fileURLToPath(new URL('victim.ts', import.meta.url)), {
      execArgv: ['--expose-gc'],
      serialization: 'advanced', // bigints
    })
    process = child
    const died = once(child, 'exit').then(([code]) => Promise.reject(new Error(`the victim ended with ${code}`)))
    victim = await Promise.race([meet(child), died])
  }, START_MS)
  afterAll(() => void (process?.connected && process.disconnect()))
  return () => {
    if (victim === undefined) throw new Error('the victim is not up')
    return victim
  }
}

async function meet(child: ChildProcess): Promise<Victim> {
  const waiting = new Map<unknown, (value: unknown) => void>()
  let last = 0
  child.on('message', ({ id, value }: { readonly id: unknown; readonly value: unknown }) => {
    waiting.get(id)?.(value)
    waiting.delete(id)
  })
  const heard = <T>(id: unknown) => new Promise<T>((resolve) => waiting.set(id, resolve as (value: unknown) => void))
  const ask = <T>(kind: string): Promise<T> => {
    last += 1
    child.send({ id: last, kind })
    return heard(last)
  }
  const place = await heard<VictimPlace>('ready')
  return {
    ...place,
    member: () => load(place.otherIdentity),
    honest: () => load(place.thirdIdentity),
    stopOther: () => ask<void>('stop other'),
    memory: () => ask<Memory>('memory'),
    logBytes: () => ask<number>('log'),
  }
}

async function load(path: string): Promise<IdentitySource> {
  const identity = await identityFile(path).load()
  if (identity === undefined) throw new Error(`no identity in ${path}`)
  return staticSource(identity)
}
