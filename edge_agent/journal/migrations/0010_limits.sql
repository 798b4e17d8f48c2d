-- Times of orders made on site, on the clock that nobody can set: seconds since the boot in which they were accepted (INS-5).

ALTER TABLE orders ADD COLUMN boot TEXT;                         -- that boot; NULL: its times count by the wall clock
ALTER TABLE orders ADD COLUMN begins_s REAL;                     -- not_before, in seconds of that boot
ALTER TABLE orders ADD COLUMN ends_s REAL;                       -- deadline, the same
ALTER TABLE orders ADD COLUMN vouched INTEGER NOT NULL DEFAULT 1; -- 0: nobody vouched for the wall clock by which they were given
