/**
 * The demo: two clusters with the same inner addresses, joined by one encrypted wire. With `--check` it needs no
 * person: it kills the node daemons, the engines and the registries in turn, and prints one line of JSON.
 */
import { nsmctl, workloadEnvironment } from '../lab/cluster.ts'
import type { Lab } from '../lab/lab.ts'
import { enginePid } from '../lab/processes.ts'
import { NSMCTL } from '../lab/programs.ts'
import { detail, step } from '../lab/progress.ts'
import { Capture } from './capture.ts'
import { CLIENT_IP, ENDPOINT_IP, fetchFile, serveFile } from './file-transfer.ts'
import { killInTurn, PING_PATTERN_HEX, ping } from './kills.ts'
import { runDemo, type Summary } from './run-demo.ts'
import { buildTwoClusters, type TwoClusters } from './two-clusters.ts'

const MEGABYTES = 200

await runDemo(story)

async function story(lab: Lab, isCheck: boolean): Promise<Summary> {
  const capture = await Capture.start(lab)
  const mesh = await buildTwoClusters(lab)
  step(`fetching a ${MEGABYTES} MB file from east over the wire`)
  const served = await serveFile(lab, mesh.files, MEGABYTES)
  const { seconds, ...http } = await fetchFile(lab, mesh.reader, served)
  detail(`${http.bytes} bytes in ${seconds.toFixed(1)} s, SHA-256 ${http.sha256Match ? 'equal' : 'DIFFERENT'}`)
  const pings = await pingAll(mesh)
  const kills = isCheck ? await killAndTell(mesh) : []
  const secrets = [
    served.head,
    Buffer.from('GET /file.bin'),
    Buffer.from('HTTP/1.'),
    Buffer.from(PING_PATTERN_HEX, 'hex'),
  ]
  const { packets, wireguard, plaintextSeen } = await capture.stop(secrets)
  step(
    `an eavesdropper on the internet saw ${packets} packets, ${wireguard} of WireGuard, plaintext: ${plaintextSeen ? 'YES' : 'none'}`,
  )
  await show(mesh)
  const ok = http.sha256Match && pings.sent === pings.received && pings.sent > 0 && !plaintextSeen && wireguard > 0
  const survived = kills.every(({ lost, sameInterface, healthy }) => lost === 0 && sameInterface && healthy)
  if (!isCheck && ok) invite(mesh)
  return { ok: ok && survived, http, ping: pings, plaintextSeen, kills }
}

async function pingAll({
  reader,
  files,
  neighbour,
  colleague,
}: TwoClusters): Promise<{ sent: number; received: number }> {
  step('pinging over all wires, both ways')
  const results = await Promise.all([
    ping(reader, ENDPOINT_IP),
    ping(files, CLIENT_IP),
    ping(neighbour, ENDPOINT_IP),
    ping(colleague, ENDPOINT_IP),
  ])
  const sum = (of: 'sent' | 'received') => results.reduce((total, result) => total + result[of], 0)
  detail(results.map(({ sent, received }) => `${received} of ${sent}`).join(', '))
  return { sent: sum('sent'), received: sum('received') }
}

async function killAndTell(mesh: TwoClusters): Promise<Awaited<ReturnType<typeof killInTurn>>> {
  step('killing the node daemons, the engines and the registries in turn, at 100 pings a second')
  const kills = await killInTurn(mesh)
  for (const { what, lost, sameInterface, healthy } of kills) {
    detail(
      `${what}: ${lost} lost${sameInterface ? '' : ', interface replaced'}${healthy ? '' : ', not well afterwards'}`,
    )
  }
  return kills
}

async function show({ west }: TwoClusters): Promise<void> {
  for (const command of [['status'], ['get', 'wires']]) {
    step(`nsmctl ${command.join(' ')}    (on ${west.nodes[0].name})`)
    const { stdout, stderr } = await nsmctl(west.nodes[0], ...command)
    detail(stdout + stderr)
  }
}

function invite({ west, east, reader }: TwoClusters): void {
  step('the mesh is up; try, in another terminal:')
  const [node] = west.nodes
  const environment = Object.entries(workloadEnvironment(node)).map(([name, value]) => `${name}=${value}`)
  const engines = [node, east.nodes[0]].map(({ holder }) => enginePid(holder.pid))
  detail(
    [
      `export ${environment.join(' ')}`,
      `ip netns exec ${node.host.name} ${NSMCTL} get wires -o wide`,
      `ip netns exec ${node.host.name} ${NSMCTL} describe wire <id>`,
      `ip netns exec ${reader.host.name} ping ${ENDPOINT_IP}`,
      `kill -9 ${engines.join(' ')}      # break it: both ends' engines die, the ping goes on`,
      `ip -n ${reader.host.name} link del nsm-1      # break it: it comes back`,
    ].join('\n'),
  )
  step('Ctrl-C ends it and removes everything')
}
