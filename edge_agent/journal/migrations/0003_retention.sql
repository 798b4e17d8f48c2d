-- Retention: what has been answered is found by its deadline, so that removing it never reads the whole inbox (INS-11).

CREATE INDEX inbox_by_deadline ON inbox (deadline);
