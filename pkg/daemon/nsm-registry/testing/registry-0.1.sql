-- The state file of nsm-registry 0.1 of the domain east, as that version wrote it: two joined domains, exports to one and to
-- all, three invited nodes of which one is a member, one revoked and one yet to come, and a registered endpoint.
PRAGMA application_id = 576415196;
PRAGMA user_version = 1;
PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE registry_history (revision INTEGER NOT NULL, floor INTEGER NOT NULL) STRICT;
INSERT INTO registry_history VALUES(4,0);
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
INSERT INTO registry_record VALUES('endpoint','nse-1','spiffe://east/node/n1/uid/1000',2,0,1893457861000,'{"name":"nse-1","networkServiceNames":["files"],"networkServiceLabels":[],"url":"tcp://192.0.2.1:5001","expiresMs":1893457861000,"pathIds":["spiffe://east/node/n1/uid/1000","spiffe://east/node/n1"]}');
INSERT INTO registry_record VALUES('endpoint','nse-gone','spiffe://west/node/n1',4,1,NULL,'{"name":"nse-gone","networkServiceNames":["files"],"networkServiceLabels":[],"url":"tcp://192.0.2.1:5001","pathIds":["spiffe://west/node/n1"]}');
INSERT INTO registry_record VALUES('service','files','spiffe://east/node/n1',1,0,NULL,'{"name":"files","payload":"IP","matches":[],"pathIds":["spiffe://east/node/n1"]}');
CREATE TABLE registry_served (
    service TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    PRIMARY KEY (service, endpoint)
  ) STRICT, WITHOUT ROWID;
