-- People: failed sign-ins, and what one of two people has decided while the other is awaited (ORD-6).

CREATE TABLE failures (               -- counted before the password is looked at, forgotten when it fits
    name  TEXT PRIMARY KEY,
    count INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE approvals (
    attempt  TEXT NOT NULL,
    person   TEXT NOT NULL,
    choice   TEXT NOT NULL,
    device   TEXT,
    boot     TEXT NOT NULL,           -- which boot of the box `steady_s` counts in: no wall clock decides how long it holds
    steady_s REAL NOT NULL,
    PRIMARY KEY (attempt, person)
) WITHOUT ROWID;
