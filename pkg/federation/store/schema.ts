/**
 * Tables of the trust store. `federationTables` is how version 0.1 kept it, a table for each kind of record;
 * `federationRecords` turns that into one table of records.
 */
export const federationTables = `
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

/** The values are what record-codec.ts reads. The revisions go on where they were: nodes have seen them. */
export const federationRecords = `
  CREATE TABLE federation_revision (revision INTEGER NOT NULL) STRICT;
  INSERT INTO federation_revision SELECT revision + 1 FROM federation_trust;

  CREATE TABLE federation_record (
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    revision INTEGER NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (kind, name)
  ) STRICT, WITHOUT ROWID;

  INSERT INTO federation_record
  SELECT 'domain', name, (SELECT revision FROM federation_revision), json_object(
    'introduction', json_object(
      'addresses', json(addresses), 'authorities', json(authorities), 'revision', revision),
    'joinedMs', joined_ms,
    'exports', json((
      SELECT json_group_array(service) FROM federation_export WHERE federation_export.domain = federation_domain.name)))
  FROM federation_domain;

  INSERT INTO federation_record
  SELECT 'node', name, (SELECT revision FROM federation_revision), json_object(
    'joinedMs', joined_ms, 'renewedMs', renewed_ms, 'revokedMs', revoked_ms)
  FROM federation_node;

  INSERT INTO federation_record
  SELECT 'invitation', id, (SELECT revision FROM federation_revision), json_object(
    'hash', lower(hex(hash)), 'invites', kind, 'node', coalesce(node, ''), 'expiresMs', expires_ms, 'usedMs', used_ms)
  FROM federation_invitation;

  INSERT INTO federation_record
  SELECT 'self', 'self', (SELECT revision FROM federation_revision), json_object(
    'introduced', json((SELECT json_object('revision', revision, 'digest', digest) FROM federation_introduction)),
    'exports', json((SELECT json_group_array(service) FROM federation_export WHERE domain = '*')))
  WHERE EXISTS (SELECT * FROM federation_introduction);

  DROP TABLE federation_trust;
  DROP TABLE federation_introduction;
  DROP TABLE federation_domain;
  DROP TABLE federation_export;
  DROP TABLE federation_node;
  DROP TABLE federation_invitation;
`
