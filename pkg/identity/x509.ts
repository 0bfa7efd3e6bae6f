// The library looks for the metadata API when it is loaded.
import 'reflect-metadata'
import { webcrypto } from 'node:crypto'
import * as x509 from '@peculiar/x509'

x509.cryptoProvider.set(webcrypto)

/** Writes certificates. Reading and judging them is not its business: see verify-svid.ts. */
export { x509 }
