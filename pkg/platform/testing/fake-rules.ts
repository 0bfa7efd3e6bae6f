import type { RuleSpec, Rules } from '../doors.ts'
import { familyOf, normalizeRule } from '../normalize.ts'
import type { FakeKernel } from './fake-kernel.ts'

export function fakeRules(kernel: FakeKernel): Rules {
  return {
    list: (namespace, signal) =>
      kernel.read('list rules', { effect: () => [...kernel.namespace(namespace).rules], signal }),

    async add(wanted, signal) {
      const spec = normalizeRule(wanted)
      const namespace = kernel.namespace(spec.namespace)
      if (namespace.rules.some((rule) => render('add', rule) === render('add', spec))) return
      const effect = () => namespace.rules.push(spec)
      await kernel.write(spec.namespace, render('add', spec), { effect, signal })
    },

    async remove(wanted, signal) {
      const spec = normalizeRule(wanted)
      if (!kernel.hasNamespace(spec.namespace)) return
      const namespace = kernel.namespace(spec.namespace)
      const isOther = (rule: RuleSpec) => render('del', rule) !== render('del', spec)
      if (namespace.rules.every(isOther)) return
      const effect = () => {
        namespace.rules = namespace.rules.filter(isOther)
      }
      await kernel.write(spec.namespace, render('del', spec), { effect, signal })
    },
  }
}

function render(verb: 'add' | 'del', { from, proto, dstPort, srcPort, table }: RuleSpec): string {
  const family = familyOf(from) === 6 ? '-6 ' : ''
  const selectors = [
    `from ${from}`,
    ...(proto === '' ? [] : [`ipproto ${proto}`]),
    ...(dstPort === '' ? [] : [`dport ${dstPort}`]),
    ...(srcPort === '' ? [] : [`sport ${srcPort}`]),
  ]
  return `${family}rule ${verb} ${selectors.join(' ')} priority 32000 table ${table} protocol 147`
}
