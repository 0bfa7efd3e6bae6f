/** hack/cluster: clusters that a process in the background holds until they are taken down. */
import { type SpawnOptions, spawn } from 'node:child_process'
import { existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { Lab } from '../lab/lab.ts'
import { ROOT } from '../lab/programs.ts'
import { step } from '../lab/progress.ts'
import { run } from '../lab/shell.ts'
import { until } from '../lab/until.ts'
import { KubernetesCluster } from './cluster.ts'
import { kubernetesProgram } from './programs.ts'

const STATE_FILE = `${ROOT}/build/cluster.json`
const LOG_FILE = `${ROOT}/build/cluster.log`
const NODE_COUNT = 2
/** The numbers that the hosts of one cluster may have. */
const NUMBERS = 10
const UP_MS = 300_000

interface State {
  readonly pid: number
  readonly clusters: readonly ClusterState[]
}

interface ClusterState {
  readonly name: string
  readonly kubeconfig: string
  /** The command that enters each machine, by its name; of the control plane, by that of the cluster. */
  readonly enter: Readonly<Record<string, readonly string[]>>
}

const [command = '', ...args] = process.argv.slice(2)
const COMMANDS: Readonly<Record<string, () => Promise<number>>> = {
  up: () => up(args.length === 0 ? ['west'] : args),
  hold: () => hold(args),
  kubectl: () => kubectl(args),
  node: () => enterNode(args),
  load: () => load(args),
  down,
}
process.exit((await COMMANDS[command]?.()) ?? 2)

async function up(names: readonly string[]): Promise<number> {
  if (existsSync(STATE_FILE)) return complain('there are clusters already; hack/cluster down ends them')
  step(`starting ${names.join(' and ')}, of ${NODE_COUNT} nodes each`)
  mkdirSync(`${ROOT}/build`, { recursive: true })
  const log = openSync(LOG_FILE, 'w')
  const holder = spawn(process.execPath, [import.meta.filename, 'hold', ...names], {
    detached: true,
    stdio: ['ignore', log, log],
  })
  await until('the clusters', () => existsSync(STATE_FILE) || holder.exitCode !== null, UP_MS)
  if (!existsSync(STATE_FILE)) return complain(`they did not start:\n${readFileSync(LOG_FILE, 'utf8')}`)
  step('they are up: hack/cluster kubectl get nodes')
  return 0
}

async function hold(names: readonly string[]): Promise<number> {
  const stopped = new Promise<void>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve())
  })
  const lab = await Lab.create()
  try {
    const start = (name: string, index: number) =>
      KubernetesCluster.start(lab, { name, number: NUMBERS * (index + 1), nodeCount: NODE_COUNT })
    const clusters = await Promise.all(names.map(start))
    const state: State = { pid: process.pid, clusters: await Promise.all(clusters.map((each) => stateOf(each))) }
    writeFileSync(STATE_FILE, JSON.stringify(state))
    await stopped
  } finally {
    await lab.close()
    rmSync(STATE_FILE, { force: true })
  }
  return 0
}

async function stateOf({ name, control, nodes }: KubernetesCluster): Promise<ClusterState> {
  const enter = Object.fromEntries(nodes.map((node) => [node.name, node.machine.inside([])]))
  return { name, kubeconfig: await control.api.kubeconfig(), enter: { ...enter, [name]: control.host.inside([]) } }
}

async function kubectl(words: readonly string[]): Promise<number> {
  const { clusters } = readState()
  const wanted = words[words.indexOf('--context') + 1]
  const cluster = words.includes('--context') ? clusters.find(({ name }) => name === wanted) : clusters[0]
  if (cluster === undefined) return complain(`there is no cluster ${wanted}`)
  const { enter, name, kubeconfig } = cluster
  const flags = ['--kubeconfig', kubeconfig, '--cache-dir', `${dirname(kubeconfig)}/kubectl`]
  return replace([...(enter[name] ?? []), kubernetesProgram('kubectl'), ...flags, ...words])
}

async function enterNode([name = '', ...words]: readonly string[]): Promise<number> {
  const enter = readState().clusters.flatMap(({ enter }) => enter[name] ?? [])
  if (enter.length === 0) return complain(`there is no node ${name}`)
  return replace([...enter, ...(words.length === 0 ? ['bash'] : words)])
}

async function load([archive = '']: readonly string[]): Promise<number> {
  const enters = readState().clusters.flatMap(({ name, enter }) =>
    Object.entries(enter).flatMap(([machine, words]) => (machine === name ? [] : [words])),
  )
  const ctr = [kubernetesProgram('ctr'), '--namespace', 'k8s.io', 'images', 'import', resolve(archive)]
  await Promise.all(enters.map((enter) => run([...enter, ...ctr], { timeoutMs: UP_MS })))
  return 0
}

async function down(): Promise<number> {
  const { pid } = readState()
  if (existsSync(`/proc/${pid}`)) process.kill(pid, 'SIGTERM')
  await until('the clusters to go', () => !existsSync(`/proc/${pid}`), UP_MS)
  rmSync(STATE_FILE, { force: true })
  return 0
}

function readState(): State {
  if (existsSync(STATE_FILE)) return JSON.parse(readFileSync(STATE_FILE, 'utf8'))
  process.exit(complain('there are no clusters; hack/cluster up starts them'))
}

/** Runs a program in place of this one, as far as whoever called can see. */
function replace([program = '', ...words]: readonly string[]): Promise<number> {
  const options: SpawnOptions = { stdio: 'inherit' }
  return new Promise((resolve) => {
    spawn(program, words, options).once('exit', (code, signal) => resolve(signal === null ? (code ?? 0) : 1))
  })
}

function complain(sentence: string): number {
  console.error(`hack/cluster: ${sentence}`)
  return 1
}
