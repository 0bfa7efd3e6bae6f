/** What a domain's nodes run on, where that knows its machines and what runs on each, such as Kubernetes. */

export interface PlatformNode {
  readonly name: string
  /** Another one when the machine was set up anew under its name. */
  readonly uid: string
}

export interface Platform {
  /** @throws {NsmError} `permission_denied` unless `token` proves that a node daemon of this domain shows it */
  nodeOf(token: string): Promise<PlatformNode>
  /**
   * @param path of a workload below its node
   * @throws {NsmError} `permission_denied` unless there is such a workload on the node
   */
  checkWorkload(node: string, path: string): Promise<void>
}

/** Whether a token is one of a platform, a JWT. Invitations have no dots. */
export function isPlatformToken(token: string): boolean {
  return /^[\w-]+\.[\w-]+\.[\w-]+$/.test(token.trim())
}
