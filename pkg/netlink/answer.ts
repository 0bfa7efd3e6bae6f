/** The result of a request: NLMSG_ERROR, or the NLMSG_DONE of a dump. Error 0 means success. */
import { type ErrorCode, type ErrorFields, NsmError } from '../base/index.ts'
import { Attributes } from './attributes.ts'
import { align, HOST_IS_LITTLE_ENDIAN, readStruct } from './bytes.ts'
import { errnoCode, errnoName } from './errno.ts'
import { controlType, MESSAGE_HEADER_BYTES, type Message, messageFlag } from './message.ts'

/** struct nlmsgerr: the negative errno and the header of the request. */
const ERROR_BYTES = 4 + MESSAGE_HEADER_BYTES
const NLMSGERR_ATTR_MSG = 1

export interface Answer {
  /** A positive errno, or 0 for success. */
  readonly errno: number
  /** The message of the extended acknowledgement; empty if there is none. */
  readonly text: string
}

/** The result in the last message of an answer; undefined when `message` is another one. */
export function readAnswer(message: Message): Answer | undefined {
  if (message.type === controlType.error) return readError(message)
  if (message.type !== controlType.done) return undefined
  // Old kernels end a dump without an error code.
  if (message.body.length < 4) return { errno: 0, text: '' }
  const errno = 0 - readStruct(message.body, 4, 'the end of the dump').getInt32(0, HOST_IS_LITTLE_ENDIAN)
  return { errno, text: (message.flags & messageFlag.acknowledgeAttributes) === 0 ? '' : textAfter(message.body, 4) }
}

function readError({ body, flags }: Message): Answer {
  const view = readStruct(body, ERROR_BYTES, 'the error')
  const errno = 0 - view.getInt32(0, HOST_IS_LITTLE_ENDIAN)
  if ((flags & messageFlag.acknowledgeAttributes) === 0) return { errno, text: '' }
  // Unless the answer is capped, it repeats the whole request before the attributes.
  const requestBytes =
    (flags & messageFlag.capped) === 0 ? view.getUint32(4, HOST_IS_LITTLE_ENDIAN) : MESSAGE_HEADER_BYTES
  return { errno, text: textAfter(body, 4 + align(requestBytes)) }
}

function textAfter(body: Uint8Array, offset: number): string {
  return new Attributes(body.subarray(Math.min(offset, body.length))).text(NLMSGERR_ATTR_MSG) ?? ''
}

/** @param what the beginning of the message: `Cannot <verb> the <thing>` */
export function answerError(
  what: string,
  answer: Answer,
  options: { fields?: ErrorFields; code?: ErrorCode } = {},
): NsmError {
  const { code = errnoCode(answer.errno), fields = {} } = options
  return new NsmError(code, `${what}: the request was refused`, {
    fields: { ...fields, errno: errnoName(answer.errno), reason: answer.text === '' ? undefined : answer.text },
  })
}
