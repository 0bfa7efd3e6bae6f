/** Yields at once, and then once per change; changes that come faster than they are read count as one. */
export async function* changes(
  subscribe: (onChange: () => void) => () => void,
  signal: AbortSignal,
): AsyncGenerator<void> {
  let wake = () => {}
  let isChanged = true
  const onChange = () => {
    isChanged = true
    wake()
  }
  const unsubscribe = subscribe(onChange)
  signal.addEventListener('abort', onChange, { once: true })
  try {
    while (!signal.aborted) {
      if (isChanged) {
        isChanged = false
        yield
      } else {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    }
  } finally {
    unsubscribe()
    signal.removeEventListener('abort', onChange)
  }
}
