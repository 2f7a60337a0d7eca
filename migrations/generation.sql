-- Created for each generation of each Postgres projector; {schema} is replaced by its schema, for example history_3.
-- Positions change in the transaction that writes the rows, and are in the same schema: they share one fate.
CREATE SCHEMA IF NOT EXISTS {schema};

CREATE TABLE IF NOT EXISTS {schema}.projector_positions (
  topic text COLLATE "C" NOT NULL,
  partition integer NOT NULL,
  tape_id text COLLATE "C" NOT NULL,
  next_offset bigint NOT NULL,
  next_sequence bigint NOT NULL,
  read bigint NOT NULL DEFAULT 0,
  applied bigint NOT NULL DEFAULT 0,
  duplicate bigint NOT NULL DEFAULT 0,
  conflict bigint NOT NULL DEFAULT 0,
  dead bigint NOT NULL DEFAULT 0,
  ignored bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (topic, partition),
  CHECK (read = applied + duplicate + conflict + dead + ignored)
);

-- A record that claims an identity or a place in the sequence that has other bytes.
CREATE TABLE IF NOT EXISTS {schema}.conflicts (
  topic text COLLATE "C" NOT NULL,
  partition integer NOT NULL,
  log_offset bigint NOT NULL,
  event_id text COLLATE "C" NOT NULL,
  -- Null where the sequence is taken but no event has this identity.
  stored_hash bytea,
  found_hash bytea NOT NULL,
  PRIMARY KEY (topic, partition, log_offset)
);
