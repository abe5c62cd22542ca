create or replace function hospital.add_treatment(
  visit_id bigint,
  type text,
  cost numeric,
  notes text default null,
  started_at timestamptz default null,
  ended_at timestamptz default null,
  outcome text default null
)
returns hospital.treatments
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  visit hospital.visits;
  treatment hospital.treatments;
begin
  select v.*
  into visit
  from hospital.visits as v
  where v.id = add_treatment.visit_id
    and v.voided_at is null;
  perform hospital_private.found_visit(visit);
  insert into hospital.treatments
    (visit_id, patient_id, type, cost, notes, started_at, ended_at, outcome)
  values (
    visit.id,
    visit.patient_id,
    add_treatment.type,
    add_treatment.cost,
    add_treatment.notes,
    coalesce(add_treatment.started_at, now()),
    add_treatment.ended_at,
    add_treatment.outcome
  )
  returning *
  into treatment;
  return treatment;
end;
$$;
comment on function hospital.add_treatment(
  bigint, text, numeric, text, timestamptz, timestamptz, text
) is
  'Records a treatment at a visit with its cost in US dollars, begun now unless another instant is given. Raises NTFND, or a conflict for an unknown type or outcome.';

create or replace function hospital.void_treatment(treatment_id bigint, reason text)
returns hospital.treatments
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  treatment hospital.treatments;
begin
  update hospital.treatments as t
  set voided_at = now(),
    void_reason = void_treatment.reason
  where t.id = void_treatment.treatment_id
    and t.voided_at is null
  returning t.*
  into treatment;
  -- Withdrawing twice is no error and keeps the first reason.
  if treatment.id is null then
    select t.*
    into treatment
    from hospital.treatments as t
    where t.id = void_treatment.treatment_id
      and t.voided_at is not null;
  end if;
  if treatment.id is null then
    raise exception using
      errcode = 'NTFND',
      message = 'There is no such treatment in a chart you have open.';
  end if;
  return treatment;
end;
$$;
comment on function hospital.void_treatment(bigint, text) is
  'Withdraws a treatment entered in error, with a reason; nothing is deleted. Raises NTFND.';
