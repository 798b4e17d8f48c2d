-- Printing: what a driver must know after a restart, what a step prints, and which attempts people settled.

CREATE TABLE memories (               -- what a driver remembers of its device: the next process ID, what was probed
    device TEXT PRIMARY KEY,
    memory TEXT NOT NULL              -- JSON object
) WITHOUT ROWID;

ALTER TABLE steps ADD COLUMN role TEXT NOT NULL DEFAULT '';              -- what the scene asked for: a device of it may take over
ALTER TABLE steps ADD COLUMN repeatable INTEGER NOT NULL DEFAULT 0;      -- its act may be repeated, marked as a repeat
ALTER TABLE steps ADD COLUMN undo_repeatable INTEGER NOT NULL DEFAULT 0; -- the same, of the act that undoes it
ALTER TABLE steps ADD COLUMN undo_always INTEGER NOT NULL DEFAULT 0;     -- undone even when its item left the device
ALTER TABLE steps ADD COLUMN template TEXT;                              -- JSON: what it prints, as accepted with the order
ALTER TABLE steps ADD COLUMN document TEXT;                              -- the name of the order's document that it prints
ALTER TABLE attempts ADD COLUMN decided INTEGER NOT NULL DEFAULT 0;      -- settled by people's word, not by evidence

CREATE TABLE documents (              -- of an order (ORD-1): fetched before its print is armed, deleted once that is settled
    order_id   TEXT NOT NULL REFERENCES orders (id),
    name       TEXT NOT NULL,
    media_type TEXT NOT NULL,
    sha256     TEXT NOT NULL,
    address    TEXT NOT NULL,         -- https
    state      TEXT NOT NULL,         -- wanted, fetched, refused, deleted
    reason     TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (order_id, name)
) WITHOUT ROWID;
CREATE INDEX documents_open ON documents (order_id) WHERE state IN ('wanted', 'fetched');
