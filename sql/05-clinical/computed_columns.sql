create or replace function hospital.patients_medications_in_use(patient hospital.patients)
returns setof hospital.prescriptions
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select p.*
  from hospital.prescriptions as p
  where p.patient_id in (
      select q.id
      from hospital.patients as q
      where q.person_id = patient.person_id
    )
    and p.stopped_at is null
    and p.start_date <= (now() at time zone coalesce(patient.time_zone, 'UTC'))::date
    and (
      p.end_date is null
      or p.end_date >= (now() at time zone coalesce(patient.time_zone, 'UTC'))::date
    )
  order by
    p.start_date,
    p.id;
$$;
comment on function hospital.patients_medications_in_use(hospital.patients) is
  'The prescriptions the patient should be taking today, on any of his records: begun, neither ended nor stopped.';

create or replace function hospital.visits_treatment_cost(visit hospital.visits)
returns numeric
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select coalesce(sum(t.cost), 0)
  from hospital.treatments as t
  where t.visit_id = visit.id
    and t.voided_at is null;
$$;
comment on function hospital.visits_treatment_cost(hospital.visits) is
  'The cost of the visit''s treatments in US dollars, without those withdrawn.';
