-- Who may do what with the read models: docs/security.md. Roles belong to the whole cluster and have passwords, so no
-- migration makes them; access is granted to those that exist, here, in access.sql and with each generation.
CREATE FUNCTION tapeproof.grant_to(grantee text, access text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = grantee) THEN
    EXECUTE format('GRANT %s TO %I', access, grantee);
  END IF;
END
$$;

-- It does what its caller may do anyway, and is nobody else's tool.
REVOKE ALL ON FUNCTION tapeproof.grant_to FROM PUBLIC;
