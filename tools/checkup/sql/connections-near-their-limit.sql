-- The places kept for superusers and for members of pg_use_reserved_connections are not ours.
select
  format('%s of %s connections are in use.', s.used, s.places) as problem,
  'Put PgBouncer in front of the API, or give the server more: alter system set max_connections = '
    || 2 * s.places || '; then restart it' as remedy
from (
  select
    (
      select count(*)
      from pg_stat_activity as a
      where a.backend_type = 'client backend'
    ) as used,
    current_setting('max_connections')::integer
      - current_setting('superuser_reserved_connections')::integer
      - coalesce(current_setting('reserved_connections', true)::integer, 0) as places
) as s
where s.used > 0.8 * s.places
