-- Three services, three schemas, three roles, in the current database; and the audit log, which none of them owns. Run by a superuser, as often as you like.
-- The passwords are settings of the session (`set tacet.settings_password = '…'`); one that is not set is left as it is.
do $$
declare
  service text;
  password text;
begin
  -- Roles belong to the whole cluster: two databases prepared at once would collide.
  perform pg_advisory_xact_lock(hashtext('tacet.init'));
  execute format('revoke all on database %I from public', current_database());
  revoke all on schema public from public;

  foreach service in array array['settings', 'call_control', 'recording_assembly'] loop
    if not exists (select from pg_roles where rolname = service) then
      execute format('create role %I login', service);
    end if;
    password := current_setting('tacet.' || service || '_password', true);
    if password <> '' then
      execute format('alter role %I password %L', service, password);
    end if;
    execute format('grant connect on database %I to %I', current_database(), service);
    execute format('create schema if not exists %I', service);
    execute format('alter schema %I owner to %I', service, service);
    execute format('alter role %I in database %I set search_path = %I', service, current_database(), service);
  end loop;

  -- Nobody logs in as the owner of the audit log. The schema is the owner's too: the owner of a schema may drop what is in it.
  if not exists (select from pg_roles where rolname = 'settings_audit') then
    create role settings_audit nologin;
  end if;
  create schema if not exists settings_audit;
  alter schema settings_audit owner to settings_audit;
  grant usage on schema settings_audit to settings;
end
$$;

-- Takes the tables that a migration of settings has made, and leaves the service what it needs: to read, to append, and to move
-- the head of a chain on. Only this can give them away, so the migration of settings calls it.
create or replace function settings_audit.take_over() returns void language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  alter function settings.refuse_change() set schema settings_audit;
  alter function settings_audit.refuse_change() owner to settings_audit;
  alter table settings.audit_chains set schema settings_audit;
  alter table settings.audit_log set schema settings_audit;
  alter table settings_audit.audit_chains owner to settings_audit;
  alter table settings_audit.audit_log owner to settings_audit;
  revoke all on settings_audit.audit_chains, settings_audit.audit_log from public, settings;
  grant select, insert, update on settings_audit.audit_chains to settings;
  grant select, insert on settings_audit.audit_log to settings;
end
$$;
revoke all on function settings_audit.take_over() from public;
grant execute on function settings_audit.take_over() to settings;
