-- What devices observe: sums by the hour that are still to be told (DEV-3), and what was told last of each input.

CREATE TABLE tallies (                -- one row for what a device counts in an hour; gone when its event is told
  device   TEXT NOT NULL,
  hour     TEXT NOT NULL,             -- its beginning, as the branch's clock said it
  name     TEXT NOT NULL,
  unit     TEXT NOT NULL,
  sum      NUMERIC NOT NULL,
  readings INTEGER NOT NULL,          -- how many made up the sum
  flags    TEXT NOT NULL,             -- JSON: flag -> how many readings bore it
  PRIMARY KEY (device, hour, name)
);

CREATE TABLE inputs (                 -- the word that was told last of each input of a device
  device TEXT NOT NULL,
  name   TEXT NOT NULL,
  word   TEXT NOT NULL,
  PRIMARY KEY (device, name)
);
