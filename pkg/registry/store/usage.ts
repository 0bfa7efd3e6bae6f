/**
 * How much the records of each node take, counted as they change: what a registration costs must not grow with what
 * others have registered.
 */
interface Share {
  readonly node: string
  readonly bytes: number
}

export class Usage {
  readonly #shares = new Map<string, Share>()
  readonly #totals = new Map<string, number>()
  readonly #minBytes: number

  /** @param minBytes what a record counts at least */
  constructor(minBytes: number) {
    this.#minBytes = minBytes
  }

  of(node: string): number {
    return this.#totals.get(node) ?? 0
  }

  /** @param bytes of the record as it is stored; 0 when it is gone */
  change(kind: string, name: string, { owner, bytes }: { readonly owner: string; readonly bytes: number }): void {
    this.#set(keyOf(kind, name), bytes === 0 ? undefined : { node: nodeOf(owner), bytes: this.#counted(bytes) })
  }

  #counted(bytes: number): number {
    return Math.max(bytes, this.#minBytes)
  }

  #set(key: string, share: Share | undefined): void {
    const before = this.#shares.get(key)
    if (before !== undefined) this.#add(before.node, -before.bytes)
    this.#shares.delete(key)
    if (share === undefined) return
    this.#shares.set(key, share)
    this.#add(share.node, share.bytes)
  }

  #add(node: string, bytes: number): void {
    const total = this.of(node) + bytes
    if (total === 0) this.#totals.delete(node)
    else this.#totals.set(node, total)
  }
}

function keyOf(kind: string, name: string): string {
  return `${kind}/${name}`
}

/** `spiffe://<domain>/node/<name>`, of the node itself and of its workloads. */
function nodeOf(owner: string): string {
  return owner.split('/', 5).join('/')
}
