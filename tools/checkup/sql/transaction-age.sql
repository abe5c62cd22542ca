-- At two thousand million the server refuses every write. Autovacuum begins at a tenth of that, so twice as
-- many mean that something holds it up.
select
  format(
    'The database %s has not been frozen for %s million transactions.',
    d.datname,
    d.age / 1000000
  ) as problem,
  format(
    'End what holds it up (old or prepared transactions, slots), then: vacuumdb --freeze %I',
    d.datname
  ) as remedy
from (
  select
    b.datname,
    greatest(age(b.datfrozenxid), mxid_age(b.datminmxid)) as age
  from pg_database as b
) as d
where d.age > 500000000
