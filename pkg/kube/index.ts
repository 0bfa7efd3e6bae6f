/** The API of Kubernetes: a small typed client, and copies of objects that follow the API server. */
export {
  type CallOptions,
  KubeClient,
  type ListOptions,
  type PatchOptions,
  type RemoveOptions,
  type WatchOptions,
} from './client.ts'
export { inCluster, readKubeconfig } from './cluster.ts'
export { type PublishedTextOptions, publish, readPublished } from './config-map.ts'
export { ForbiddenError, unlessOutdated } from './errors.ts'
export { Informer, type InformerOptions, type ObjectChange, type ObjectSource } from './informer.ts'
export { isGone } from './is-gone.ts'
export { objectNameOf } from './object-name.ts'
export type {
  KubeObject,
  ObjectKey,
  ObjectList,
  ObjectMeta,
  OwnerReference,
  Resource,
  Selection,
  WatchEvent,
} from './objects.ts'
export { type KubeSecretOptions, kubeSecret } from './secret.ts'
export { type Cluster, type Credentials, httpsTransport, type Transport } from './transport.ts'
