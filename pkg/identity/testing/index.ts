/** For the tests of other folders: certificates as nobody should issue them. */
export { edit } from './edit-certificate.ts'
export { forgeAuthority } from './forge-fixture.ts'
export { oddCertificates } from './odd-certificates.ts'
