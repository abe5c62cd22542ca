-- The lines of pg_hba.conf by which one gets in over the network with no password, or with one that can be
-- overheard. Only a superuser may look.
select
  format(
    'pg_hba.conf, line %s: %s over the network, by %s.',
    h.line_number,
    array_to_string(h.user_name, ', '),
    h.auth_method
  ) as problem,
  'Let it begin with hostssl and end in scram-sha-256; then: select pg_reload_conf()' as remedy
from pg_hba_file_rules as h
where h.error is null
  and h.type <> 'local'
  and coalesce(h.address, '') not in ('127.0.0.1', '::1', 'localhost')
  and h.auth_method in ('trust', 'password', 'md5', 'ident')
