/**
 * Failures of the network and of gRPC in words: who was called, where, and what happened. The only place that knows the
 * texts of grpc-js and the kernel's codes. What a peer has answered itself stays as it is.
 */
import { type ServiceError, status } from '@grpc/grpc-js'
import { type ErrorCode, NsmError } from '../base/index.ts'

/** Whom a channel leads to, as people call it, such as `the registry of west`. */
export interface Party {
  readonly who: string
  readonly url: string
}

/** The TLS handshake did not complete, for no reason of ours. */
export class HandshakeFailure extends Error {}

/** By the kernel's code of an attempt to connect. */
const CONNECTING: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'it closed the connection',
  EPIPE: 'it closed the connection',
  EHOSTUNREACH: 'there is no route to it',
  ENETUNREACH: 'there is no route to it',
  EHOSTDOWN: 'there is no route to it',
  EADDRNOTAVAIL: 'this machine has no address of that family',
  ETIMEDOUT: 'no answer came in time',
  ENOENT: 'there is no such socket',
  ENOTSOCK: 'that is not a socket',
  EACCES: 'this user may not connect to it',
  EPERM: 'this user may not connect to it',
  ENOTFOUND: 'its name has no address',
  EAI_AGAIN: 'its name cannot be resolved',
}

interface Words {
  readonly text: RegExp
  readonly code: ErrorCode
  readonly say: (party: { readonly who: string; readonly at: string }, match: RegExpExecArray) => string
}

/** By what grpc-js says, for all that it says by itself. */
const OF_GRPC: readonly Words[] = [
  {
    text: /^(?:No connection established|Subchannel not ready|Name resolution failed|Failed to connect)(.*)/s,
    code: 'unavailable',
    say: ({ who, at }, [whole, rest = '']) => `${who} does not answer at ${at}: ${whyNoConnection(whole, rest)}`,
  },
  {
    text: /^Deadline exceeded after ([\d.]+)s/,
    code: 'deadline_exceeded',
    say: ({ who, at }, [, seconds]) => `${who} at ${at} has not answered within ${Math.round(Number(seconds))} s`,
  },
  {
    text: /^Bandwidth exhausted|RST_STREAM with code (?:7|11)\b|^Stream refused/,
    code: 'unavailable',
    say: ({ who, at }) => `${who} at ${at} takes no more calls at the moment`,
  },
  {
    text: /^Connection dropped|RST_STREAM|^Failed to start HTTP\/2 stream|ECONNRESET|EPIPE|session has been destroyed/,
    code: 'unavailable',
    say: ({ who, at }) => `the connection to ${who} at ${at} broke during the call`,
  },
  {
    text: /^(?:Cancelled on client|Call cancelled|Channel closed before call started|Cancelled by parent call)/,
    code: 'cancelled',
    say: ({ who, at }) => `this program has ended its calls to ${who} at ${at}`,
  },
  {
    text: /^Received HTTP status code/,
    code: 'unavailable',
    say: ({ at }) => `what listens at ${at} does not speak gRPC`,
  },
  {
    text: /^(?:Received message (?:larger|that decompresses)|Attempted to send message)/,
    code: 'resource_exhausted',
    say: ({ who, at }) => `a message to or from ${who} at ${at} is too long`,
  },
  {
    text: /^(?:Response message parsing error|No message received|Failed to decompress)/,
    code: 'internal',
    say: ({ who, at }) => `${who} at ${at} gave an answer that cannot be read`,
  },
]

/** Undefined for what the peer has answered. */
export function transportFailure({ details }: Pick<ServiceError, 'details'>, party: Party): NsmError | undefined {
  const at = placeOf(party.url)
  for (const { text, code, say } of OF_GRPC) {
    const match = text.exec(details)
    if (match !== null) return new NsmError(code, sentence(say({ who: party.who, at }, match)))
  }
  return undefined
}

/** The last attempt to connect has failed before TLS, whatever was refused before. */
export function isNetworkFailure({ details }: Pick<ServiceError, 'details'>): boolean {
  return /\bconnect E[A-Z]{3,}/.test(details)
}

/** The call was made over a connection that this program had closed. */
export function closedByUs({ who, url }: Party): NsmError {
  return new NsmError('cancelled', sentence(`this program has ended its calls to ${who} at ${placeOf(url)}`))
}

/** Why there is no connection. A refusal by our own rules keeps its code; everything else may be temporary. */
export function noConnection(refusal: unknown, party: Party): NsmError {
  if (refusal instanceof NsmError) return refusal
  const why = refusal instanceof HandshakeFailure ? whyNoHandshake(refusal) : whyNoConnection(textOf(refusal), '')
  return new NsmError('unavailable', sentence(`${party.who} does not answer at ${placeOf(party.url)}: ${why}`))
}

/** The peer has refused our identity. */
export function notAccepted({ code, details }: ServiceError, { who }: Party): string | undefined {
  if (code !== status.UNAUTHENTICATED) return undefined
  if (details.startsWith('Cannot accept the caller: its identity is revoked')) return sentence(`${who} has revoked us`)
  return sentence(`${who} does not accept us: ${details}`)
}

function whyNoConnection(whole: string, rest: string): string {
  if (whole.startsWith('Name resolution failed')) return 'its name has no address'
  const [kernels] = /\bE[A-Z_]{3,}\b/.exec(rest === '' ? whole : rest) ?? []
  return (kernels !== undefined && CONNECTING[kernels]) || 'no connection came to stand'
}

function whyNoHandshake({ cause }: HandshakeFailure): string {
  const text = textOf(cause)
  if (/wrong version number|packet length too long|unsupported protocol/i.test(text)) {
    return 'what listens there does not speak TLS 1.3'
  }
  const alert = /alert ([a-z ]+?)(?::|$)/i.exec(text)?.[1]
  return alert === undefined ? 'it ended the TLS handshake' : `it ended the TLS handshake with "${alert}"`
}

function textOf(error: unknown): string {
  return error instanceof Error ? `${'code' in error ? `${error.code} ` : ''}${error.message}` : ''
}

function placeOf(url: string): string {
  return url.replace(/^(?:tcp|unix):(?:\/\/)?/, '')
}

function sentence(text: string): string {
  return `Cannot complete the call: ${text}`
}
