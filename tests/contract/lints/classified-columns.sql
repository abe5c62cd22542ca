-- Every column says what it tells about a person, in sql/11-privacy/what_is_personal.sql: an erasure that
-- does not know a column leaves it behind. A table with a patient's key, or with anything an erasure
-- takes away, says there how its rows are found, and carries the guard on exactly those columns.
/* broken by
create table hospital.probe (patient_id bigint, note text);
mended by
insert into hospital_private.column_classes (relation, column_name, class)
values ('hospital.probe', 'patient_id', 'technical'), ('hospital.probe', 'note', 'free_text');
insert into hospital_private.person_tables (relation, rows_of, is_deleted)
values ('hospital.probe', 't.patient_id = any ($1)', false);
call hospital_private.guard_person_tables();
*/
select
  format('%s.%s', c.relation, c.column_name) as subject,
  'has no class in sql/11-privacy/what_is_personal.sql' as problem
from hospital_private.personal_columns as c
where c.class is null

union all
select
  format('%s.%s', c.relation, c.column_name),
  'has a class and does not exist'
from hospital_private.column_classes as c
where not exists (
  select
  from hospital_private.personal_columns as p
  where p.relation = c.relation
    and p.column_name = c.column_name
)

union all
select distinct
  c.relation,
  'holds something about patients and is not listed in person_tables'
from hospital_private.personal_columns as c
where (c.is_erased or c.patient_column is not null)
  and not exists (
    select
    from hospital_private.person_tables as t
    where t.relation = c.relation
  )

union all
select
  c.relation,
  'lacks the guard of legal holds and erasures on: ' || string_agg(c.column_name, ', ')
from hospital_private.personal_columns as c
where c.is_erased
  and c.patient_column is not null
  and not exists (
    select
    from pg_trigger as trigger
    join pg_attribute as attribute
      on attribute.attrelid = trigger.tgrelid
      and attribute.attnum = any (trigger.tgattr)
    where trigger.tgrelid = to_regclass(c.relation)
      and trigger.tgname = '_320_guard_person'
      and trigger.tgenabled = 'O'
      and attribute.attname = c.column_name
  )
group by c.relation
