/**
 * Tables of the registry. A removed record stays as a tombstone for a while, so that watches can resume. `floor` is the
 * newest revision whose tombstone was dropped, and so the oldest from which a watch can start.
 */
export const registrySchema = `
  CREATE TABLE registry_history (revision INTEGER NOT NULL, floor INTEGER NOT NULL) STRICT;
  INSERT INTO registry_history VALUES (0, 0);

  CREATE TABLE registry_record (
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    owner TEXT NOT NULL,
    revision INTEGER NOT NULL UNIQUE,
    is_deleted INTEGER NOT NULL,
    expires_ms INTEGER,
    value TEXT NOT NULL,
    PRIMARY KEY (kind, name)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX registry_record_by_owner ON registry_record (kind, owner) WHERE is_deleted = 0;
  CREATE INDEX registry_record_by_expiry ON registry_record (expires_ms) WHERE is_deleted = 0;
  CREATE INDEX registry_record_by_change ON registry_record (kind, revision);
  CREATE INDEX registry_record_tombstones ON registry_record (revision) WHERE is_deleted = 1;

  CREATE TABLE registry_served (
    service TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    PRIMARY KEY (service, endpoint)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX registry_served_by_endpoint ON registry_served (endpoint);
`

/** Added in version 0.3: how much the tombstones take. */
export const registrySizes = `
  CREATE INDEX registry_tombstone_size ON registry_record (revision, octet_length(value)) WHERE is_deleted = 1;
`
