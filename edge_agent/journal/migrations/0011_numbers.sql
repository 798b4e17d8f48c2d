-- What belongs to an order stands under its number, not under the id that the centre gave it: orders of one moment lie side
-- by side then, and a commit writes a few pages where it wrote one for each row and one for each entry of an index.

CREATE TABLE orders_now (
    n           INTEGER PRIMARY KEY,       -- order of acceptance
    id          TEXT NOT NULL UNIQUE,
    scene       TEXT NOT NULL,
    recipe_form INTEGER REFERENCES forms (n),     -- the scene as it was when accepted
    parameters  TEXT NOT NULL,             -- JSON
    customer    TEXT NOT NULL,
    source      TEXT NOT NULL,
    instruction TEXT NOT NULL,
    priority    INTEGER NOT NULL,
    not_before  TEXT,
    deadline    TEXT,
    state       TEXT NOT NULL,
    waiting_for TEXT,
    reason      TEXT NOT NULL DEFAULT '',
    goal        TEXT NOT NULL DEFAULT 'finish',   -- finish, partly, cancel, fail, expire: what its lane works towards
    goal_reason TEXT NOT NULL DEFAULT '',
    held        INTEGER NOT NULL DEFAULT 0,
    step        TEXT,                             -- the step whose turn it is; NULL when ended
    device      TEXT,                             -- that step's device
    boot        TEXT,                             -- its times stand on this boot's seconds; NULL: on the wall clock
    begins_s    REAL,                             -- not_before, in seconds of that boot
    ends_s      REAL,                             -- deadline, the same
    vouched     INTEGER NOT NULL DEFAULT 1        -- 0: nobody vouched for the wall clock by which they were given
);
INSERT INTO orders_now
    SELECT n, id, scene, recipe_form, parameters, customer, source, instruction, priority, not_before, deadline, state,
    waiting_for, reason, goal, goal_reason, held, step, device, boot, begins_s, ends_s, vouched FROM orders ORDER BY n;
DROP TABLE orders;
ALTER TABLE orders_now RENAME TO orders;
CREATE INDEX orders_by_device ON orders (device) WHERE step IS NOT NULL;
CREATE INDEX orders_open ON orders (n) WHERE step IS NOT NULL;

CREATE TABLE steps_now (
    order_n   INTEGER NOT NULL REFERENCES orders (n),
    order_id  TEXT NOT NULL,
    name      TEXT NOT NULL,
    position  INTEGER NOT NULL,
    act       TEXT NOT NULL,
    device    TEXT NOT NULL,
    undo      TEXT,                    -- the act that undoes it
    undoes    TEXT,                    -- a compensation names the step that it undoes
    no_return INTEGER NOT NULL DEFAULT 0,
    limit_s   REAL,                    -- a watch step's patience, seconds
    watch     INTEGER NOT NULL DEFAULT 0,   -- moves nothing
    waits_for TEXT,                    -- whom a watch step waits for
    armings   INTEGER NOT NULL DEFAULT 0,   -- attempts begun
    allowed   INTEGER NOT NULL DEFAULT 2,   -- attempts allowed: once more after an evidenced no_effect (ORD-3)
    state     TEXT NOT NULL,
    reason    TEXT NOT NULL DEFAULT '',
    item      TEXT NOT NULL DEFAULT 'unknown',
    facts     TEXT NOT NULL DEFAULT '{}',
    role      TEXT NOT NULL DEFAULT '',              -- what the scene asked for: a device of it may take over
    repeatable INTEGER NOT NULL DEFAULT 0,           -- its act may be repeated, marked as a repeat
    undo_repeatable INTEGER NOT NULL DEFAULT 0,      -- the same, of the act that undoes it
    undo_always INTEGER NOT NULL DEFAULT 0,          -- undone even when its item left the device
    document  TEXT,                                  -- the name of the order's document that it prints
    template_form INTEGER REFERENCES forms (n),      -- what it prints, as accepted with the order
    article   TEXT,                                  -- what the step's cell must hold
    two_people INTEGER NOT NULL DEFAULT 0,           -- armed only once two people released it
    undo_watch INTEGER NOT NULL DEFAULT 0,           -- what undoes it moves nothing: it watches
    awaits_code INTEGER NOT NULL DEFAULT 0,          -- not begun before its customer's code was scanned
    PRIMARY KEY (order_n, name)
) WITHOUT ROWID;
INSERT INTO steps_now
    SELECT o.n, s.order_id, s.name, s.position, s.act, s.device, s.undo, s.undoes, s.no_return, s.limit_s, s.watch,
    s.waits_for, s.armings, s.allowed, s.state, s.reason, s.item, s.facts, s.role, s.repeatable, s.undo_repeatable,
    s.undo_always, s.document, s.template_form, s.article, s.two_people, s.undo_watch, s.awaits_code
    FROM orders o JOIN steps s ON s.order_id = o.id ORDER BY o.n, s.name;
DROP TABLE steps;
ALTER TABLE steps_now RENAME TO steps;

CREATE TABLE attempts_now (
    order_n  INTEGER NOT NULL REFERENCES orders (n),
    id       TEXT NOT NULL,           -- {order}/{step}/{k}
    order_id TEXT NOT NULL,
    step     TEXT NOT NULL,
    device   TEXT NOT NULL,
    act      TEXT NOT NULL,
    state    TEXT NOT NULL,           -- as its step's, but kept
    arming   TEXT NOT NULL,           -- JSON: preconditions and counters read before the act (PHY-6)
    mark     INTEGER NOT NULL,        -- the newest row of notes at arming
    decided  INTEGER NOT NULL DEFAULT 0,      -- settled by people's word, not by evidence
    PRIMARY KEY (order_n, id)
) WITHOUT ROWID;
INSERT INTO attempts_now
    SELECT o.n, a.id, a.order_id, a.step, a.device, a.act, a.state, a.arming, a.mark, a.decided
    FROM orders o JOIN attempts a ON a.order_id = o.id ORDER BY o.n, a.id;
DROP TABLE attempts;
ALTER TABLE attempts_now RENAME TO attempts;
CREATE INDEX attempts_open ON attempts (device) WHERE state IN ('armed', 'acting', 'waiting', 'in_doubt');

ALTER TABLE outbox ADD COLUMN order_n INTEGER;   -- the order that it tells of; NULL: it tells of something else
UPDATE outbox SET order_n = (SELECT n FROM orders WHERE id = subject)
    WHERE type NOT LIKE 'branchgate.device.%' AND type NOT LIKE 'branchgate.stock.%';
DROP INDEX outbox_by_subject;
CREATE INDEX outbox_of_orders ON outbox (order_n, seq) WHERE order_n IS NOT NULL;
CREATE INDEX outbox_of_others ON outbox (subject, seq) WHERE order_n IS NULL;
DROP VIEW history;
CREATE VIEW history AS                -- what happened to an order, in order
    SELECT seq, type, order_n, subject AS order_id, time, data FROM outbox
    WHERE type IN ('branchgate.order.changed.v1', 'branchgate.step.changed.v1', 'branchgate.order.corrected.v1');
