-- Every table of hospital and hospital_private is enrolled in the audit with all its columns, or listed in
-- audit.unaudited_tables with a reason. A migration that adds or changes a table says: call audit.enrol_tables().
/* broken by
create table hospital_private.probe (id bigint primary key);
mended by
call audit.enrol_tables();
*/
select
  audit.name_of(audited.relation) as subject,
  'changes without a record: call audit.enrol_tables()' as problem
from audit.audited_tables() as audited (relation)
left join audit.enrolments as enrolment
  on enrolment.table_name = audit.name_of(audited.relation)
where enrolment.columns is distinct from audit.audited_columns(audited.relation)
  or exists (
    select
    from unnest(array['insert', 'update', 'delete', 'truncate']) as event (name)
    where not exists (
      select
      from pg_trigger as trigger
      where trigger.tgrelid = audited.relation
        and trigger.tgname = '_900_audit_' || event.name
        and trigger.tgenabled = 'O'
    )
  )

union all
select
  unaudited.table_name,
  'is excepted from the audit and does not exist'
from audit.unaudited_tables as unaudited
where to_regclass(unaudited.table_name) is null

union all
select
  unaudited.table_name || '.' || unaudited.column_name,
  'is named to the audit and does not exist'
from (
  select u.table_name, u.column_name
  from audit.unaudited_columns as u

  union all
  select i.table_name, i.column_name
  from audit.identity_columns as i
) as unaudited
where not exists (
  select
  from pg_attribute as attribute
  where attribute.attrelid = to_regclass(unaudited.table_name)
    and attribute.attname = unaudited.column_name
    and not attribute.attisdropped
)

union all
select
  audit.name_of(audited.relation) || '.' || attribute.attname,
  'looks like a secret and would be in the audit: list it in audit.unaudited_columns'
from audit.audited_tables() as audited (relation)
join pg_attribute as attribute
  on attribute.attrelid = audited.relation
where attribute.attname = any (audit.audited_columns(audited.relation))
  and attribute.attname ~ 'password|secret|token|hash'
