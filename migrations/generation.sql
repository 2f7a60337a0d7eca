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

-- The stored events of an output, compared with the root that an anchor of the engine names for them. It tells how the
-- rows were checked, not what they are: a rebuild begins with none.
CREATE TABLE IF NOT EXISTS {schema}.root_checks (
  topic text COLLATE "C" NOT NULL,
  partition integer NOT NULL,
  anchor_hash text COLLATE "C" NOT NULL,
  -- Where the anchor is in engine.anchors, and the tape offset that it is at.
  anchor_log_offset bigint NOT NULL,
  anchor_tape_offset bigint NOT NULL,
  -- The root is over the events from first_sequence to before next_sequence; those from from_sequence on are new since
  -- the anchor before.
  first_sequence bigint NOT NULL,
  from_sequence bigint NOT NULL,
  next_sequence bigint NOT NULL,
  anchor_root text COLLATE "C" NOT NULL,
  -- agrees; differs; or awaits: not all of these events exist, and the anchor is compared again once they do.
  result text NOT NULL,
  -- Of the stored rows; null where they were not compared.
  stored_root text COLLATE "C",
  -- From which the next comparison continues: roots of the complete subtrees of the stored rows, the largest first.
  frontier text[] NOT NULL,
  -- What is wrong, in words; null where the anchor agrees.
  difference text,
  PRIMARY KEY (topic, partition, anchor_hash)
);
