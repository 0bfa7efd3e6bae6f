/**
 * nsm-client: keeps the wires that a workload asks for.
 *
 *     NSM_NETWORK_SERVICES -> one KeptWire each --mTLS over the node's socket--> nsmd
 */
import { trustDomainOf } from '../../api/index.ts'
import { describeError, errorCode, NsmError, Scope } from '../../base/index.ts'
import { KeptWire, parseNsmUrls } from '../../client/index.ts'
import { type NsmClientConfig, nsmClientConfig } from '../../config/index.ts'
import { TokenMinter } from '../../identity/index.ts'
import { isNode } from '../../policy/index.ts'
import { Channel, monitorClient, networkServiceClient, workloadApiSource } from '../../rpc/index.ts'
import type { Program, Surroundings } from '../run-program.ts'

export const clientProgram: Program<NsmClientConfig> = {
  name: 'nsm-client',
  config: nsmClientConfig,
  start: startClient,
}

async function startClient(
  config: NsmClientConfig,
  { clock, logger, signal }: Surroundings,
): Promise<{ close(): Promise<void> }> {
  const urls = parseNsmUrls(config.networkServices)
  checkInterfaces(urls)
  const scope = new Scope()
  const identity = scope.own(await workloadApiSource({ url: config.workloadApi, clock, logger, signal }))
  const ownDomain = trustDomainOf(identity.current().svid.spiffeId)
  const security = { identity, expect: (spiffeId: string) => isNode(spiffeId, ownDomain) }
  const tokens = new TokenMinter(clock, config.maxTokenLifetimeMs)
  const channel = scope.own(new Channel(config.connectTo, { security, tokens, clock }))
  const { name: client, labels, requestTimeoutMs } = config
  const options = {
    services: networkServiceClient(channel),
    monitor: monitorClient(channel),
    clock,
    logger,
    requestTimeoutMs,
    isRetried,
  }
  const wires = urls.map((url, index) => KeptWire.open({ client, id: `${client}-${index}`, url, labels }, options))
  scope.defer(() => closeAll(wires))
  for (const wire of wires) {
    wire.up.catch((error: unknown) => {
      logger.error('Cannot have the wire', { error: describeError(error) })
      process.exitCode = 1
    })
  }
  return scope
}

/** What a person has to mend first; everything else may be mended by time. */
function isRetried(error: unknown): boolean {
  return errorCode(error) !== 'invalid_argument'
}

async function closeAll(wires: readonly KeptWire[]): Promise<void> {
  const outcomes = await Promise.allSettled(wires.map((wire) => wire.close()))
  const failures = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []))
  if (failures.length > 0) throw new AggregateError(failures, 'Cannot close every wire: they will expire')
}

/** Two wires cannot have one interface. @throws {NsmError} `invalid_argument` naming it */
function checkInterfaces(urls: ReturnType<typeof parseNsmUrls>): void {
  if (urls.length === 0) throw new NsmError('invalid_argument', 'Cannot start: NSM_NETWORK_SERVICES names no service')
  const names = urls.map(({ interfaceName }) => interfaceName).filter((name) => name !== '')
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice === undefined) return
  throw new NsmError('invalid_argument', 'Cannot start: two network services want the same interface', {
    fields: { interface: twice },
    next: 'give each URL in NSM_NETWORK_SERVICES an interface of its own',
  })
}
