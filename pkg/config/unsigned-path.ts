import { UNSIGNED_PATHS } from '../identity/index.ts'
import { oneOf } from './parsers.ts'
import { required, withDefault } from './table.ts'

/** Of every program that verifies the paths of requests. */
export const unsignedPath = withDefault(
  required(
    'NSM_UNSIGNED_PATH',
    'whether applications before the caller may sign without certificates, so that only their next one can verify them, ' +
      'and without the connection that they sign for: upstream (as programs of upstream do) or never',
    oneOf(UNSIGNED_PATHS),
  ),
  'upstream',
)
