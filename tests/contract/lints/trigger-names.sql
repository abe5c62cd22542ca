-- Triggers fire in the order of their names, so the names begin with a number: _100_timestamps before
-- _900_audit.
/* broken by
create function hospital_private.probe() returns trigger language plpgsql
as 'begin return new; end';
create trigger probe before insert on hospital.patients
for each row execute function hospital_private.probe();
mended by
alter trigger probe on hospital.patients rename to _500_probe;
*/
select
  format('%s.%s', trigger.tgrelid::regclass, trigger.tgname) as subject,
  'is not named _NNN_what_it_does' as problem
from pg_trigger as trigger
join pg_class as relation
  on relation.oid = trigger.tgrelid
where not trigger.tgisinternal
  and relation.relnamespace::regnamespace::text in (
    'hospital', 'hospital_private', 'audit', 'warehouse', 'masked', 'staging', 'ops'
  )
  and trigger.tgname !~ '^_[0-9]{3}_[a-z0-9_]+$'
