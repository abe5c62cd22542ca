-- The state machine is data; what repeats it elsewhere must say the same.
begin;
select no_plan();

create temporary view active as
select array_agg(code order by code) as codes
from hospital.appointment_statuses
where is_active;
create function pg_temp.named(definition text) returns text[]
language sql
as $$
  select array_agg(distinct s.code order by s.code)
  from regexp_matches($1, '''([a-z_]+)''::text', 'g') as found
  join hospital.appointment_statuses as s
    on s.code = found[1];
$$;
select is(pg_temp.named(pg_get_constraintdef(c.oid)), a.codes, c.conname || ' is about the active statuses.')
from pg_catalog.pg_constraint as c, active as a
where c.conrelid = 'hospital.appointments'::regclass
  and c.contype = 'x';
select is(count(*), 3::bigint, 'Doctor, patient and room have one each.')
from pg_catalog.pg_constraint as c
where c.conrelid = 'hospital.appointments'::regclass
  and c.contype = 'x';
select is(pg_temp.named(pg_get_triggerdef(t.oid)), a.codes, t.tgname || ' is about the active statuses.')
from pg_catalog.pg_trigger as t, active as a
where t.tgrelid = 'hospital.appointments'::regclass
  and t.tgname in ('_300_guard_insert', '_300_guard_update');
select is(
  array(
    select f.oid::regprocedure::text
    from pg_catalog.pg_proc as f
    where f.prosrc ~ 'status in \(''held'''
      and pg_temp.named(regexp_replace(
        (regexp_match(f.prosrc, 'status in (\(''held''[^)]*\))'))[1], '''([a-z_]+)''', '''\1''::text', 'g'
      )) <> (select codes from active)
  ),
  '{}', 'So is every function that lists them.'
);

-- Every pair of statuses: a change is allowed exactly when it is listed.
create temporary table one on commit drop as
select tests.doctor() as doctor, tests.patient() as patient;
create function pg_temp.change(from_status text, to_status text) returns text
language sql
as $$
  select tests.would_be(format(
    'with made as materialized (select tests.appointment(%s, %s, null, ''consultation'', %L) as id)
     select pg_temp.move(id, %L) from made',
    doctor, patient, $1, $2
  ))
  from one;
$$;
create function pg_temp.move(appointment_id bigint, to_status text) returns void
language sql
as $$
  update hospital.appointments
  set status = $2,
    expires_at = case when $2 = 'held' then now() + interval '10 minutes' end,
    cancellation_reason = case when $2 = 'cancelled' then 'patient_request' end
  where id = $1;
$$;
select is(
  pg_temp.change(f.code, t.code),
  case when l.from_status is null then 'appointment_status_history_transition_allowed' else 'accepted' end,
  format('From %s to %s is %s.', f.code, t.code, case when l.from_status is null then 'refused' else 'allowed' end)
)
from hospital.appointment_statuses as f
join hospital.appointment_statuses as t
  on t.code <> f.code
left join hospital.appointment_status_transitions as l
  on l.from_status = f.code
  and l.to_status = t.code
order by f.sort_order, t.sort_order;
select is(
  tests.would_be('insert into hospital.appointment_status_transitions values (''held'', ''held'', ''x'')'),
  'appointment_status_transitions_go_somewhere', 'No transition stays where it is.'
);

-- The history is written by whatever changes.
create temporary table made on commit drop as select tests.appointment(doctor, patient) as id from one;
select pg_temp.move(id, 'checked_in') from made;
select pg_temp.move(id, 'in_progress') from made;
update hospital.appointments set reason = 'No change of status';
select results_eq(
  'select from_status, to_status from hospital.appointment_status_history where appointment_id = (select id from made) order by id',
  $$ values (null, 'scheduled'), ('scheduled', 'checked_in'), ('checked_in', 'in_progress') $$,
  'Every change is in the history, once and in order.'
);
select * from finish();
rollback;
