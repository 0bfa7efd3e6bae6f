/** The foreign programs that are measured, and of which version they are. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** Where hack/bench has built the newest; without it, Debian's are taken. */
const FOLDER = process.env['NSM_PEERS'] ?? ''

export type Peer = 'wireguard-go' | 'nebula'

/** How to call a program of a peer. */
export function peerProgram(name: Peer | 'nebula-cert'): string {
  return FOLDER === '' ? name : `${FOLDER}/${name}`
}

export function peerVersion(name: Peer): string {
  if (FOLDER === '') {
    const [, version] = execFileSync('dpkg-query', ['--show', name], { encoding: 'utf8' }).trim().split('\t')
    return `${version} (Debian)`
  }
  const version = new RegExp(`^${name} (.+)$`, 'm').exec(readFileSync(`${FOLDER}/versions`, 'utf8'))?.[1]
  if (version === undefined) throw new Error(`${FOLDER}/versions does not know ${name}`)
  return version
}
