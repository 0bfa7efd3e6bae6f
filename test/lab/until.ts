/** Waiting for what happens without us. */
const INTERVAL_MS = 25

/** Asks again and again until it holds. @throws {Error} when it does not within `patienceMs` */
export async function until(what: string, holds: () => boolean | Promise<boolean>, patienceMs = 20_000): Promise<void> {
  const deadlineMs = performance.now() + patienceMs
  while (!(await holds())) {
    if (performance.now() > deadlineMs) throw new Error(`waited ${patienceMs / 1_000} s for ${what}`)
    await new Promise((resolve) => setTimeout(resolve, INTERVAL_MS))
  }
}
