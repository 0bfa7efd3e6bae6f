/** What both implementations of the dataplane's door demand of its objects. */
import { isObjectId, NsmError } from '../base/index.ts'
import { type PortSpec, portKindOf } from '../mechanism/index.ts'
import type { CrossConnect } from './door.ts'

/** @throws {NsmError} `invalid_argument` unless `id` is 1 to 64 characters of [A-Za-z0-9._:-] */
export function checkId(id: string): string {
  if (isObjectId(id)) return id
  throw new NsmError(
    'invalid_argument',
    'Cannot name the dataplane object: its id is not 1-64 of A-Z a-z 0-9 . _ : -',
    {
      fields: { id: id.slice(0, 80) },
    },
  )
}

/** @throws {NsmError} `invalid_argument` */
export function checkCrossConnect({ id, ports }: CrossConnect): void {
  for (const name of [id, ...ports]) checkId(name)
  if (ports[0] !== ports[1]) return
  throw new NsmError('invalid_argument', 'Cannot set the cross-connect: it joins two different ports', {
    fields: { id },
  })
}

/** @throws {NsmError} `invalid_argument` */
export function checkPort(spec: PortSpec): void {
  checkId(spec.id)
  portKindOf(spec).check(spec)
}
