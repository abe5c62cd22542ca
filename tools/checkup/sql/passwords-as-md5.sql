-- A stolen MD5 verifier is as good as the password. Only a superuser may look.
select
  format('The password of %s is stored as MD5.', a.rolname) as problem,
  format(
    'set password_encryption = ''scram-sha-256''; then in psql: \password %I',
    a.rolname
  ) as remedy
from pg_authid as a
where a.rolpassword like 'md5%'
