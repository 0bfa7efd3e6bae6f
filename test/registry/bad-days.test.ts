import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { NetworkServiceEndpoint } from '../../pkg/api/index.ts'
import { NsmError } from '../../pkg/base/index.ts'
import { processTimes } from '../bench/cpu.ts'
import { freePort } from '../lab/free-port.ts'
import { ROOT } from '../lab/programs.ts'
import { run } from '../lab/shell.ts'
import { RegistryProcess, soon } from './registry-process.ts'

let registry: RegistryProcess
let other: RegistryProcess

beforeEach(async () => {
  registry = await RegistryProcess.prepare('east')
  other = await RegistryProcess.prepare('east')
})
afterEach(async () => {
  await Promise.all([registry.close(), other.close()])
})

function endpoint(name: string): NetworkServiceEndpoint {
  const labels = Object.fromEntries(Array.from({ length: 60 }, (_, index) => [`label-${index}`, 'x'.repeat(200)]))
  return {
    name,
    networkServiceNames: ['files'],
    networkServiceLabels: new Map([['files', labels]]),
    url: 'tcp://192.0.2.1:5001',
    expiresMs: undefined,
    registeredMs: undefined,
    pathIds: [],
  }
}

describe('nsm-registry refuses to start', () => {
  test('on state that another one has open', async () => {
    await registry.start()
    const code = await other.run({ NSM_STATE_DIR: registry.stateDir })
    expect([code, other.errors]).toEqual([
      1,
      expect.stringMatching(/another process has it open.*pid=\d+[\s\S]*Next: /),
    ])
    await registry.admin().domains.list({}, soon())
  })

  test('on an admin socket or an address that another one has', async () => {
    await registry.start()
    expect(await other.run({ NSM_ADMIN_SOCKET: registry.adminSocket })).toBe(1)
    expect(other.errors).toMatch(/Cannot listen.*admin\.sock[\s\S]*Next: /)
    expect(await other.run({ NSM_LISTEN_ON: `tcp://127.0.0.1:${registry.port}` })).toBe(1)
    expect(other.errors).toMatch(/Cannot listen.*tcp:\/\/127\.0\.0\.1[\s\S]*Next: /)
    await registry.admin().domains.list({}, soon())
  })

  test('on state of a newer version', async () => {
    await registry.start()
    await registry.stop()
    const database = new DatabaseSync(join(registry.stateDir, 'registry.db'))
    database.exec('PRAGMA user_version = 99')
    database.close()
    expect(await registry.run()).toBe(1)
    expect(registry.errors).toMatch(/written by a newer version.*schema=99[\s\S]*Next: start that version/)
  })

  test('on the state of another domain, and on a damaged key', async () => {
    await registry.start()
    await registry.stop()
    expect(await registry.run({ NSM_DOMAIN: 'west' })).toBe(1)
    expect(registry.errors).toMatch(/another trust domain.*found=east[\s\S]*Next: /)
    writeFileSync(join(registry.stateDir, 'authority.pem'), 'gone')
    expect(await registry.run()).toBe(1)
    expect(registry.errors).toMatch(/what is kept of it is damaged \(place=.*authority\.pem\)[\s\S]*Next: restore it/)
  })

  test('with an admin socket where others can reach it', async () => {
    mkdirSync(join(registry.directory, 'run'))
    chmodSync(join(registry.directory, 'run'), 0o755)
    expect(await registry.run()).toBe(1)
    expect(registry.errors).toMatch(/others can enter it.*mode=755[\s\S]*Next: chmod 700/)
  })

  test.each([
    [{ NSM_DOMAIN: 'East', NSM_LISTEN_ON: 'east' }, /NSM_DOMAIN="East" must be.*NSM_LISTEN_ON="east" must begin/],
    [{ NSM_LISTEN_ON: 'tcp://0.0.0.0:5002' }, /NSM_LISTEN_ON is every address[\s\S]*Next: set NSM_ADVERTISE/],
    [{ NSM_ADVERTISE: 'here' }, /NSM_ADVERTISE="here" has the entry "here"/],
  ])('with the configuration %j', async (environment, message) => {
    expect(await registry.run(environment)).toBe(2)
    expect(registry.errors).toMatch(message)
  })
})

