-- Run once by the Postgres image, as the superuser, when the database is created: the roles of docs/security.md.
\getenv migrator TAPEPROOF_POSTGRES_MIGRATOR_PASSWORD
\getenv projector TAPEPROOF_POSTGRES_PROJECTOR_PASSWORD
\getenv reader TAPEPROOF_POSTGRES_READER_PASSWORD
CREATE ROLE tapeproof_migrator LOGIN PASSWORD :'migrator';
CREATE ROLE tapeproof_projector LOGIN PASSWORD :'projector';
CREATE ROLE tapeproof_reader LOGIN PASSWORD :'reader';
ALTER DATABASE tapeproof OWNER TO tapeproof_migrator;
REVOKE ALL ON DATABASE tapeproof, postgres, template1 FROM PUBLIC;
GRANT CONNECT ON DATABASE tapeproof TO tapeproof_projector, tapeproof_reader;
