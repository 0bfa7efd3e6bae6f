import { expect, it, vi } from 'vitest'
import { Listeners } from './listeners.ts'

it('Listeners tells all of them, also behind one that throws, and brings its fault to light', () => {
  const later: (() => void)[] = []
  vi.spyOn(globalThis, 'queueMicrotask').mockImplementation((callback) => void later.push(callback))
  const listeners = new Listeners<[string]>()
  const heard: string[] = []
  const remove = listeners.add((what) => heard.push(`first ${what}`))
  listeners.add(() => {
    throw new Error('my own fault')
  })
  listeners.add((what) => heard.push(`last ${what}`))
  listeners.tell('a')
  remove()
  listeners.tell('b')
  expect(heard).toEqual(['first a', 'last a', 'last b'])
  expect(later).toHaveLength(2)
  expect(later[0]).toThrow('my own fault')
})
