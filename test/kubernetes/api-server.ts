/**
 * etcd and kube-apiserver alone: for tests of what talks with the API and needs no pods. No controller runs: a namespace
 * has no service account until the test makes one, and is never wholly deleted; roles that are put together of others
 * (view, edit, admin) are empty.
 */
import { writeFileSync } from 'node:fs'
import { formatSocketAddress } from '../../pkg/net/index.ts'
import { freePort } from '../lab/free-port.ts'
import type { Lab } from '../lab/lab.ts'
import type { Outcome, RunOptions } from '../lab/shell.ts'
import { until } from '../lab/until.ts'
import { Authority, type KeyPair, makeTokenKey, type User } from './certificates.ts'
import { Component } from './component.ts'
import { type Machine, thisMachine } from './machine.ts'
import { kubernetesProgram } from './programs.ts'

export const ADMIN: User = { name: 'admin', groups: ['system:masters'] }
/** Of the Service `kubernetes`, through which pods reach the API server. */
const SERVICE_ADDRESS = '10.96.0.1'
const READY_MS = 60_000

interface Place {
  readonly machine: Machine
  /** Of the API server. */
  readonly address: string
  readonly port: number
  readonly etcdPort: number
  /** An AdmissionConfiguration, for what its plugins do without being told. */
  readonly admission?: object | undefined
}

export class ApiServer {
  readonly name: string
  readonly url: string
  readonly authority: Authority
  readonly etcd: Component
  readonly server: Component
  readonly #folder: string
  readonly #machine: Machine
  readonly #kubeconfigs = new Map<string, Promise<string>>()

  private constructor(lab: Lab, name: string, place: Place, authority: Authority) {
    const { machine, address, port } = place
    this.name = name
    this.url = `https://${formatSocketAddress({ ip: address, port })}`
    this.authority = authority
    this.#machine = machine
    this.#folder = lab.folder(name, { mode: 0o700 })
    const log = (program: string) => `${lab.directory}/${name}-${program}.log`
    const etcd = etcdCommand(this.#folder, place.etcdPort)
    const server = serverCommand(this.#folder, place)
    this.etcd = new Component('etcd', () => machine.launch(etcd, log('etcd')))
    this.server = new Component('kube-apiserver', () => machine.launch(server, log('kube-apiserver')))
  }

  /** On the loopback address of this machine, for the test itself to call. Ends with the process of the test. */
  static async start(lab: Lab, name = 'kubernetes', admission?: object): Promise<ApiServer> {
    const [port, etcdPort] = [await freePort(), await freePort()]
    return ApiServer.startAt(lab, name, { machine: thisMachine, address: '127.0.0.1', port, etcdPort, admission })
  }

  static async startAt(lab: Lab, name: string, place: Place): Promise<ApiServer> {
    const api = new ApiServer(lab, name, place, await Authority.create())
    lab.defer(() => api.close())
    await api.#writeKeys(place.address)
    if (place.admission !== undefined) api.#write('admission.json', JSON.stringify(place.admission))
    api.etcd.start()
    api.server.start()
    await api.ready()
    return api
  }

  /** Resolves when it serves. */
  async ready(): Promise<void> {
    const kubeconfig = await this.kubeconfig()
    const ask = [kubernetesProgram('kubectl'), '--kubeconfig', kubeconfig, 'get', '--raw', '/readyz']
    await until('kube-apiserver', async () => (await this.#machine.tryRun(ask)).code === 0, READY_MS)
  }

  /** @returns the path of a kubeconfig with which one is `user` */
  kubeconfig(user: User = ADMIN): Promise<string> {
    const key = JSON.stringify([user.name, user.groups])
    const known = this.#kubeconfigs.get(key)
    if (known !== undefined) return known
    const path = `${this.#folder}/user-${this.#kubeconfigs.size}.kubeconfig`
    const written = this.authority.issueClient(user).then((pair) => {
      writeFileSync(path, this.#render(pair), { mode: 0o600 })
      return path
    })
    this.#kubeconfigs.set(key, written)
    return written
  }

  /** Runs kubectl as the admin, unless `command` has another `--kubeconfig`. */
  async tryKubectl(command: readonly string[], options?: RunOptions): Promise<Outcome> {
    const kubectl = [kubernetesProgram('kubectl'), '--cache-dir', `${this.#folder}/kubectl`]
    const program = [...kubectl, '--kubeconfig', await this.kubeconfig()]
    return this.#machine.tryRun([...program, ...command], options)
  }

  /** @throws {Error} with what kubectl said, when it fails */
  async kubectl(command: readonly string[], options?: RunOptions): Promise<string> {
    const { code, stdout, stderr } = await this.tryKubectl(command, options)
    if (code !== 0) throw new Error(`kubectl ${command.join(' ')}: exit status ${code}\n${stderr}${stdout}`.trimEnd())
    return stdout
  }

  /** Where a file lies that it was started with. */
  file(name: 'authority.pem' | 'token-key.pem'): string {
    return `${this.#folder}/${name}`
  }

  async close(): Promise<void> {
    await this.server.stop('SIGKILL') // what it has promised is in etcd
    await this.etcd.stop()
  }

  async #writeKeys(address: string): Promise<void> {
    const { authority } = this
    const kubelets = { name: 'kube-apiserver', groups: ['system:masters'] }
    this.#write('authority.pem', authority.certificate)
    this.#writePair('server', await authority.issueServer([address, SERVICE_ADDRESS, 'kubernetes.default.svc']))
    this.#writePair('kubelet-client', await authority.issueClient(kubelets))
    const { privateKey, publicKey } = makeTokenKey()
    this.#write('token-key.pem', privateKey)
    this.#write('token-public.pem', publicKey)
  }

  /** Cluster, user and context have the name of this server. */
  #render({ certificate, key }: KeyPair): string {
    const base64 = (text: string) => Buffer.from(text).toString('base64')
    const name = this.name
    const cluster = { server: this.url, 'certificate-authority-data': base64(this.authority.certificate) }
    const user = { 'client-certificate-data': base64(certificate), 'client-key-data': base64(key) }
    return JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name, cluster }],
      users: [{ name, user }],
      contexts: [{ name, context: { cluster: name, user: name } }],
      'current-context': name,
    })
  }

  #writePair(name: string, { certificate, key }: KeyPair): void {
    this.#write(`${name}.pem`, certificate)
    this.#write(`${name}-key.pem`, key)
  }

  #write(name: string, text: string): void {
    writeFileSync(`${this.#folder}/${name}`, text, { mode: 0o600 })
  }
}