INSERT INTO registry_served VALUES('files','nse-1');
CREATE TABLE federation_trust (revision INTEGER NOT NULL) STRICT;
INSERT INTO federation_trust VALUES(8);
CREATE TABLE federation_introduction (revision INTEGER NOT NULL, digest TEXT NOT NULL) STRICT;
INSERT INTO federation_introduction VALUES(1893456000000,'GqU1ct3SCvfRoywmTtXhHxBpDsvAw_fSckQTRx2oDEY');
CREATE TABLE federation_domain (
    name TEXT PRIMARY KEY,
    addresses TEXT NOT NULL,
    authorities TEXT NOT NULL,
    revision INTEGER NOT NULL,
    joined_ms INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
INSERT INTO federation_domain VALUES('north','["north.test:5002","192.0.2.7:5002"]','["MIIBoDCCAUagAwIBAgIQRJJpePcaOHeFGqjb486UDDAKBggqhkjOPQQDAjAhMQ4wDAYDVQQDEwVub3J0aDEPMA0GA1UEChMGbnNtZXNoMB4XDTI5MTIzMTIzNTkwMFoXDTM5MTIzMDAwMDAwMFowITEOMAwGA1UEAxMFbm9ydGgxDzANBgNVBAoTBm5zbWVzaDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABNMB7CkaHWFGniDxsQU1j8ITky/xAsKg5Qy9Gis8pI1PLbwyHFY7nWgZccvnBCqCaA97AxxMpzlP4oNPmXMkGOCjYDBeMBIGA1UdEwEB/wQIMAYBAf8CAQAwDgYDVR0PAQH/BAQDAgEGMBkGA1UdEQQSMBCGDnNwaWZmZTovL25vcnRoMB0GA1UdDgQWBBTvIDXPOZO4XHD3vNRskHntQISK5zAKBggqhkjOPQQDAgNIADBFAiEAqM1ps8yAx1yjYKAwo3F6cDeRAcuqu9XC66JJKl7GrKoCIHnUi9BoTR9w10Gt9bAqTbjJ15C7DOuEftfbqmAcRs5q"]',1893456000007,1893456001000);
INSERT INTO federation_domain VALUES('west','["west.test:5002","192.0.2.7:5002"]','["MIIBnTCCAUOgAwIBAgIQVOYtWcxdUv7M5q33A95ByDAKBggqhkjOPQQDAjAgMQ0wCwYDVQQDEwR3ZXN0MQ8wDQYDVQQKEwZuc21lc2gwHhcNMjkxMjMxMjM1OTAwWhcNMzkxMjMwMDAwMDAwWjAgMQ0wCwYDVQQDEwR3ZXN0MQ8wDQYDVQQKEwZuc21lc2gwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAASOrtrInhyEVmU9tfpSTNNB53GgML1mpKI/S8VNF/eRVdteXK4J6NNnkKkPTaA1WnUDcsG+MwSztvqR04/ljGx8o18wXTASBgNVHRMBAf8ECDAGAQH/AgEAMA4GA1UdDwEB/wQEAwIBBjAYBgNVHREEETAPhg1zcGlmZmU6Ly93ZXN0MB0GA1UdDgQWBBQZ50UBbq+7T79Q2Lq3HA4zWxfkPzAKBggqhkjOPQQDAgNIADBFAiEAhPAhz9IX6lEpLtnheTKl+DJUSeNINfhSEe4/Wce24ysCIA5OH3atVasASePppmKZP0+vtOK+FnV0iwC2RhLOQMFs"]',1893456000000,1893456000000);
CREATE TABLE federation_export (
    service TEXT NOT NULL,
    domain TEXT NOT NULL,
    PRIMARY KEY (service, domain)
  ) STRICT, WITHOUT ROWID;
INSERT INTO federation_export VALUES('db','west');
INSERT INTO federation_export VALUES('dns','*');
INSERT INTO federation_export VALUES('files','west');
CREATE TABLE federation_node (
    name TEXT PRIMARY KEY,
    joined_ms INTEGER NOT NULL,
    renewed_ms INTEGER NOT NULL,
    revoked_ms INTEGER
  ) STRICT, WITHOUT ROWID;
INSERT INTO federation_node VALUES('n1',1893456001000,1893457801000,NULL);
INSERT INTO federation_node VALUES('n2',1893456001000,1893456001000,1893457801000);
CREATE TABLE federation_invitation (
    id TEXT PRIMARY KEY,
    hash BLOB NOT NULL,
    kind TEXT NOT NULL,
    node TEXT,
    expires_ms INTEGER NOT NULL,
    used_ms INTEGER
  ) STRICT, WITHOUT ROWID;
INSERT INTO federation_invitation VALUES('07d1338886c81cd66e493f23ba63182e',X'07d1338886c81cd66e493f23ba63182e82e5143fbc32203d704baa8761f94c75','domain',NULL,1894060801000,NULL);
INSERT INTO federation_invitation VALUES('0ddd66da5d3de587799ad936275b4e97',X'0ddd66da5d3de587799ad936275b4e9793667b2c13fcc9b92a08a74629c6cd63','node','n3',1894060801000,NULL);
INSERT INTO federation_invitation VALUES('369e12dbcc351e863f6a74a918c1cd1b',X'369e12dbcc351e863f6a74a918c1cd1bc427ba01654a9f61e6629b8c1e205255','node','n2',1894060801000,1893456001000);
INSERT INTO federation_invitation VALUES('9f4b8a5eaa3927b22923a5fbde5f7ea0',X'9f4b8a5eaa3927b22923a5fbde5f7ea0ad59fd1edf5e7d59689c5454d0fa0ac2','node','n1',1894060801000,1893456001000);
CREATE INDEX registry_record_by_owner ON registry_record (kind, owner) WHERE is_deleted = 0;
CREATE INDEX registry_record_by_expiry ON registry_record (expires_ms) WHERE is_deleted = 0;
CREATE INDEX registry_record_by_change ON registry_record (kind, revision);
CREATE INDEX registry_record_tombstones ON registry_record (revision) WHERE is_deleted = 1;
CREATE INDEX registry_served_by_endpoint ON registry_served (endpoint);
COMMIT;
