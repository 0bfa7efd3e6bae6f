import fc from 'fast-check'
import { expect, test } from 'vitest'
import { describeError, NsmError, nextStep } from '../../base/index.ts'
import { parseWires } from './wires.ts'

const urls = (count: number) => Array.from({ length: count }, (_, at) => `kernel://s${at}/nsm-${at}`).join(',')

test('parseWires reads upstream’s syntax, several wires by comma', () => {
  expect(parseWires('kernel://db@east/nsm-1?app=web&zone=a,b, \n kernel://files?wait=false')).toMatchObject([
    { key: 'nsm-1', isAwaited: true, url: { service: 'db@east', labels: { app: 'web', zone: 'a,b' } } },
    { key: 'files', isAwaited: false, url: { service: 'files', interfaceName: '', labels: {} } },
  ])
  expect(parseWires(' ')).toEqual([])
  expect(parseWires(urls(16))).toHaveLength(16)
})

test.each([
  ['db', 'it must look like kernel://service/interface (part=db)', /kernel:\/\/files@east\/nsm-1/],
  ['kernel:/db', 'it must look like', /write for example/],
  ['memif://db/nsm-1', 'the mechanism memif is not supported, only kernel is', /write for example/],
  ['kernel://d%20b/nsm-1', 'the service must be a name', /write for example/],
  ['kernel://db/lo', 'it is reserved (part=lo)', /choose/],
  ['kernel://db/eth0', 'the interface is one that the pod has already (part=eth0)', /choose another interface/],
  ['kernel://db/sixteen-letters-x', 'it is longer than 15 bytes', /choose 1 to 15/],
  ['kernel://db/n%2f1', 'it contains a space, a control character', /choose/],
  ['kernel://a/n1,kernel://b/n1', 'two wires have the same interface (part=n1)', /interface of its own/],
  ['kernel://a,kernel://a', 'two wires cannot be told apart (part=a)', /interface of its own/],
  ['kernel://a/files,kernel://files', 'two wires cannot be told apart (part=files)', /interface of its own/],
  ['kernel://db/n1?wait=no', 'wait must be true or false (part=no)', /leave it out/],
  ['kernel://db/n1?app=%1b[31m', 'a label has characters that nobody sees (part=\\u001b[31m)', /one can see/],
  ['kernel://db/n1?a%e2%80%ae=1', 'a label has characters that nobody sees', /one can see/],
  [urls(17), 'it has 17 wires, and a pod may have 16', /several pods/],
  [urls(1000), 'it is longer than 4096 characters', /at most 16 wires/],
  ['kernel://\u001b[2Jdb/n1', 'part=kernel://\\u001b[2Jdb/n1', /write for example/],
])('parseWires of %j says what is wrong, and what to do', (text, what, next) => {
  const refused = caught(() => parseWires(text))
  expect(describeError(refused)).toContain(what)
  expect(describeError(refused)).toMatch(/^Cannot use the annotation networkservicemesh.io: /)
  expect(nextStep(refused)).toMatch(next)
})

test('parseWires either reads or refuses any text, and no refusal has characters that nobody sees', () => {
  const some = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: 'binary' }).map((tail) => `kernel://a/${tail}`),
  )
  fc.assert(
    fc.property(some, (text) => {
      try {
        parseWires(text)
      } catch (error) {
        expect(error).toBeInstanceOf(NsmError)
        expect(describeError(error)).not.toMatch(/[\p{Cc}\p{Cf}]/u)
      }
    }),
  )
})

function caught(run: () => unknown): unknown {
  try {
    run()
  } catch (error) {
    return error
  }
  return undefined
}
