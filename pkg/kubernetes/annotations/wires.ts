/**
 * The annotation by which a pod gets wires, with upstream's key and syntax:
 *
 *     networkservicemesh.io: kernel://db@east/nsm-1?app=web, kernel://files/nsm-2?wait=false
 */
import { errorCode, isPrintable, NsmError, nextStep } from '../../base/index.ts'
import { type NsmUrl, parseNsmUrls, sharedInterface } from '../../mechanism/index.ts'
import { checkLength, refused, WIRES } from './refuse.ts'

/** A wire as the annotation of a pod asks for it. */
export interface AskedWire {
  /** By which it is told from the other wires of its pod: its interface, or, where the node chooses that, its service. */
  readonly key: string
  /** Without what only says how the pod starts. */
  readonly url: NsmUrl
  /** Whether the pod starts only when the wire is up. */
  readonly isAwaited: boolean
}

export const MAX_WIRES = 16
const EXAMPLE = 'write for example kernel://files@east/nsm-1, and a comma before the next one'
/** What a pod has from the start. */
const POD_INTERFACES = ['lo', 'eth0']
const WAIT = 'wait'

/** @throws {NsmError} `invalid_argument` that says what is wrong, why, and what to do */
export function parseWires(text: string): readonly AskedWire[] {
  checkLength(WIRES, text)
  const urls = parse(text)
  if (urls.length > MAX_WIRES) {
    const next = 'reach several services through one endpoint, or use several pods'
    throw refused(WIRES, `it has ${urls.length} wires, and a pod may have ${MAX_WIRES}`, { next })
  }
  for (const { interfaceName } of urls) checkInterface(interfaceName)
  const twice = sharedInterface(urls)
  if (twice !== undefined) {
    const next = 'give each wire an interface of its own'
    throw refused(WIRES, 'two wires have the same interface', { part: twice, next })
  }
  const wires = urls.map(askedWire)
  checkKeys(wires)
  return wires
}

function parse(text: string): readonly NsmUrl[] {
  try {
    return parseNsmUrls(text)
  } catch (cause) {
    if (errorCode(cause) !== 'invalid_argument') throw cause
    const why = cause instanceof Error ? (cause.message.split(': ')[1] ?? cause.message) : 'it is malformed'
    const { url, interface: name } = cause instanceof NsmError ? cause.fields : {}
    throw refused(WIRES, why, { part: String(url ?? name ?? text), next: nextStep(cause) ?? EXAMPLE })
  }
}

function checkInterface(name: string): void {
  if (!POD_INTERFACES.includes(name)) return
  const next = 'choose another interface, for example nsm-1'
  throw refused(WIRES, 'the interface is one that the pod has already', { part: name, next })
}

function askedWire(url: NsmUrl): AskedWire {
  const { [WAIT]: wait = 'true', ...labels } = url.labels
  if (wait !== 'true' && wait !== 'false') {
    throw refused(WIRES, 'wait must be true or false', { part: wait, next: 'write wait=false, or leave it out' })
  }
  const odd = Object.entries(labels)
    .flat()
    .find((each) => !isPrintable(each))
  if (odd !== undefined) {
    const next = 'write labels of letters, digits and signs that one can see'
    throw refused(WIRES, 'a label has characters that nobody sees', { part: odd, next })
  }
  return { key: url.interfaceName || url.service, url: { ...url, labels }, isAwaited: wait === 'true' }
}

/** Two wires to one service, without interfaces, could not be told apart after a change of the annotation. */
function checkKeys(wires: readonly AskedWire[]): void {
  const keys = wires.map(({ key }) => key)
  const twice = keys.find((key, index) => keys.indexOf(key) !== index)
  if (twice === undefined) return
  const next = 'give each of them an interface of its own'
  throw refused(WIRES, 'two wires cannot be told apart', { part: twice, next })
}
