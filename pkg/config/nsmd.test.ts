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
