/** Runs `action` for all items, at most `most` of them at a time. `action` does not throw. */
export async function forEachLimited<T>(
  items: Iterable<T>,
  most: number,
  action: (item: T) => Promise<void>,
): Promise<void> {
  const waiting = items[Symbol.iterator]()
  const worker = async () => {
    for (let next = waiting.next(); next.done !== true; next = waiting.next()) await action(next.value)
  }
  await Promise.all(Array.from({ length: most }, worker))
}
