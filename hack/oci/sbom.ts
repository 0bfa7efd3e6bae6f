/** What is in the image, as an SPDX 2.3 document: the same for the same content. */
import { createHash } from 'node:crypto'
import { VERSION } from '../../pkg/base/index.ts'

export interface Package {
  /** As a package URL names them. */
  readonly kind: 'npm' | 'deb' | 'generic'
  readonly name: string
  readonly version: string
  /** As SPDX writes it, where it is known. */
  readonly license?: string
}

/** A document must have a time; ours says no more than that it has none. */
const CREATED = '1970-01-01T00:00:00Z'
const OWN = 'SPDXRef-nsmesh'

export function renderSbom(packages: readonly Package[]): string {
  const sorted = [...packages].sort((a, b) => (purl(a) < purl(b) ? -1 : 1))
  const digest = createHash('sha256').update(JSON.stringify(sorted)).digest('hex')
  const described = sorted.map((each) => ({
    ...spdxPackage(each, idOf(each)),
    externalRefs: [{ referenceCategory: 'PACKAGE-MANAGER', referenceType: 'purl', referenceLocator: purl(each) }],
  }))
  const document = {
    spdxVersion: 'SPDX-2.3',
    dataLicense: 'CC0-1.0',
    SPDXID: 'SPDXRef-DOCUMENT',
    name: `nsmesh-${VERSION}`,
    documentNamespace: `https://spdx.org/spdxdocs/nsmesh-${VERSION}-${digest}`,
    creationInfo: { created: CREATED, creators: ['Tool: hack/image'] },
    packages: [spdxPackage({ name: 'nsmesh', version: VERSION, license: 'Apache-2.0' }, OWN), ...described],
    relationships: [
      { spdxElementId: 'SPDXRef-DOCUMENT', relationshipType: 'DESCRIBES', relatedSpdxElement: OWN },
      ...sorted.map((each) => ({
        spdxElementId: OWN,
        relationshipType: 'CONTAINS',
        relatedSpdxElement: idOf(each),
      })),
    ],
  }
  return `${JSON.stringify(document, null, 2)}\n`
}

function spdxPackage({ name, version, license = 'NOASSERTION' }: Omit<Package, 'kind'>, id: string) {
  return {
    SPDXID: id,
    name,
    versionInfo: version,
    downloadLocation: 'NOASSERTION',
    filesAnalyzed: false,
    licenseConcluded: 'NOASSERTION',
    licenseDeclared: license,
    copyrightText: 'NOASSERTION',
  }
}

/** SPDX allows letters, digits, dots and dashes. */
function idOf({ kind, name, version }: Package): string {
  return `SPDXRef-${kind}-${`${name}-${version}`.replace(/[^A-Za-z0-9.-]+/g, '-')}`
}

function purl({ kind, name, version }: Package): string {
  const path = name.split('/').map(encodeURIComponent).join('/')
  return `pkg:${kind}${kind === 'deb' ? '/debian' : ''}/${path}@${encodeURIComponent(version)}`
}