function etcdCommand(folder: string, port: number): readonly string[] {
  const client = `http://127.0.0.1:${port}`
  return [
    kubernetesProgram('etcd'),
    ...['--data-dir', `${folder}/etcd`, '--unsafe-no-fsync', '--log-level=warn'],
    ...['--listen-client-urls', client, '--advertise-client-urls', client],
    ...['--listen-peer-urls', 'http://127.0.0.1:0'],
  ]
}

function serverCommand(folder: string, { address, port, etcdPort, admission }: Place): readonly string[] {
  const isLoopback = address === '127.0.0.1'
  return [
    kubernetesProgram('kube-apiserver'),
    ...[`--etcd-servers=http://127.0.0.1:${etcdPort}`, `--bind-address=${address}`, `--secure-port=${port}`],
    // Pods could not reach the loopback address: then nobody is told of it.
    ...(isLoopback ? ['--endpoint-reconciler-type=none'] : [`--advertise-address=${address}`]),
    `--service-cluster-ip-range=10.96.0.0/16`,
    ...[`--tls-cert-file=${folder}/server.pem`, `--tls-private-key-file=${folder}/server-key.pem`],
    `--client-ca-file=${folder}/authority.pem`,
    `--kubelet-client-certificate=${folder}/kubelet-client.pem`,
    `--kubelet-client-key=${folder}/kubelet-client-key.pem`,
    '--kubelet-preferred-address-types=InternalIP',
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-signing-key-file=${folder}/token-key.pem`,
    `--service-account-key-file=${folder}/token-public.pem`,
    ...(admission === undefined ? [] : [`--admission-control-config-file=${folder}/admission.json`]),
    ...['--authorization-mode=Node,RBAC', '--enable-admission-plugins=NodeRestriction'],
  ]
}
