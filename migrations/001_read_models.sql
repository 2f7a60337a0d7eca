-- The frame of the read models. What a read model holds lives in a schema of its own for each generation
-- (generation.sql, and the tables its projector names); `tapeproof` holds which one is live, and the stable views.
CREATE SCHEMA IF NOT EXISTS tapeproof;

CREATE TABLE tapeproof.projector_generations (
  projector text COLLATE "C" PRIMARY KEY,
  schema_prefix text COLLATE "C" NOT NULL UNIQUE,
  -- What the stable views show.
  live integer NOT NULL,
  -- What a rebuild is making; null when none is under way.
  building integer,
  -- Every number is given once.
  latest integer NOT NULL,
  CHECK (live <= latest AND building <= latest AND building <> live)
);
