import { chmodSync, mkdirSync, renameSync, rmSync, statSync, truncateSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { NodeFolders, PRIMARY } from './testing/index.ts'

const ENTRY_FILE = 'conf/pods/50-nsm.conf'
const LIST = 'conf/10-primary.conflist'

describe('nsm-cni gets into the chain', () => {
  test('beside the list of the primary plugin, which stays as it is', () => {
    const node = new NodeFolders()
    expect(node.chain.put()).toBe(true)
    expect(node.called).toEqual(['bridge', 'nsm-cni'])
    expect(node.read(LIST)).toBe(JSON.stringify(PRIMARY))
    expect(JSON.parse(node.read(ENTRY_FILE))).toEqual({
      type: 'nsm-cni',
      run: node.path('run'),
      capabilities: { 'io.kubernetes.cri.pod-annotations': true },
    })
    expect(node.read('bin/nsm-cni')).toBe(node.read('shipped'))
    expect(node.chain.placement()).toBe('beside the list')
  })

  test.each<[string, object, (node: NodeFolders) => void]>([
    ['the list takes no plugin from beside it', { loadOnlyInlinedPlugins: true }, () => {}],
    ['a pod came through without it', {}, (node) => node.write('run/slipped/uid-web', '')],
  ])('in the list where %s', (_, change, happen) => {
    const primary = { ...PRIMARY, ...change, other: { kept: [1, null, 'ä'] } }
    const node = new NodeFolders(primary)
    happen(node)
    chmodSync(node.path(LIST), 0o600)
    expect(node.chain.put()).toBe(true)
    expect(node.called).toEqual(['bridge', 'nsm-cni'])
    const { plugins, ...rest } = JSON.parse(node.read(LIST))
    expect({ ...rest, plugins: plugins.slice(0, 1) }).toEqual(primary)
    expect(statSync(node.path(LIST)).mode & 0o777).toBe(0o600)
    expect(node.chain.put()).toBe(false)
    expect(node.files('conf')).toEqual(['10-primary.conflist'])
  })

  test.each(['0.3.1', '0.4.0', '1.0.0', '1.1.0'])('and leaves the version %s of the list as it is', (cniVersion) => {
    const node = new NodeFolders({ ...PRIMARY, cniVersion, loadOnlyInlinedPlugins: true })
    node.chain.put()
    expect(JSON.parse(node.read(LIST))).toMatchObject({ cniVersion })
  })

  test('once: what stands is not written again', () => {
    const node = new NodeFolders()
    node.chain.put()
    const changed = () =>
      ['conf', ENTRY_FILE, LIST, 'bin', 'bin/nsm-cni'].map((path) => statSync(node.path(path)).ctimeMs)
    const before = changed()
    expect(node.chain.put()).toBe(false)
    expect(changed()).toEqual(before)
  })

  test('from beside the list into it, and back, without a moment outside', () => {
    const node = new NodeFolders()
    node.chain.put()
    node.write('run/slipped/uid-web', '')
    expect(node.chain.put()).toBe(true)
    expect([node.called, node.has(ENTRY_FILE)]).toEqual([['bridge', 'nsm-cni'], false])
    rmSync(node.path('run/slipped'), { recursive: true })
    expect(node.chain.put()).toBe(true)
    expect([node.called, node.has(ENTRY_FILE)]).toEqual([['bridge', 'nsm-cni'], true])
  })

  test('of the first list by name, as the runtime does', () => {
    const node = new NodeFolders()
    node.write('conf/20-other.conflist', JSON.stringify({ ...PRIMARY, name: 'other' }))
    node.chain.put()
    expect(node.files('conf')).toEqual(['10-primary.conflist', '20-other.conflist', 'pods/50-nsm.conf'])
  })
})

describe('nsm-cni gets back into the chain', () => {
  test.each<[string, (node: NodeFolders) => void]>([
    ['the entry is removed', (node) => rmSync(node.path(ENTRY_FILE))],
    ['the entry is cut off', (node) => truncateSync(node.path(ENTRY_FILE), 10)],
    ['the folder of the entry is removed', (node) => rmSync(node.path('conf/pods'), { recursive: true })],
    ['the network has another name', (node) => node.write(LIST, JSON.stringify({ ...PRIMARY, name: 'flannel' }))],
    ['the plugin is removed', (node) => rmSync(node.path('bin/nsm-cni'))],
    ['the plugin is cut off', (node) => truncateSync(node.path('bin/nsm-cni'), 10)],
    ['the plugin cannot be run', (node) => chmodSync(node.path('bin/nsm-cni'), 0)],
    [
      'the folder of the plugins is another one',
      (node) => {
        renameSync(node.path('bin'), node.path('bin.old'))
        mkdirSync(node.path('bin'))
      },
    ],
  ])('when %s', (_, happen) => {
    const node = new NodeFolders()
    node.chain.put()
    happen(node)
    expect(node.chain.put()).toBe(true)
    expect(node.called).toEqual(['bridge', 'nsm-cni'])
    expect(node.files('conf').filter((file) => file.endsWith('50-nsm.conf'))).toHaveLength(1)
    expect(node.read('bin/nsm-cni')).toBe(node.read('shipped'))
    expect(statSync(node.path('bin/nsm-cni')).mode & 0o777).toBe(0o755)
    expect(node.chain.put()).toBe(false)
  })

  test('when the primary plugin has written its list anew', () => {
    const node = new NodeFolders({ ...PRIMARY, loadOnlyInlinedPlugins: true })
    node.chain.put()
    node.write(LIST, JSON.stringify({ ...PRIMARY, plugins: [{ type: 'calico' }], loadOnlyInlinedPlugins: true }))
    expect(node.chain.put()).toBe(true)
    expect(node.called).toEqual(['calico', 'nsm-cni'])
  })
})

describe('nsm-cni stays out of the chain', () => {
  test.each<[string, string | undefined, RegExp]>([
    ['the node has no pod network yet', undefined, /the node has none yet/],
    ['its configuration is being written', '{"name":"pods","plugi', /it is no list of plugins/],
    ['it is a single plugin', '{"name":"pods","type":"bridge"}', /it is no list of plugins/],
    ['it has a name that leads elsewhere', '{"name":"../x","plugins":[{"type":"bridge"}]}', /it is no list of plugins/],
  ])('while %s', (_, text, reason) => {
    const node = new NodeFolders()
    rmSync(node.path(LIST))
    if (text !== undefined) node.write('conf/10-primary.conf', text)
    expect(() => node.chain.put()).toThrow(reason)
    expect(node.files('conf')).toEqual(text === undefined ? [] : ['10-primary.conf'])
  })

  test.each([
    ['does not run', '#!/bin/sh\nexit 1\n', /does not run on this node/],
    ['answers something else', '#!/bin/sh\necho hello\n', /does not run on this node/],
    ['does not know CNI', "#!/bin/sh\necho '{}'\n", /versions of CNI/],
  ])('when its plugin %s, and what was there stays', (_, plugin, reason) => {
    const node = new NodeFolders()
    node.chain.put()
    const before = node.read('bin/nsm-cni')
    node.ship(plugin)
    expect(() => node.chain.put()).toThrow(reason)
    expect([node.read('bin/nsm-cni'), node.files('bin')]).toEqual([before, ['nsm-cni']])
  })
})

test.each([true, false])(
  'nothing is left of it when it has gone (only inlined plugins: %s)',
  (loadOnlyInlinedPlugins) => {
    const node = new NodeFolders({ ...PRIMARY, loadOnlyInlinedPlugins })
    node.chain.put()
    node.chain.removeEntry()
    expect([node.called, node.has('bin/nsm-cni')]).toEqual([['bridge'], true])
    node.chain.removePlugin()
    node.chain.removeEntry()
    node.chain.removePlugin()
    expect([node.files('conf'), node.files('bin'), node.has('conf/pods')]).toEqual([['10-primary.conflist'], [], false])
  },
)
