/** For tests: the kernel's record of a process. */
export { attestationOf } from './attestation.ts'
