-- Symptoms, from the note to the answer: a fact that was added in three files.
begin;
select no_plan();
select tests.world(with_colleague => true);
select warehouse.load();
select is_empty('select from warehouse.fact_symptoms', 'Notes without symptoms are in no fact.');

create function pg_temp.note(person text, symptoms jsonb, is_signed boolean default true, sensitivity text default 'normal', type text default 'progress_note')
returns bigint
language sql
as $$
  insert into hospital.clinical_notes (record_uuid, patient_id, note_type, author_id, sensitivity, body, signed_at)
  select
    v.record_uuid, v.patient_id, $5, d.staff_member_id, $4,
    case $5
      when 'consultation_note' then '{"question": "?", "findings": "x", "recommendations": ["x"]}'
      when 'history_and_physical' then '{"chief_complaint": "x", "history": "x", "examination": "x", "assessment": "x", "plan": "x"}'
      else '{"subjective": "x", "objective": "x", "assessment": "x", "plan": "x"}'
    end::jsonb || jsonb_build_object('symptoms', $2),
    case when $3 then now() end
  from hospital.visits as v
  join hospital.doctors as d on d.id = v.doctor_id
  where v.patient_id = tests.id_of($1)
  returning id;
$$;
create temporary table notes on commit drop as
select
  pg_temp.note('ann', '["  Dry \t cough ", "dry cough", "FEVER", "", " "]') as typed,
  pg_temp.note('ann', to_jsonb(array['Fever', repeat('x', 81)]), type => 'consultation_note') as long,
  pg_temp.note('ann', '["Fever"]', type => 'history_and_physical') as physical,
  pg_temp.note('ann', '["Cough"]', is_signed => false) as draft,
  pg_temp.note('bob', '["Night sweats"]', sensitivity => 'hiv') as sensitive,
  pg_temp.note('ann', '[]') as empty,
  pg_temp.note('cara', '["Fever"]') as caras;

create function pg_temp.load() returns text
language plpgsql
as $$
declare
  different bigint;
begin
  perform warehouse.load();
  select count(*) into different from warehouse.verify();
  return format('%s different', different);
end;
$$;
create function pg_temp.known() returns text
language sql
as $$
  select string_agg(array_to_string(f.symptoms, ', '), '; ' order by f.clinical_note_id) from warehouse.fact_symptoms as f;
$$;
select is(pg_temp.load(), '0 different', 'They are loaded as they come.');
select is(
  pg_temp.known(), 'dry cough, fever; fever; fever; fever',
  'Signed notes of normal sensitivity are, each word once, however it was typed; what is a sentence is none.'
);
select results_eq(
  $$
    select distinct f.visit_id, p.patient_id, d.doctor_id, o.department_id, f.noted_on
    from warehouse.fact_symptoms as f
    join warehouse.dim_patient as p using (patient_key)
    join warehouse.dim_doctor as d using (doctor_key)
    join warehouse.dim_department as o using (department_key)
    where p.patient_id = tests.id_of('ann')
  $$,
  $$
    select v.id, v.patient_id, v.doctor_id, a.department_id, (v.started_at at time zone f.time_zone)::date
    from hospital.visits as v
    join hospital.appointments as a on a.id = v.appointment_id
    join hospital.departments as d on d.id = a.department_id
    join hospital.facilities as f on f.id = d.facility_id
    where v.patient_id = tests.id_of('ann')
  $$,
  'Patient, doctor, department and day are the visit''s.'
);

-- What is signed later comes later; what was entered in error goes.
update hospital.clinical_notes as n set signed_at = now() from notes as x where n.id = x.draft;
update hospital.clinical_notes as n set voided_at = now(), void_reason = 'Wrong patient' from notes as x where n.id in (x.long, x.physical);
select is(pg_temp.load(), '0 different', 'Changes are loaded,');
select is(pg_temp.known(), 'dry cough, fever; cough; fever', 'a signature and a void as well.');
update hospital.visits as v set voided_at = now(), void_reason = 'Wrong patient' where v.patient_id = tests.id_of('cara');
select is(pg_temp.load(), '0 different', 'So is a visit in error,');
select is(pg_temp.known(), 'dry cough, fever; cough', 'whose notes no longer count.');

