/**
 * The demo on real Kubernetes: two clusters with the same pod CIDR, joined by kubectl, and one encrypted wire between pods of
 * both. With `--check` it needs no person: parts of the mesh die in turn, the domain is revoked, and nsmesh uninstalled.
 */
import type { Lab } from '../../lab/lab.ts'
import { detail, step } from '../../lab/progress.ts'
import { Capture, type Heard } from '../capture.ts'
import { runDemo, type Summary } from '../run-demo.ts'
import { dieInTurn, type Loss } from './deaths.ts'
import { buildTwoClusters, type TwoClusters } from './two-clusters.ts'
import { revoke, uninstall } from './uninstall.ts'
import { fetchFile, share } from './wire.ts'

await runDemo(story)

async function story(lab: Lab, isCheck: boolean): Promise<Summary> {
  const capture = await Capture.start(lab)
  const mesh = await buildTwoClusters(lab)
  const { head, ...shared } = await share(mesh)
  const http = await fetchFile(mesh, shared.sha256)
  const losses = isCheck ? await dieInTurn(mesh) : []
  const heard = await capture.stop([head, Buffer.from('GET /file'), Buffer.from('HTTP/1.')])
  tell(heard)
  const isFine = http.sha256Match && !heard.plaintextSeen && heard.wireguard > 0 && losses.every(isAsItShould)
  const facts = { http, wireMs: shared.wireMs, plaintextSeen: heard.plaintextSeen, losses }
  if (!isCheck) {
    invite(mesh)
    return { ok: isFine, ...facts }
  }
  const revokedMs = await revoke(mesh)
  const left = await uninstall(mesh)
  return { ok: isFine && left.length === 0, ...facts, revokedMs, left }
}

function isAsItShould({ isLossless, lost, healthy }: Loss): boolean {
  return healthy && (!isLossless || lost === 0)
}

function tell({ packets, wireguard, plaintextSeen }: Heard): void {
  const plaintext = plaintextSeen ? 'YES' : 'none'
  step(`an eavesdropper on the internet saw ${packets} packets, ${wireguard} of WireGuard, plaintext: ${plaintext}`)
}

function invite({ laptop }: TwoClusters): void {
  step('the mesh is up; try, in another terminal:')
  detail(
    [
      `export ${laptop.environment}`,
      `alias kubectl='nsenter --net=/run/netns/${laptop.host.name} kubectl'`,
      'kubectl nsm get wires',
      'kubectl nsm --context east domain list',
      'kubectl exec deployment/reader -- ping 172.16.2.0',
      'kubectl --context east delete pod -l app=files      # break it: it comes back',
    ].join('\n'),
  )
  step('Ctrl-C ends it and removes everything')
}
