-- Runs each time after the numbered migrations: a role that was created since then gets its access to the frame.
SELECT tapeproof.grant_to('tapeproof_projector', 'USAGE ON SCHEMA tapeproof');
SELECT tapeproof.grant_to('tapeproof_projector', 'SELECT ON tapeproof.projector_generations, tapeproof.migrations');
SELECT tapeproof.grant_to('tapeproof_reader', 'USAGE ON SCHEMA tapeproof');
SELECT tapeproof.grant_to('tapeproof_reader', 'SELECT ON tapeproof.projector_generations');
