/** Names of the fields in log lines, so that one search finds a thing in every process. */
export const field = {
  program: 'program',
  connection: 'connection',
  networkService: 'networkService',
  endpoint: 'endpoint',
  domain: 'domain',
  node: 'node',
  peer: 'peer',
  url: 'url',
  error: 'error',
  code: 'code',
  durationMs: 'durationMs',
} as const
