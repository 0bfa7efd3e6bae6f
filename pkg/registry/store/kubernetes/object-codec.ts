import { type KubeObject, type ObjectMeta, objectNameOf } from '../../../kube/index.ts'

/** Between a record and the object that stands for it. */
export interface ObjectCodec<T, O extends KubeObject> {
  toObject(value: T, metadata: ObjectMeta): O
  fromObject(object: O): T
}

/**
 * The name of the record for which an object stands. Objects that were written by hand may leave `spec.name` out. One that
 * has the name of another object there would be a second record of that name, and counts by its own.
 */
export function nameOf(metadata: ObjectMeta, said = ''): string {
  return said !== '' && objectNameOf(said) === metadata.name ? said : metadata.name
}
