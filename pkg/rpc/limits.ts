/** What one peer may take from us, and how soon silence counts as gone. */
import type { ChannelOptions } from '@grpc/grpc-js'
import { MAX_MESSAGE_BYTES } from '../api/index.ts'

const MINUTE_MS = 60_000

/** From the first byte to a finished handshake. */
export const HANDSHAKE_MS = 5000
export const MAX_CONNECTIONS = 2048
/** A unary call without a nearer deadline of its own. */
export const CALL_MS = 15_000

/** Below half of an SVID's hour, so that certificates and peers are looked at anew; open streams may end first. */
const CONNECTION_AGE_MS = 25 * MINUTE_MS
export const DRAIN_MS = 5 * MINUTE_MS

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

export const clientOptions: ChannelOptions = {
  ...common,
  'grpc.initial_reconnect_backoff_ms': 200,
  'grpc.max_reconnect_backoff_ms': 5000,
  'grpc.enable_http_proxy': 0,
  'grpc.service_config_disable_resolution': 1,
  // Connections belong to one identity and one expectation of the peer: never share them behind our back.
  'grpc.use_local_subchannel_pool': 1,
}
