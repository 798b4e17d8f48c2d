-- What must not be lost. Times are RFC 3339 text for people; nothing is ordered by them, only by n and seq.

CREATE TABLE meta (
    key   TEXT PRIMARY KEY,          -- journal, epoch, session, adopted
    value TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE inbox (                 -- every instruction ever answered: the memory behind "a repeat has no effect" (INS-3)
    n        INTEGER PRIMARY KEY AUTOINCREMENT,
    id       TEXT NOT NULL UNIQUE,   -- the instruction's id, its idempotency key
    digest   TEXT NOT NULL,          -- of type, branch, subject, data
    type     TEXT NOT NULL,
    subject  TEXT,
    source   TEXT NOT NULL,
    deadline TEXT,
    time     TEXT NOT NULL,
    reply    TEXT NOT NULL           -- JSON: the first reply, given again unchanged
);

CREATE TABLE orders (
    id          TEXT PRIMARY KEY,
    n           INTEGER NOT NULL UNIQUE,   -- order of acceptance
    scene       TEXT NOT NULL,
    recipe      TEXT NOT NULL,             -- JSON: the scene as it was when accepted
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
    goal        TEXT NOT NULL DEFAULT 'finish',   -- finish, cancel, fail, expire: what its lane works towards
    goal_reason TEXT NOT NULL DEFAULT '',
    held        INTEGER NOT NULL DEFAULT 0,
    step        TEXT,                             -- the step whose turn it is; NULL when ended
    device      TEXT                              -- that step's device
);
CREATE INDEX orders_by_device ON orders (device, state) WHERE step IS NOT NULL;
CREATE INDEX orders_open ON orders (n) WHERE step IS NOT NULL;

CREATE TABLE steps (
    order_id  TEXT NOT NULL REFERENCES orders (id),
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
    PRIMARY KEY (order_id, name)
) WITHOUT ROWID;

CREATE TABLE attempts (
    id       TEXT PRIMARY KEY,        -- {order}/{step}/{k}
    order_id TEXT NOT NULL,
    step     TEXT NOT NULL,
    device   TEXT NOT NULL,
    act      TEXT NOT NULL,
    state    TEXT NOT NULL,           -- as its step's, but kept
    arming   TEXT NOT NULL,           -- JSON: preconditions and counters read before the act (PHY-6)
    mark     INTEGER NOT NULL         -- the newest row of notes at arming
) WITHOUT ROWID;
CREATE INDEX attempts_open ON attempts (device) WHERE state IN ('armed', 'acting', 'waiting', 'in_doubt');

CREATE TABLE lanes (
    device   TEXT PRIMARY KEY,
    holder   TEXT,                    -- the order whose item is, or may be, in the device
    shut     INTEGER NOT NULL DEFAULT 0,   -- until a person settled `attempt` (PHY-7)
    reason   TEXT NOT NULL DEFAULT '',
    attempt  TEXT
) WITHOUT ROWID;

CREATE TABLE notes (                  -- evidence that a device tells only once (PHY-5)
    n      INTEGER PRIMARY KEY AUTOINCREMENT,
    device TEXT NOT NULL,
    kind   TEXT NOT NULL,
    facts  TEXT NOT NULL,
    time   TEXT NOT NULL
);

CREATE TABLE outbox (                 -- everything that happened; seq is gap-free (ENV-2)
    seq     INTEGER PRIMARY KEY AUTOINCREMENT,
    type    TEXT NOT NULL,
    subject TEXT,
    time    TEXT NOT NULL,
    data    TEXT NOT NULL,            -- JSON without journal and seq
    sent    INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX outbox_unsent ON outbox (seq) WHERE sent = 0;
CREATE INDEX outbox_by_subject ON outbox (subject, seq);

CREATE TABLE replies (
    n           INTEGER PRIMARY KEY AUTOINCREMENT,
    instruction TEXT NOT NULL,
    time        TEXT NOT NULL,
    data        TEXT NOT NULL,        -- JSON
    sent        INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX replies_unsent ON replies (n) WHERE sent = 0;

CREATE VIEW history AS                -- what happened to an order, in order
    SELECT seq, type, subject AS order_id, time, data FROM outbox
    WHERE type IN ('branchgate.order.changed.v1', 'branchgate.step.changed.v1', 'branchgate.order.corrected.v1');
