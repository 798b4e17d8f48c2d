-- Stock: what lies in each cell of a cabinet, for whom it is kept, and which cell people must look at first.

CREATE TABLE cells (
    device   TEXT NOT NULL,
    cell     TEXT NOT NULL,
    state    TEXT NOT NULL,           -- empty, declared, sealed, reserved, opened, shut, manipulated, inoperative
    article  TEXT,                    -- NULL: nothing is said to lie in it
    serial   TEXT,
    order_id TEXT,                    -- for whom it is kept, or was opened
    reason   TEXT NOT NULL DEFAULT '',
    attempt  TEXT,                    -- shut: the attempt that people are asked about (PHY-7)
    PRIMARY KEY (device, cell)
) WITHOUT ROWID;
CREATE INDEX cells_of_order ON cells (order_id) WHERE order_id IS NOT NULL;

ALTER TABLE steps ADD COLUMN article TEXT;                             -- what the step's cell must hold
ALTER TABLE steps ADD COLUMN two_people INTEGER NOT NULL DEFAULT 0;    -- armed only once two people released it
ALTER TABLE steps ADD COLUMN undo_watch INTEGER NOT NULL DEFAULT 0;    -- what undoes it moves nothing: it watches
