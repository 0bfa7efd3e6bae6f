/** Finds links by name, for requests that need the index of a link. */
import { errorCode, NsmError } from '../../base/index.ts'
import { answerError, getLink, isGone, type LinkMessage, readLink, rtnlType } from '../../netlink/index.ts'
import { fieldsOf, type Rtnl, type RtnlContext } from './rtnl.ts'

export async function findLink(rtnl: Rtnl, context: RtnlContext, name: string): Promise<LinkMessage | undefined> {
  const [outcome] = await rtnl.ask(context, [getLink({ name })])
  const errno = outcome?.answer.errno ?? 0
  if (isGone(errno)) return undefined
  if (outcome !== undefined && errno !== 0)
    throw answerError(context.what, outcome.answer, { fields: fieldsOf(context) })
  const message = outcome?.messages.find(({ type }) => type === rtnlType.newLink)
  return message === undefined ? undefined : readLink(message)
}

/** @throws {NsmError} `not_found` */
export async function requireLink(rtnl: Rtnl, context: RtnlContext, name: string): Promise<LinkMessage> {
  const link = await findLink(rtnl, context, name)
  if (link !== undefined) return link
  throw new NsmError('not_found', `${context.what}: the namespace has no link with this name`, {
    fields: { ...fieldsOf(context), link: name },
  })
}

/** For removals: a namespace that no longer exists has no links. */
export async function findLinkOrGone(rtnl: Rtnl, context: RtnlContext, name: string): Promise<LinkMessage | undefined> {
  try {
    return await findLink(rtnl, context, name)
  } catch (error) {
    if (errorCode(error) === 'not_found') return undefined
    throw error
  }
}
