/** The ConfigMap in which nsm-registry tells the nodes of its cluster the certificate of the domain's authority. */
export const PUBLISHED_AUTHORITY = { name: 'nsm-authority', key: 'authority.pem' }
