-- Who did what to what, when, by which door: each row bound to the one before by its hash. Rows are added, never changed;
-- retention removes a prefix and leaves its last number and hash in meta (audit_removed).

CREATE TABLE audit (
    seq    INTEGER PRIMARY KEY AUTOINCREMENT,
    time   TEXT NOT NULL,
    clock  TEXT NOT NULL,             -- how the time was known (INS-5)
    door   TEXT NOT NULL,             -- centre, local, api, panel, agent
    who    TEXT NOT NULL,             -- JSON: a list of /people/…, /schedulers/…, /applications/…, /users/… of the box
    proven INTEGER NOT NULL,          -- whether `who` showed credentials for this very act
    act    TEXT NOT NULL,
    what   TEXT NOT NULL,             -- the order, person or thing that it was done to
    facts  TEXT NOT NULL,             -- JSON object, never a secret
    hash   TEXT NOT NULL              -- SHA-256 of the hash before and of all columns above
);
