-- Five failures lock an account, which stops who guesses one person's password but not who tries one
-- password on everybody. So refusals are also counted by where they come from. The limit is far above
-- what a ward behind one address mistypes, and a success does not reset it: whoever sprays may own an
-- account himself. Attempts that run at the same moment do not see each other; there are never more of
-- them than the API has connections.
create or replace function hospital_private.login_network()
returns inet
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  -- Whoever has IPv6 has a whole /64 of addresses to try from.
  select case family(c.address)
    when 6 then network(set_masklen(c.address, 64))::inet
    else c.address
  end
  from (
    select coalesce(hospital_private.client_address(), inet_client_addr(), '0.0.0.0')
  ) as c (address);
$$;
comment on function hospital_private.login_network() is
  'Where a log-in comes from, as far as one attacker reaches: an IPv4 address, or the /64 of an IPv6 address.';

create or replace function hospital_private.login_throttled(network inet)
returns boolean
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select count(*) >= 100
  from hospital_private.login_failures as f
  where f.client_network = login_throttled.network
    and f.failed_at > clock_timestamp() - interval '15 minutes';
$$;
comment on function hospital_private.login_throttled(inet) is
  'Whether a network has had 100 refusals within 15 minutes; callable by the owner alone.';

create or replace function hospital_private.note_login_failure(network inet)
returns void
language sql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
  insert into hospital_private.login_failures (client_network)
  values (note_login_failure.network);
  -- Each new row takes some old ones along, so the table needs no job.
  delete from hospital_private.login_failures as f
  where f.id = any (
    array(
      select old.id
      from hospital_private.login_failures as old
      where old.failed_at < clock_timestamp() - interval '1 day'
      order by old.failed_at
      limit 10
      for update skip locked
    )
  );
$$;
comment on function hospital_private.note_login_failure(inet) is
  'Counts a refused log-in against where it came from, and forgets some of the day before; callable by the owner alone.';
