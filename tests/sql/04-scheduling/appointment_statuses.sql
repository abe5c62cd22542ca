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
  and t.tgname ~ '^_3[05]0_(guard|lapse_holds)_(insert|update)$';
select is(
  array(
    select f.oid::regprocedure::text
    from pg_catalog.pg_proc as f
    cross join regexp_matches(f.prosrc, 'status in (\(''held''[^)]*''in_progress''[^)]*\))', 'g') as list
    where array_remove(
      pg_temp.named(regexp_replace(list[1], '''([a-z_]+)''', '''\1''::text', 'g')), 'completed'
    ) <> (select codes from active)
  ),
  '{}', 'So is every function that lists them, with or without what took place.'
);

-- Every pair of statuses: a change is allowed exactly when it is listed.
create temporary table one on commit drop as
select tests.doctor() as doctor, tests.patient() as patient;
create function pg_temp.change(from_status text, to_status text) returns text
language sql
as $$
  select tests.would_be(format(
    'with made as materialized (select tests.appointment(%s, %s, %L, ''consultation'', %L) as id)
     select pg_temp.move(id, %L) from made',
    doctor, patient, tests.next_working_instant(doctor) - interval '14 days', $1, $2
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

-- When a change may be made is data too.
select is(
  tests.would_be(format(
    'with made as materialized (select tests.appointment(%s, %s) as id) select pg_temp.move(id, ''no_show'') from made',
    doctor, patient
  )),
  'TRNSN', 'Nobody has missed what is still to come.'
) from one;
update hospital.appointment_status_transitions
set earliest_minutes_before_start = 30
where from_status = 'scheduled' and to_status = 'checked_in';
select is(
  tests.would_be(format(
    'with made as materialized (select tests.appointment(%s, %s) as id) select pg_temp.move(id, ''checked_in'') from made',
    doctor, patient
  )),
  'TRNSN', 'Whoever may come in half an hour before is not checked in two days before.'
) from one;
select is(
  tests.would_be(format(
    'with made as materialized (select tests.appointment(%s, %s, %L) as id) select pg_temp.move(id, ''checked_in'') from made',
    doctor, patient, tests.next_working_instant(doctor) - interval '14 days'
  )),
  'accepted', 'Later is never too early.'
) from one;
update hospital.appointment_status_transitions
set earliest_minutes_before_start = null
where from_status = 'scheduled' and to_status = 'checked_in';

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
select pg_temp.move(id, 'completed') from made;
insert into made select tests.appointment(doctor, patient, tests.next_working_instant(doctor) - interval '14 days') from one;
update hospital.appointments set status = 'no_show', no_show_reason = 'not_informed' where id = (select max(id) from made);
select results_eq(
  'select to_status, reason from hospital.appointment_status_history where appointment_id = (select max(id) from made) order by id',
  $$ values ('scheduled', null), ('no_show', 'not_informed') $$,
  'With the reason where there is one.'
);
update hospital.appointments set status = 'scheduled' where id = (select max(id) from made);
select is(no_show_reason, null, 'Which goes when the status goes.')
from hospital.appointments where id = (select max(id) from made);
select is(
  tests.would_be($$update hospital.no_show_reasons set party = 'dog'$$),
  'no_show_reasons_party_known', 'On whose side the cause lies is known.'
);
select is(
  tests.would_be($$update hospital.appointments set status = 'no_show', no_show_reason = 'mood' where id = (select max(id) from made)$$),
  'appointments_no_show_reason_fkey', 'And the reason is on the list.'
);
select * from finish();
rollback;
