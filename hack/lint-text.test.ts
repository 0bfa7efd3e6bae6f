import { expect, test } from 'vitest'
import { lintText } from './lint-text.ts'

/** A substitution in a template of the checked source. */
const HOLE = `\${hole}`

test.each([
  `new NsmError('not_found', 'Cannot close the wire: there is none with this id')`,
  `new NsmError('internal', 'Cannot reach the peer')`,
  `new NsmError(code, \`Cannot parse the prefix: ${HOLE}\`)`,
  `new NsmError(code, \`${HOLE}: the request was refused\`)`,
  `new NsmError('invalid_argument', 'Cannot carry the payload: Ethernet frames were agreed')`,
  `new NsmError('invalid_argument', 'Cannot start: NSM_NAME is not set')`,
  `new NsmError(code, message)`,
  `const options = { next: 'run nsmctl status' }`,
  `const options = { next: 'NSM_DOMAIN must be the domain of this state' }`,
  `const options = { next: \`${HOLE} lists them\` }`,
  `const condition = { next: isBroken ? 'restart it' : '' }`,
  `logger.warn('Cannot reach the registry, retrying', { error })`,
  `this.#options.logger.info('The engine has started')`,
  `console.error('done.')`,
])('accepts %s', (source) => {
  expect(lintText(source)).toEqual([])
})

test.each([
  [`new NsmError('not_found', 'No such wire')`, 'an error must begin with "Cannot <verb>"'],
  [`new NsmError('not_found', isNode ? 'Cannot join the node' : 'cannot join')`, 'an error must begin with'],
  [`new NsmError('internal', 'Cannot reach the peer.')`, 'an error must end without a period'],
  [`new NsmError(code, \`Cannot join ${HOLE}: Its token has expired\`)`, 'the reason of an error must begin'],
  [`const options = { next: 'Run nsmctl status' }`, 'a hint must begin in lower case'],
  [`const options = { next: 'run nsmctl status.' }`, 'a hint must end without a period'],
  [`function refuse(next = 'Copy the token') {}`, 'a hint must begin in lower case'],
  [`const next = 'Look elsewhere'`, 'a hint must begin in lower case'],
  [`logger.info(\`${HOLE} has started\`)`, 'a log message must be constant'],
  [`logger.with({ id }).warn('Lost the connection.')`, 'a log message must end without a period'],
])('refuses %s', (source, message) => {
  const [breach, ...others] = lintText(`\n${source}`)
  expect(breach).toMatchObject({ line: 2, message: expect.stringContaining(message) })
  expect(others).toEqual([])
})
