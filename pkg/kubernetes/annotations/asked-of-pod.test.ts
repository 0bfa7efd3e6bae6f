import { expect, test } from 'vitest'
import { type AskingPod, askedOfPod, isInheritedFrom } from './asked-of-pod.ts'

const POD: AskingPod = {
  namespace: 'shop',
  annotations: {},
  isHostNetwork: false,
  isStatic: false,
  priorityClass: '',
}
const WIRES = 'networkservicemesh.io'
const SERVE = 'networkservicemesh.io/serve'
const OWN = { [WIRES]: 'kernel://own/nsm-1' }
const INHERITED = { [WIRES]: 'kernel://inherited/nsm-1', [SERVE]: 'web' }

/** The services of the wires that the pod asks for, or why it may not. */
function asked(pod: Partial<AskingPod>, namespaceAnnotations = {}): readonly string[] | string {
  const { wires } = askedOfPod({ ...POD, ...pod }, { namespaceAnnotations, ownNamespace: 'nsmesh' })
  return wires.at === 'asked' ? wires.value.map(({ url }) => url.service) : wires.error.message
}

test.each<[string, Partial<AskingPod>, object, readonly string[] | string]>([
  ['nothing', {}, {}, []],
  ['its own', { annotations: OWN }, {}, ['own']],
  ['that of its namespace', {}, INHERITED, ['inherited']],
  ['its own rather than that of its namespace', { annotations: OWN }, INHERITED, ['own']],
  ['nothing, opting out', { annotations: { [WIRES]: '' } }, INHERITED, []],
  ['nothing of kube-system', { namespace: 'kube-system' }, INHERITED, []],
  ['nothing of nsmesh’s own namespace', { namespace: 'nsmesh' }, INHERITED, []],
  ['its own in kube-system', { namespace: 'kube-system', annotations: OWN }, INHERITED, ['own']],
  ['nothing, being critical', { priorityClass: 'system-node-critical' }, INHERITED, []],
  ['nothing, being critical for the cluster', { priorityClass: 'system-cluster-critical' }, INHERITED, []],
  ['that of its namespace, being important', { priorityClass: 'system-web' }, INHERITED, ['inherited']],
  ['its own, being critical', { priorityClass: 'system-node-critical', annotations: OWN }, {}, ['own']],
  ['nothing on the network of its node', { isHostNetwork: true }, INHERITED, []],
  ['its own, refused', { isHostNetwork: true, annotations: OWN }, {}, expect.stringMatching(/no network of its own/)],
  ['nothing as a static pod', { isStatic: true }, INHERITED, []],
  ['its own as a static pod, refused', { isStatic: true, annotations: OWN }, {}, expect.stringMatching(/no identity/)],
  ['something malformed', { annotations: { [WIRES]: 'db' } }, INHERITED, expect.stringMatching(/must look like/)],
])('a pod asks for %s', (_what, pod, namespace, expected) => {
  expect(asked(pod, namespace)).toEqual(expected)
})

test('each annotation is judged and inherited by itself', () => {
  const pod = { ...POD, annotations: { [WIRES]: 'db' } }
  expect(askedOfPod(pod, { namespaceAnnotations: INHERITED, ownNamespace: 'nsmesh' })).toMatchObject({
    wires: { at: 'refused' },
    serve: { at: 'asked', value: { services: ['web'] } },
  })
})

test.each([
  ['shop', INHERITED, true],
  ['shop', { [SERVE]: 'web' }, true],
  ['shop', { [WIRES]: ' ' }, false],
  ['shop', {}, false],
  ['kube-system', INHERITED, false],
  ['nsmesh', INHERITED, false],
])('isInheritedFrom(%s, %j) is %s', (namespace, namespaceAnnotations, expected) => {
  expect(isInheritedFrom(namespace, { namespaceAnnotations, ownNamespace: 'nsmesh' })).toBe(expected)
})
