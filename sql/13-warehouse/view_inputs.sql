-- What each materialized view reads, from the catalogue itself: a list beside the views would one day
-- leave something out, and the view would stay as it was. Views in
-- between are looked through.
create or replace view warehouse.view_inputs with (security_invoker = true) as
with recursive
reading as (
  select distinct
    rule.ev_class as reader,
    depend.refobjid as input
  from pg_catalog.pg_depend as depend
  join pg_catalog.pg_rewrite as rule
    on rule.oid = depend.objid
  where depend.classid = 'pg_catalog.pg_rewrite'::regclass
    and depend.refclassid = 'pg_catalog.pg_class'::regclass
    and depend.refobjid <> rule.ev_class
),
inputs as (
  select
    r.reader,
    r.input
  from reading as r
  join pg_catalog.pg_class as c
    on c.oid = r.reader
    and c.relkind = 'm'
    and c.relnamespace = 'warehouse'::regnamespace
  union
  select
    i.reader,
    r.input
  from inputs as i
  join pg_catalog.pg_class as c
    on c.oid = i.input
    and c.relkind = 'v'
  join reading as r
    on r.reader = i.input
)
select
  reader.relname::text collate "default" as view_name,
  input.relname::text collate "default" as input_name,
  extract(epoch from coalesce(t.changed_as_of, s.refreshed_at))::text as state
from inputs as i
join pg_catalog.pg_class as reader
  on reader.oid = i.reader
join pg_catalog.pg_class as input
  on input.oid = i.input
  and input.relkind <> 'v'
left join warehouse.table_states as t
  on t.table_name = input.relname::text
left join warehouse.view_states as s
  on s.view_name = input.relname::text

-- What a function reads the catalogue does not know. Every change of these tables leaves an entry.
union all
select
  'mv_duty_hours',
  calendar.table_name,
  (select count(*) from audit.entries as e where e.table_name = calendar.table_name)::text
from unnest(array[
  'hospital.doctor_schedules', 'hospital.doctor_time_off', 'hospital.doctor_extra_sessions',
  'hospital.doctors', 'hospital.staff_members', 'hospital.departments', 'hospital.facilities'
]) as calendar (table_name)
union all
select
  'mv_duty_hours',
  'day of load_state',
  (l.data_as_of at time zone 'UTC')::date::text
from warehouse.load_state as l;
comment on view warehouse.view_inputs is 'The tables and materialized views that each materialized view of the warehouse is made from.';
comment on column warehouse.view_inputs.view_name is 'The materialized view, without its schema.';
comment on column warehouse.view_inputs.input_name is 'What it reads, without its schema.';
comment on column warehouse.view_inputs.state is 'What is another whenever that has changed, or null if it never has.';
