import { expect, test } from 'vitest'
import { nsmClientConfig, nsmEndpointConfig } from './index.ts'

test('nsm-client reads the variables of upstream clients', () => {
  const config = nsmClientConfig.read({ NSM_NETWORK_SERVICES: 'kernel://a/nsm-1', NSM_LABELS: 'app:web, zone=a' })
  expect(config).toMatchObject({ name: 'nsc', labels: { app: 'web', zone: 'a' }, requestTimeoutMs: 15_000 })
})

test('nsm-endpoint reports all mistakes at once', () => {
  const read = () =>
    nsmEndpointConfig.read({
      NSM_SERVICE_NAMES: 'a',
      NSM_PAYLOAD: 'ip',
      NSM_LABELS: 'x',
      NSM_REGISTER_SERVICE: 'maybe',
    })
  expect(read).toThrow(
    /NSM_PAYLOAD="ip" must be IP or ETHERNET.*NSM_LABELS="x".*NSM_CIDR_PREFIX is not set.*NSM_REGISTER_SERVICE/,
  )
})
