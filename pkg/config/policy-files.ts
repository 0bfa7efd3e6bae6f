import { absolutePath, list } from './parsers.ts'
import { required, withDefault } from './table.ts'

/** The same variable for every program that asks a policy. */
export const policyFiles = withDefault(
  required(
    'NSM_POLICY',
    'policy files, absolute paths separated by commas, read again when they change; unset: no rules',
    list(absolutePath),
  ),
  '',
)
