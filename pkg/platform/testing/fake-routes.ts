import { NsmError } from '../../base/index.ts'
import type { RouteSpec, Routes } from '../doors.ts'
import { familyOf, normalizeRoute } from '../normalize.ts'
import type { FakeKernel } from './fake-kernel.ts'

export function fakeRoutes(kernel: FakeKernel): Routes {
  return {
    list: (namespace, signal) => {
      const space = () => kernel.namespace(namespace)
      return kernel.read('list routes', {
        effect: () => space().routes.filter(({ link }) => space().isOurs(link)),
        signal,
      })
    },

    async add(wanted, signal) {
      const spec = normalizeRoute(wanted)
      const namespace = kernel.namespace(spec.namespace)
      const link = namespace.link(spec.link)
      const same = namespace.routes.find(({ prefix, table }) => prefix === spec.prefix && table === spec.table)
      if (same !== undefined && isEqual(same, spec)) return
      if (same !== undefined) {
        throw new NsmError('already_exists', 'Cannot add the route: the table has a different one to this prefix', {
          fields: { prefix: spec.prefix, table: spec.table, link: same.link },
        })
      }
      if (!link.isUp) {
        throw new NsmError('failed_precondition', 'Cannot add the route: its link is down', {
          fields: { link: spec.link },
        })
      }
      const effect = () => namespace.routes.push(spec)
      await kernel.write(spec.namespace, render('add', spec), { effect, signal })
    },

    async remove(wanted, signal) {
      const spec = normalizeRoute(wanted)
      if (!kernel.hasNamespace(spec.namespace)) return
      const namespace = kernel.namespace(spec.namespace)
      if (!namespace.routes.some((route) => isEqual(route, spec))) return
      const effect = () => {
        namespace.routes = namespace.routes.filter((route) => !isEqual(route, spec))
      }
      await kernel.write(spec.namespace, render('del', spec), { effect, signal })
    },
  }
}

function isEqual(a: RouteSpec, b: RouteSpec): boolean {
  return a.prefix === b.prefix && a.table === b.table && a.link === b.link && a.via === b.via
}

function render(verb: 'add' | 'del', { prefix, via, link, table }: RouteSpec): string {
  const family = familyOf(prefix) === 6 ? '-6 ' : ''
  const hop = via === undefined ? `dev ${link} scope link` : `via ${via} dev ${link} onlink`
  return `${family}route ${verb} ${prefix} ${hop} table ${table} proto 147`
}
