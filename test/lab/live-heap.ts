/**
 * Prints how many bytes of a Node process's heap are alive, after a full collection: run in the network namespace of
 * a process that SIGUSR1 has told to open its inspector.
 */
const MOST_TRIES = 50

async function debuggerUrl(): Promise<string> {
  for (let tries = 0; ; tries++) {
    try {
      const targets = (await (await fetch('http://127.0.0.1:9229/json')).json()) as { webSocketDebuggerUrl: string }[]
      return targets[0]?.webSocketDebuggerUrl ?? ''
    } catch (error) {
      if (tries === MOST_TRIES) throw error
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
}

const socket = new WebSocket(await debuggerUrl())
await new Promise((resolve) => socket.addEventListener('open', resolve, { once: true }))
let lastId = 0

function call(method: string, params = {}): Promise<{ result?: { value?: number } }> {
  lastId += 1
  const id = lastId
  return new Promise((resolve) => {
    socket.addEventListener('message', ({ data }) => {
      const answer = JSON.parse(data)
      if (answer.id === id) resolve(answer.result)
    })
    socket.send(JSON.stringify({ id, method, params }))
  })
}

for (let round = 0; round < 3; round++) await call('HeapProfiler.collectGarbage')
const { result } = await call('Runtime.evaluate', { expression: 'process.memoryUsage().heapUsed' })
console.log(result?.value)
process.exit(0)
