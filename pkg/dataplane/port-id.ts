/** A wire has one port at each end: `<connection>:c` is the client's, `<connection>:s` the endpoint's. */
export function portId(connectionId: string, role: 'client' | 'server'): string {
  return `${connectionId}:${role === 'client' ? 'c' : 's'}`
}

/** The end whose port this is. */
export function endOfPort(id: string): { readonly connection: string; readonly role: 'client' | 'server' } {
  return { connection: id.replace(/:[cs]$/, ''), role: id.endsWith(':c') ? 'client' : 'server' }
}
