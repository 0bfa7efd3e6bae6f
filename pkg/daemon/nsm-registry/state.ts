/** What a registry must not forget: its records, whom its domain trusts, and its secrets. */
import { join } from 'node:path'
import type { Runtime, Scope } from '../../base/index.ts'
import { clusterOf, type RegistryConfig } from '../../config/index.ts'
import {
  type Disk,
  kubernetesPlatform,
  kubeTrustStore,
  type Platform,
  sqliteTrustStore,
  type TrustStore,
} from '../../federation/index.ts'
import { certificatePem, type SecretPlace, secretFile } from '../../identity/index.ts'
import { httpsTransport, KubeClient, kubeSecret, publish } from '../../kube/index.ts'
import { openKubeStore, type RegistryStore, sqliteStore } from '../../registry/index.ts'
import { openDatabase } from '../../store/index.ts'
import { PUBLISHED_AUTHORITY } from '../published-authority.ts'
import { migrations } from './migrations.ts'

export interface RegistryState {
  readonly store: RegistryStore
  readonly trustStore: TrustStore
  /** Of the records; undefined where they are on none of this process. */
  readonly disk: Disk | undefined
  /** Of the key of the domain's authority. */
  readonly authority: SecretPlace
  /** Of the key of claims, where the authority is somebody else's. */
  readonly claims: SecretPlace
  /** What vouches for nodes; undefined where they are invited. */
  readonly platform: Platform | undefined
  /** Tells nodes that have not joined yet the certificates of the authority. */
  publish(authorities: readonly Uint8Array[]): Promise<void>
}

export function openState(config: RegistryConfig, runtime: Runtime, scope: Scope): Promise<RegistryState> {
  return config.store === 'kubernetes' ? openObjects(config, runtime, scope) : openFiles(config, scope)
}

/** One SQLite file and the files beside it, which one registry has for itself. */
async function openFiles({ stateDir }: RegistryConfig, scope: Scope): Promise<RegistryState> {
  const database = scope.own(openDatabase(join(stateDir, 'registry.db'), { application: 'nsm-registry', migrations }))
  return {
    store: sqliteStore(database),
    trustStore: sqliteTrustStore(database),
    disk: database,
    authority: secretFile(join(stateDir, 'authority.pem')),
    claims: secretFile(join(stateDir, 'claims-secret')),
    platform: undefined,
    publish: async () => {},
  }
}

/** Objects of Kubernetes in one namespace, which several registries share. */
async function openObjects(config: RegistryConfig, runtime: Runtime, scope: Scope): Promise<RegistryState> {
  const { namespace } = config
  const { clock } = runtime
  const client = scope.own(new KubeClient({ transport: httpsTransport(await clusterOf(config)), clock }))
  const secret = (name: string) => kubeSecret({ client, namespace, name, clock })
  return {
    store: scope.own(await openKubeStore({ client, namespace, ...runtime })),
    trustStore: kubeTrustStore({ client, namespace }),
    disk: undefined,
    authority: secret('nsm-registry-authority'),
    claims: secret('nsm-registry-claims'),
    platform: kubernetesPlatform({ client, namespace, serviceAccount: config.nodeServiceAccount }),
    publish: (authorities) =>
      publish({ client, namespace, ...PUBLISHED_AUTHORITY }, authorities.map(certificatePem).join('')),
  }
}
