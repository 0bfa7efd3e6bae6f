/** Every service and message that goes over gRPC, with the comments of the .proto files. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { code, heading, table } from './markdown.ts'

interface Named {
  readonly name: string
}

interface Field extends Named {
  readonly number: number
  readonly label?: string
  readonly type: string
  readonly typeName?: string
}

interface Message extends Named {
  readonly field?: readonly Field[]
  readonly nestedType?: readonly (Message & { readonly options?: { readonly mapEntry?: boolean } })[]
  readonly enumType?: readonly Enumeration[]
}

interface Enumeration extends Named {
  readonly value: readonly (Named & { readonly number?: number })[]
}

interface Method extends Named {
  readonly inputType: string
  readonly outputType: string
  readonly clientStreaming?: boolean
  readonly serverStreaming?: boolean
}

interface ProtoFile extends Named {
  readonly package: string
  readonly service?: readonly (Named & { readonly method?: readonly Method[] })[]
  readonly messageType?: readonly Message[]
  readonly enumType?: readonly Enumeration[]
  readonly sourceCodeInfo?: { readonly location: readonly Location[] }
}

interface Location {
  readonly path?: readonly number[]
  readonly leadingComments?: string
  readonly trailingComments?: string
}

/** Numbers of the fields of a FileDescriptorProto and what is below it, as paths of source locations use them. */
const PATH = {
  message: 4,
  enumeration: 5,
  service: 6,
  field: 2,
  nested: 3,
  nestedEnum: 4,
  value: 2,
  method: 2,
} as const

export function rpcReference(root: string): string {
  const files = describe(root).filter(({ name }) => !name.startsWith('google/'))
  return heading(1, 'Services and messages') + files.map(fileReference).join('')
}

function describe(root: string): readonly ProtoFile[] {
  const folder = mkdtempSync(join(tmpdir(), 'nsmesh-proto-'))
  try {
    const image = join(folder, 'image.json')
    execFileSync(`${root}/node_modules/.bin/buf`, ['build', '-o', image], { cwd: `${root}/proto` })
    const { file }: { file: readonly ProtoFile[] } = JSON.parse(readFileSync(image, 'utf8'))
    return [...file].sort((a, b) => (a.name < b.name ? -1 : 1))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function fileReference(file: ProtoFile): string {
  const comment = commentsOf(file)
  const services = (file.service ?? []).map((service, index) => {
    const path = [PATH.service, index]
    const rows = (service.method ?? []).map((method, at) => [
      code(method.name),
      `${stream(method.clientStreaming)}${shortType(method.inputType, file)}`,
      `${stream(method.serverStreaming)}${shortType(method.outputType, file)}`,
      comment([...path, PATH.method, at]),
    ])
    return `${heading(3, service.name)}${paragraph(comment(path))}${table(['method', 'takes', 'gives', ''], rows)}`
  })
  const messages = (file.messageType ?? []).map((message, index) => {
    return messageReference(message, { file, comment, path: [PATH.message, index] })
  })
  const enumerations = (file.enumType ?? []).map((enumeration, index) => {
    return enumerationReference(enumeration, comment, [PATH.enumeration, index])
  })
  return heading(2, file.package) + [...services, ...messages, ...enumerations].join('')
}

type CommentOf = (path: readonly number[]) => string

interface Where {
  readonly file: ProtoFile
  readonly comment: CommentOf
  readonly path: readonly number[]
}

function messageReference(message: Message, { file, comment, path }: Where): string {
  const maps = new Map((message.nestedType ?? []).map((nested) => [nested.name, nested]))
  const rows = (message.field ?? []).map((field, at) => [
    code(field.name),
    `${field.number}`,
    fieldType(field, { file, maps }),
    comment([...path, PATH.field, at]),
  ])
  const fields = rows.length === 0 ? 'No fields.\n\n' : table(['field', 'number', 'type', ''], rows)
  const nested = (message.nestedType ?? []).map((each, at) =>
    each.options?.mapEntry === true
      ? ''
      : messageReference(
          { ...each, name: `${message.name}.${each.name}` },
          { file, comment, path: [...path, PATH.nested, at] },
        ),
  )
  const enums = (message.enumType ?? []).map((each, at) =>
    enumerationReference({ ...each, name: `${message.name}.${each.name}` }, comment, [...path, PATH.nestedEnum, at]),
  )
  return heading(3, message.name) + paragraph(comment(path)) + fields + nested.join('') + enums.join('')
}

function enumerationReference({ name, value }: Enumeration, comment: CommentOf, path: readonly number[]): string {
  const rows = value.map((each, at) => [code(each.name), `${each.number ?? 0}`, comment([...path, PATH.value, at])])
  return heading(3, name) + paragraph(comment(path)) + table(['value', 'number', ''], rows)
}

interface FieldWhere {
  readonly file: ProtoFile
  readonly maps: ReadonlyMap<string, Message & { readonly options?: { readonly mapEntry?: boolean } }>
}

function fieldType(field: Field, { file, maps }: FieldWhere): string {
  const entry = maps.get(field.typeName?.split('.').at(-1) ?? '')
  if (entry?.options?.mapEntry === true) {
    const [key, value] = entry.field ?? []
    if (key !== undefined && value !== undefined) return `map of ${typeOf(key, file)} to ${typeOf(value, file)}`
  }
  return `${field.label === 'LABEL_REPEATED' ? 'repeated ' : ''}${typeOf(field, file)}`
}

function typeOf({ type, typeName }: Field, file: ProtoFile): string {
  return typeName === undefined ? type.replace('TYPE_', '').toLowerCase() : shortType(typeName, file)
}

/** Without the package where it is the file's own. */
function shortType(typeName: string, file: ProtoFile): string {
  const own = `.${file.package}.`
  return typeName.startsWith(own) ? typeName.slice(own.length) : typeName.slice(1)
}

function stream(isStream: boolean | undefined): string {
  return isStream === true ? 'stream of ' : ''
}

function commentsOf({ sourceCodeInfo }: ProtoFile): CommentOf {
  const comments = new Map(
    (sourceCodeInfo?.location ?? []).map(({ path = [], leadingComments, trailingComments }) => {
      return [path.join(), (leadingComments ?? trailingComments ?? '').trim().replace(/\s*\n\s*/g, ' ')] as const
    }),
  )
  return (path) => comments.get(path.join()) ?? ''
}

function paragraph(text: string): string {
  return text === '' ? '' : `${text}\n\n`
}
