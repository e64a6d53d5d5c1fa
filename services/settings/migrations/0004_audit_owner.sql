-- The tables of the audit log go to an owner whom nobody logs in as: infra/postgres/init.sql, which a superuser runs before this, made the way.
SELECT "settings_audit"."take_over"();
