/**
 * Rules for what is put together, and for what it is put together from: pkg/daemon decides nothing, rooms keep protobuf
 * at their border, and what several chains do is a step that they share.
 */
import type { Breach, Rule, SourceFile } from './rule.ts'

/** What a process is composed of; what all processes share lies beside these folders. */
const COMPOSITION = /^pkg\/daemon\/[^/]+\/[^/]+\.ts$/

/** What decides something, and therefore belongs to a lower layer. */
const DECISIONS: readonly { readonly what: string; readonly pattern: RegExp }[] = [
  { what: 'a class', pattern: /^\s*(?:export )?(?:abstract )?class\b/ },
  { what: 'an error', pattern: /\bnew \w*Error\(/ },
  { what: 'a loop', pattern: /^\s*(?:for (?:await )?\(|while \(|do \{)/ },
  {
    what: 'a regular expression',
    pattern: /(?:[=(,:!&|?]|\breturn)\s*\/(?![/*])(?:[^/\\\n]|\\.)+\/[dgimsuvy]*(?=[.,);\s]|$)/,
  },
]

/** A process is put together from parts; what decides something is a part. */
export function composition(file: SourceFile): readonly Breach[] {
  if (!COMPOSITION.test(file.path) || isTest(file)) return []
  return eachLine(file, (text) =>
    DECISIONS.filter(({ pattern }) => pattern.test(text)).map(
      ({ what }) => `makes ${what}; composition decides nothing: move it to the folder that it belongs to`,
    ),
  )
}

/** Rooms whose types are plain, so that metrics, pages and tools use the same facts as a gRPC service. */
const PLAIN = ['node', 'directory', 'request', 'steps', 'connections', 'endpoint', 'client', 'monitor', 'forwarding']

/** Where protobuf becomes a plain type, or the other way round: `*-proto.ts`, and these. */
const BORDER = ['pkg/node/authority-client.ts', 'pkg/node/node-service.ts']

const PROTOBUF =
  /\b(?:node|authority|domain|health)V1\b|\b(?:connection|context|ipam|networkService|registry|workload)Wire\b/

/** Protobuf stays at the border of a room. */
export function plainTypes(file: SourceFile): readonly Breach[] {
  if (!PLAIN.includes(folderOf(file)) || isTest(file)) return []
  if (BORDER.includes(file.path) || file.path.endsWith('-proto.ts')) return []
  return eachLine(file, (text) =>
    PROTOBUF.test(text) ? ['uses protobuf messages; convert them in a file named *-proto.ts'] : [],
  )
}

/** The path of a request is followed, signed and verified by the steps, and by nobody by hand. */
export function sharedSteps(file: SourceFile): readonly Breach[] {
  if (['', 'steps', 'identity'].includes(folderOf(file)) || isTest(file)) return []
  return eachLine(file, (text) =>
    /\b(?:arrive|changeSegment|verifyPathTokens)\(/.test(text) ? ['follows a path by hand; use pkg/steps'] : [],
  )
}

/** Who calls registries: those who are one, those who register, and the directory for all who look something up. */
const REGISTRY_CALLERS = ['', 'api', 'rpc', 'registry', 'federation', 'directory', 'endpoint', 'daemon', 'cli']

export function askDirectory(file: SourceFile): readonly Breach[] {
  if (REGISTRY_CALLERS.includes(folderOf(file)) || isTest(file)) return []
  return eachLine(file, (text) =>
    /\b(?:Endpoint|Service)RegistryClient\b/.test(text) ? ['calls a registry; ask the directory'] : [],
  )
}

export const COMPOSITION_RULES: readonly Rule[] = [composition, plainTypes, sharedSteps, askDirectory]

function eachLine({ lines }: SourceFile, check: (text: string) => readonly string[]): readonly Breach[] {
  return lines.flatMap((text, index) => check(text).map((sentence) => ({ line: index + 1, sentence })))
}

/** Of pkg/; empty outside of it. */
function folderOf({ path }: SourceFile): string {
  const [top, folder = ''] = path.split('/')
  return top === 'pkg' ? folder : ''
}

function isTest({ path }: SourceFile): boolean {
  return path.endsWith('.test.ts') || path.includes('/testing/')
}
