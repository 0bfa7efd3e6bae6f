/** The tables of the house: the layers, who may touch the outside world, and how long a file may be. */

/** Folders of pkg/, from the lowest layer up. A folder imports only from layers below its own. */
export const LAYERS: readonly (readonly string[])[] = [
  ['base'],
  ['net', 'api', 'telemetry'],
  ['netlink', 'ipam', 'identity', 'policy', 'store'],
  ['mechanism', 'kube', 'cni'],
  ['platform', 'dataplane', 'rpc', 'reconcile', 'config', 'connections', 'steps'],
  [
    'registry',
    'directory',
    'request',
    'forwarding',
    'monitor',
    'federation',
    'client',
    'endpoint',
    'uapi',
    'node',
    'kubernetes',
  ],
  ['daemon', 'cli'],
]

export const MOST_LINES = 400

export interface OutsideRule {
  readonly what: string
  readonly pattern: RegExp
  /** Path prefixes that may. */
  readonly allowed: readonly string[]
}

export const OUTSIDE: readonly OutsideRule[] = [
  { what: 'process.env', pattern: /\bprocess\.env\b/, allowed: ['pkg/config/'] },
  {
    what: 'timers and Date (use base/clock)',
    pattern: /\bDate\.now\(|\bnew Date\(\)|\bset(Timeout|Interval)\(|AbortSignal\.timeout\(|'node:timers/,
    allowed: ['pkg/base/clock.ts'],
  },
  {
    what: 'the file system',
    pattern: /from 'node:fs/,
    allowed: [
      'pkg/store/',
      'pkg/identity/',
      'pkg/config/',
      'pkg/rpc/listen.ts',
      'pkg/uapi/',
      'pkg/kube/',
      'pkg/kubernetes/gate/',
      'pkg/cni/',
    ],
  },
  { what: 'gRPC', pattern: /from '@grpc\//, allowed: ['pkg/rpc/', 'pkg/api/gen/'] },
  { what: 'TLS', pattern: /from 'node:tls'/, allowed: ['pkg/rpc/'] },
  { what: 'sockets', pattern: /import \{(?! isIP).*from 'node:net'/, allowed: ['pkg/rpc/', 'pkg/dataplane/'] },
  { what: 'SQLite', pattern: /from 'node:sqlite'/, allowed: ['pkg/store/'] },
  { what: 'other programs', pattern: /from 'node:child_process'/, allowed: ['pkg/cni/'] },
]