-- ### Who is told
update hospital_private.masking_settings set smallest_cell = 2;
-- Three more patients of each of two colleagues in Dora's department.
create temporary table others on commit drop as
select tests.patient() as id, case when n % 2 = 0 then tests.id_of('dan') else e.id end as doctor_id, n
from (select tests.doctor(m.department_id) as id from hospital.doctors as d join hospital.staff_members as m on m.id = d.staff_member_id where d.id = tests.id_of('dora')) as e
cross join generate_series(1, 4) as n;
insert into tests.people (name, id) select 'other ' || o.n, o.id from others as o;
select tests.visit(tests.appointment(o.doctor_id, o.id, now() - interval '1 hour' * o.n, status => 'completed')) from others as o;
update hospital.visits as v set started_at = (select w.started_at from hospital.visits as w where w.patient_id = tests.id_of('ann'))
from others as o where v.patient_id = o.id;
select pg_temp.note('other ' || o.n, case when o.n < 3 then '["Fever", "Ann Able of Elm Street"]' else '["fever"]' end::jsonb) from others as o;
select pg_temp.note('other 4', '["Hiccups"]');
select is(pg_temp.load(), '0 different', 'All is loaded.');
select ops.refresh_views();
create function pg_temp.frequency(department text, doctor text) returns text
language sql
as $$
  select string_agg(f.symptom || ' ' || f.visits, ', ')
  from analytics.symptom_frequency(
    null, null,
    (select m.department_id from hospital.doctors as d join hospital.staff_members as m on m.id = d.staff_member_id where d.id = tests.id_of($1)),
    tests.id_of($2)
  ) as f;
$$;
select tests.authenticate_as('dora@example.test');
select is(pg_temp.frequency(null, 'dora'), 'cough 1, dry cough 1, fever 1', 'A doctor is told of himself all, of the visits and not of the notes.');
select is(
  pg_temp.frequency(null, null), 'fever 5, ann able of elm street 2',
  'Of his department what two others of two colleagues had: what identifies is what few have, and nothing knows a name.'
);
select is(pg_temp.frequency(null, 'dan'), null, 'Of a colleague nothing.');
select is(pg_temp.frequency('dirk', null), null, 'Of another department nothing.');
select hospital.open_chart(tests.id_of('ann'));
select is(
  pg_temp.frequency(null, 'dora'),
  (
    select string_agg(x.line, ', ' order by x.line)
    from (
      select lower(btrim(regexp_replace(s.words, '\s+', ' ', 'g'))) || ' ' || count(distinct n.record_uuid) as line
      from hospital.clinical_notes as n
      cross join lateral jsonb_array_elements_text(n.body -> 'symptoms') as s (words)
      where n.signed_at is not null and n.voided_at is null and n.sensitivity = 'normal' and btrim(s.words) <> ''
      group by lower(btrim(regexp_replace(s.words, '\s+', ' ', 'g')))
    ) as x
  ),
  'It is what he finds himself in the charts he opens.'
);
select tests.authenticate_as('administrator@example.test');
select is(pg_temp.frequency(null, null), 'fever 5, ann able of elm street 2', 'An administrator is told what enough patients had.');
select is(pg_temp.frequency(null, 'dora'), null, 'Of Dora, with one patient, nothing,');
select is(pg_temp.frequency('dirk', null), null, 'and of a sensitive note nothing anywhere.');
select tests.authenticate_as(r || '@example.test'),
  is((tests.failure('select analytics.symptom_frequency()')).code, '42501', 'Not for ' || r || '.')
from unnest(array['ann', 'nurse', 'reception', 'pharmacist', 'laboratory', 'billing', 'analyst', 'auditor']) as r;
select tests.clear_authentication();

-- By the rule of the hospital, eleven, none of it would have been told.
update hospital_private.masking_settings set smallest_cell = 11;
select tests.authenticate_as('administrator@example.test');
select is(pg_temp.frequency(null, null), null, 'By the rule of eleven nothing is told of five.');
select tests.clear_authentication();

-- ### Erased
update hospital.appointments set status = 'completed' where status = 'in_progress';
update hospital.retention_rules set kept_for = '0', minors_until_age = null;
select tests.authenticate_as('administrator@example.test');
create temporary table certificates on commit drop as select e.* from hospital.erase_patient(tests.id_of('ann'), 'retention_ended') as e;
select tests.clear_authentication();
select is(
  (
    select string_agg(l.data_class || ' ' || l.outcome || ' ' || l.row_count, ', ' order by l.data_class)
    from hospital.erasure_lines as l join certificates as c on c.id = l.erasure_id where l.relation = 'warehouse.fact_symptoms'
  ),
  'clinical deleted 2, free_text deleted 2, technical deleted 2', 'Who is erased takes the own words along at once, and the certificate says so.'
);
select isnt(pg_temp.known() ~ 'cough', true, 'They are in no fact any more.');
select is(pg_temp.load(), '0 different', 'The next load finds nothing to take back.');
select * from finish();
rollback;
