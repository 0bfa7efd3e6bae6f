/** A wire has one port at each end: `<connection>:c` is the client's, `<connection>:s` the endpoint's. */
export function portId(connectionId: string, role: 'client' | 'server'): string {
  return `${connectionId}:${role === 'client' ? 'c' : 's'}`
}

/** The connection whose port this is. */
export function connectionOfPort(id: string): string {
  return id.replace(/:[cs]$/, '')
}
