-- Codes that customers scan: what an order waits for, and scans that the centre was asked about.

ALTER TABLE steps ADD COLUMN awaits_code INTEGER NOT NULL DEFAULT 0;  -- not begun before its customer's code was scanned

CREATE TABLE codes (                  -- of an order that named its customer's code
    order_id TEXT PRIMARY KEY REFERENCES orders (id),
    sha256   TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX codes_by_sha256 ON codes (sha256);

CREATE TABLE scans (                  -- the newest scans that no order here explains; gone once the centre has answered
    n      INTEGER PRIMARY KEY AUTOINCREMENT,
    device TEXT NOT NULL,
    serves TEXT NOT NULL              -- JSON: devices that it may start; empty: any
);
