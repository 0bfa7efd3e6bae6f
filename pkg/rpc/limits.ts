/** Limits of what one peer may use, and the timeouts of connections and calls. */
import type { ChannelOptions } from '@grpc/grpc-js'
import { MAX_MESSAGE_BYTES } from '../api/index.ts'
import type { Shares } from './admission.ts'

const MINUTE_MS = 60_000

/** The time limit of TCP's part. */
export const CONNECT_MS = 3000
/** The time limit from the first byte to the end of the handshake. */
export const HANDSHAKE_MS = 5000

const SHARES = { total: 2048, unproven: 512, unprovenPerSource: 128, strangersPerSource: 32 }
/** What the connections of one server may be. Callers on this machine connect through the holder, which attests them. */
export const REMOTE_SHARES: Shares = { ...SHARES, provenPerIdentity: 32 }
export const LOCAL_SHARES: Shares = { ...SHARES, provenPerIdentity: 512 }

/** The deadline of a unary call, unless its caller sets an earlier one. */
export const CALL_MS = 15_000

/** Less than half of the lifetime of an SVID, so that peers authenticate again. Open streams may finish first. */
const CONNECTION_AGE_MS = 25 * MINUTE_MS
export const DRAIN_MS = 5 * MINUTE_MS

/** Messages of one account or identity that have begun to arrive and are not complete. */
export const MAX_RECEIVING = 128

const common: ChannelOptions = {
  'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
  'grpc.max_send_message_length': MAX_MESSAGE_BYTES,
  'grpc.keepalive_time_ms': 10_000,
  'grpc.keepalive_timeout_ms': 5000,
  'grpc.enable_channelz': 0,
  'grpc-node.max_session_memory': 10, // megabytes
}

export const serverOptions: ChannelOptions = {
  ...common,
  'grpc.max_concurrent_streams': 100,
  'grpc.max_connection_age_ms': CONNECTION_AGE_MS,
  'grpc.max_connection_age_grace_ms': DRAIN_MS,
}

/** For peers without an accepted identity: enough to join, or to learn why they are refused. */
export const strangerOptions: ChannelOptions = {
  ...serverOptions,
  // Not 1: Node counts a stream until it is torn down, when the caller may have begun the next one.
  'grpc.max_concurrent_streams': 4,
  'grpc.max_receive_message_length': 8 * 1024,
  'grpc-node.max_session_memory': 1, // megabytes
}

export const clientOptions: ChannelOptions = {
  ...common,
  'grpc.initial_reconnect_backoff_ms': 200,
  'grpc.max_reconnect_backoff_ms': 5000,
  // A name is looked up again when the address that it had does not answer, not half a minute later.
  'grpc.dns_min_time_between_resolutions_ms': 1000,
  'grpc.enable_http_proxy': 0,
  'grpc.service_config_disable_resolution': 1,
  // A connection belongs to one identity and one expected peer, so that grpc-js must not share it between channels.
  'grpc.use_local_subchannel_pool': 1,
}
