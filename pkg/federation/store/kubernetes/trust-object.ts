/** A record of the trust store as an object of Kubernetes. All are of one kind of object, so that their changes have an order. */
import { type KubeObject, type ObjectMeta, objectNameOf, type Resource } from '../../../kube/index.ts'
import { decodeRecord, encodeRecord } from '../record-codec.ts'
import type { TrustRecord } from '../trust-record.ts'
import type { RecordKey } from '../trust-store.ts'

export interface TrustObject extends KubeObject {
  /** What record-codec.ts says of the record, in the field that is named after its kind. */
  readonly spec: { readonly kind: string; readonly name: string; readonly [body: string]: unknown }
}

export const trustResource: Resource<TrustObject> = {
  group: 'networkservicemesh.io',
  version: 'v1',
  kind: 'TrustRecord',
  plural: 'trustrecords',
  isNamespaced: true,
}

export function trustObjectName({ kind, name }: RecordKey): string {
  return objectNameOf(`${kind}.${name}`)
}

export function toTrustObject(record: TrustRecord, metadata: Omit<ObjectMeta, 'name'>): TrustObject {
  const { kind, name } = record
  return {
    metadata: { ...metadata, name: trustObjectName(record) },
    spec: { kind, name, [kind]: JSON.parse(encodeRecord(record)) },
  }
}

/** Whether the object stands for a record. One that somebody else has made may have the name of none. */
export function isRecord({ metadata, spec }: TrustObject): boolean {
  return metadata.name === objectNameOf(`${spec.kind}.${spec.name}`)
}

/** @throws {NsmError} `internal` for a kind that this version does not know */
export function fromTrustObject({ spec: { kind, name, ...body } }: TrustObject): TrustRecord {
  return decodeRecord(kind, name, JSON.stringify(body[kind]))
}
