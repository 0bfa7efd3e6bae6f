/** Tables of the federation: whom this domain trusts, what it shows to whom, and the invitations that are out. */
export const federationSchema = `
  CREATE TABLE federation_trust (revision INTEGER NOT NULL) STRICT;
  INSERT INTO federation_trust VALUES (0);

  -- What was last told to other domains, to see whether it changed.
  CREATE TABLE federation_introduction (revision INTEGER NOT NULL, digest TEXT NOT NULL) STRICT;

  CREATE TABLE federation_domain (
    name TEXT PRIMARY KEY,
    addresses TEXT NOT NULL,
    authorities TEXT NOT NULL,
    revision INTEGER NOT NULL,
    joined_ms INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE federation_export (
    service TEXT NOT NULL,
    domain TEXT NOT NULL,
    PRIMARY KEY (service, domain)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE federation_node (
    name TEXT PRIMARY KEY,
    joined_ms INTEGER NOT NULL,
    renewed_ms INTEGER NOT NULL,
    revoked_ms INTEGER
  ) STRICT, WITHOUT ROWID;

  -- Only a hash of the secret is kept: who reads this file cannot join with what is in it.
  CREATE TABLE federation_invitation (
    id TEXT PRIMARY KEY,
    hash BLOB NOT NULL,
    kind TEXT NOT NULL,
    node TEXT,
    expires_ms INTEGER NOT NULL,
    used_ms INTEGER
  ) STRICT, WITHOUT ROWID;
`
