-- Three services, three schemas, three roles, in the current database. Run by a superuser, as often as you like.
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
end
$$;
