/** Runs `action` for all items, at most `limit` of them concurrently. `action` must not throw. */
export async function forEachLimited<T>(
  items: Iterable<T>,
  limit: number,
  action: (item: T) => Promise<void>,
): Promise<void> {
  const waiting = items[Symbol.iterator]()
  const worker = async () => {
    for (let next = waiting.next(); next.done !== true; next = waiting.next()) await action(next.value)
  }
  await Promise.all(Array.from({ length: limit }, worker))
}

/** Runs `action` for all items at once, and waits for every one even after a failure. @throws the first failure */
export async function all<T, R>(items: readonly T[], action: (item: T) => Promise<R>): Promise<readonly R[]> {
  const results = await Promise.allSettled(items.map(action))
  return results.map((result) => {
    if (result.status === 'rejected') throw result.reason
    return result.value
  })
}