/** Processor time of all our children that have ended. */
function endedMs(): number {
  return processTimes(readFileSync('/proc/self/stat', 'utf8')).endedSeconds * 1_000
}

describe('nsm-registry', () => {
  test('keeps its state to itself', async () => {
    await registry.start()
    expect(statSync(registry.stateDir).mode & 0o777).toBe(0o700)
    for (const file of readdirSync(registry.stateDir)) {
      expect(statSync(join(registry.stateDir, file)).mode & 0o777).toBe(0o600)
    }
  })

  test('starts with little more work than loading its code takes, also after it was killed', async () => {
    await registry.start()
    await registry.stop('SIGKILL')
    await registry.start()
    const before = endedMs()
    await run([process.execPath, '-e', `import('${ROOT}/pkg/daemon/index.ts')`])
    const loadingMs = endedMs() - before
    expect(registry.cpuMs() / loadingMs).toBeLessThan(3)
  })

  test('forgets nothing that it has answered, whenever it is killed', async () => {
    await registry.start()
    const node = await registry.joinNode('n1')
    const acknowledged = new Set<string>()
    for (let round = 0; round < 5; round += 1) {
      const { endpoints, channel } = registry.as(node.source)
      const enough = new AbortController()
      const killed = new Promise((resolve) => {
        enough.signal.addEventListener('abort', () => resolve(registry.stop('SIGKILL')))
      })
      const mostAnswers = acknowledged.size + 3 + 7 * round
      const registering = Array.from({ length: 60 }, async (_, index) => {
        const { name } = await endpoints.register(endpoint(`nse-${round}-${index}`), soon())
        acknowledged.add(name)
        if (acknowledged.size >= mostAnswers) enough.abort()
      })
      await Promise.allSettled(registering)
      await killed
      channel.close()
      await registry.start()
      const found = new Set<string>()
      for await (const { value } of registry.admin().endpoints.find({ endpoint: {}, watch: false }, soon())) {
        found.add(value.name)
      }
      expect([...acknowledged].filter((name) => !found.has(name))).toEqual([])
    }
  }, 120_000)

  test.skipIf(process.getuid?.() !== 0)('goes on serving what it has when the disk is full (needs root)', async () => {
    mkdirSync(registry.stateDir, { mode: 0o700 })
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m,mode=0700', 'tmpfs', registry.stateDir])
    try {
      await registry.start()
      const { endpoints } = registry.as((await registry.joinNode('n1')).source)
      const fill = async () => {
        for (let index = 0; index < 500; index += 1) await endpoints.register(endpoint(`nse-${index}`), soon())
      }
      const error = await fill().catch((failure: unknown) => failure)
      expect(error).toBeInstanceOf(NsmError)
      expect(error).toMatchObject({ code: 'resource_exhausted', message: expect.stringContaining('disk is full') })
      const found = []
      for await (const one of endpoints.find({ endpoint: { name: 'nse-0' }, watch: false }, soon())) found.push(one)
      expect(found).toHaveLength(1)
      const { domains } = registry.admin()
      const invite = async () => {
        for (let index = 0; index < 100; index += 1)
          await domains.invite({ domain: 'west', lifetime: undefined }, soon())
      }
      await expect(invite()).rejects.toMatchObject({ code: 'resource_exhausted' })
    } finally {
      await registry.stop('SIGKILL')
      execFileSync('umount', [registry.stateDir])
    }
  })

  test('ends with the addresses it was told', async () => {
    const port = await freePort()
    await registry.start({ NSM_ADVERTISE: `registry.test:${port}, 192.0.2.1:5002` })
    const { token } = await registry.admin().domains.invite({ domain: 'west', lifetime: undefined }, soon())
    const { addresses } = JSON.parse(Buffer.from(token, 'base64url').toString())
    expect(addresses).toEqual([`registry.test:${port}`, '192.0.2.1:5002'])
    expect(await registry.stop()).toBe(0)
  })
})
