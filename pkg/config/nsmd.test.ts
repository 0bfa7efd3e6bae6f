import { describe, expect, it } from 'vitest'
import { nsmdConfig } from './index.ts'

const required = {
  NSM_NAME: 'n1',
  NSM_DOMAIN: 'west',
  NSM_LISTEN_ON: 'tcp://192.0.2.1:5001',
  NSM_REGISTRY_URL: 'tcp://192.0.2.2:5002',
  NSM_TUNNEL_IP: '192.0.2.1',
}

describe('nsmd’s configuration', () => {
  it('disables optional features by default', () => {
    expect(nsmdConfig.read(required)).toMatchObject({ uapiSocket: undefined, vxlanPort: undefined })
  })

  it.each([
    ['', ['aes256gcm', 'chacha20poly1305']],
    ['chacha20-poly1305, aes-256-gcm', ['chacha20poly1305', 'aes256gcm']],
    ['chacha20-poly1305', ['chacha20poly1305']],
  ])('reads NSM_AEADS=%j in order', (text, aeads) => {
    expect(nsmdConfig.read({ ...required, NSM_AEADS: text }).aeads).toEqual(aeads)
  })

  it('tells an address of the machine and binds another one, for calls and for tunnels', () => {
    const natted = {
      ...required,
      NSM_LISTEN_ON: 'tcp://0.0.0.0:5001',
      NSM_PUBLIC_URL: 'tcp://203.0.113.1:5001',
      NSM_TUNNEL_IP: '203.0.113.1',
      NSM_TUNNEL_LISTEN_IP: '0.0.0.0',
    }
    expect(nsmdConfig.read(natted)).toMatchObject({ tunnelIp: '203.0.113.1', tunnelListenIp: '0.0.0.0' })
  })

  it.each([
    [
      { NSM_LISTEN_ON: 'tcp://0.0.0.0:5001' },
      /NSM_LISTEN_ON=.* every address of the machine.*: set NSM_PUBLIC_URL=tcp/,
    ],
    [{ NSM_LISTEN_ON: 'tcp://[0:0::0]:5001' }, /NSM_LISTEN_ON=.* every address/],
    [{ NSM_LISTEN_ON: 'tcp://[::ffff:0.0.0.0]:5001' }, /NSM_LISTEN_ON=.* every address/],
    [{ NSM_LISTEN_ON: 'tcp://0:5001' }, /NSM_LISTEN_ON=.* must be tcp:\/\/ip:port/],
    [{ NSM_LISTEN_ON: 'tcp://n1.test:5001' }, /NSM_LISTEN_ON=.* has a name.*: set NSM_PUBLIC_URL/],
    [{ NSM_PUBLIC_URL: 'tcp://[::]:5001' }, /NSM_PUBLIC_URL=.* every address/],
    [{ NSM_PUBLIC_URL: 'tcp://n1.test:5001' }, /NSM_PUBLIC_URL=.* has a name/],
    [{ NSM_TUNNEL_IP: '0.0.0.0' }, /NSM_TUNNEL_IP=.* every address/],
    [{ NSM_TUNNEL_LISTEN_IP: '::' }, /NSM_TUNNEL_LISTEN_IP=.* must be an IPv4 address, as NSM_TUNNEL_IP is/],
  ])('refuses %j: nobody could be told that', (change, why) => {
    expect(() => nsmdConfig.read({ ...required, ...change })).toThrow(why)
  })

  it.each([
    ['aes-256-gcm', /NSM_AEADS="aes-256-gcm" must contain chacha20-poly1305/],
    ['chacha20-poly1305,aes-128-gcm', /has the entry "aes-128-gcm", which must be one of aes-256-gcm, chacha20-/],
    ['chacha20-poly1305,chacha20-poly1305', /must name no AEAD twice/],
    [',', /must contain chacha20-poly1305/],
    ['toString', /must be one of/],
  ])('refuses NSM_AEADS=%j with the reason', (text, why) => {
    expect(() => nsmdConfig.read({ ...required, NSM_AEADS: text })).toThrow(why)
  })
})
