import { formatPrefix, ipFamily, parsePrefix } from '../../net/index.ts'
import {
  AF_INET,
  AF_INET6,
  addRule,
  answerError,
  deleteRule,
  dumpRules,
  errno,
  type RuleMessage,
  readRule,
} from '../../netlink/index.ts'
import type { RuleSpec, Rules } from '../doors.ts'
import { formatPorts, formatProtocol, normalizeRule, parsePorts, parseProtocol } from '../normalize.ts'
import { fieldsOf, type Rtnl, type RtnlContext } from './rtnl.ts'

export function linuxRules(rtnl: Rtnl): Rules {
  return {
    async list(namespace, signal) {
      const context = { namespace, what: 'Cannot list rules', signal }
      const messages = [
        ...(await rtnl.dump(context, dumpRules(AF_INET))),
        ...(await rtnl.dump(context, dumpRules(AF_INET6))),
      ]
      return messages.map(readRule).flatMap((rule) => (rule === undefined ? [] : [toRuleSpec(namespace, rule)]))
    },

    async add(spec, signal) {
      const context = contextOf(spec, 'Cannot add the rule', signal)
      const [outcome] = await rtnl.ask(context, [addRule(toMessage(spec))])
      if (outcome === undefined || outcome.answer.errno === 0 || outcome.answer.errno === errno.EEXIST) return
      throw answerError(context.what, outcome.answer, { fields: fieldsOf(context) })
    },

    async remove(spec, signal) {
      await rtnl.remove(contextOf(spec, 'Cannot remove the rule', signal), deleteRule(toMessage(spec)))
    },
  }
}

function toMessage(wanted: RuleSpec): RuleMessage {
  const { from, proto, dstPort, srcPort, table } = normalizeRule(wanted)
  const { address, length } = parsePrefix(from)
  return {
    source: address,
    prefixLength: length,
    ipProtocol: parseProtocol(proto),
    sourcePorts: parsePorts(srcPort),
    destinationPorts: parsePorts(dstPort),
    table,
  }
}

export function toRuleSpec(namespace: string, rule: RuleMessage): RuleSpec {
  const { source, prefixLength, ipProtocol, sourcePorts, destinationPorts, table } = rule
  return {
    namespace,
    from: formatPrefix({ family: ipFamily(source), address: source, length: prefixLength }),
    proto: formatProtocol(ipProtocol),
    dstPort: formatPorts(destinationPorts),
    srcPort: formatPorts(sourcePorts),
    table,
  }
}

function contextOf({ namespace, from, table }: RuleSpec, what: string, signal: AbortSignal): RtnlContext {
  return { namespace, what, fields: { from, table }, signal }
}
