// @peculiar/x509 requires this metadata API when it is loaded.
import 'reflect-metadata'
import { webcrypto } from 'node:crypto'
import * as x509 from '@peculiar/x509'

x509.cryptoProvider.set(webcrypto)

/** Used only to write certificates. They are read and verified by certificate.ts and verify-svid.ts. */
export { x509 }
