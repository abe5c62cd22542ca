create or replace function hospital.amend_visit(
  visit_id bigint,
  amendment_reason text,
  diagnosis text default null,
  notes text default null
)
returns hospital.visits
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  visit hospital.visits;
begin
  if btrim(coalesce(amend_visit.amendment_reason, '')) = '' then
    raise exception using
      errcode = 'MISSA',
      message = 'Say why the record is amended.';
  end if;
  update hospital.visits as v
  set diagnosis = coalesce(amend_visit.diagnosis, v.diagnosis),
    notes = coalesce(amend_visit.notes, v.notes),
    amendment_reason = amend_visit.amendment_reason
  where v.id = amend_visit.visit_id
    and (v.diagnosis, v.notes) is distinct from (
      coalesce(amend_visit.diagnosis, v.diagnosis),
      coalesce(amend_visit.notes, v.notes)
    )
  returning v.*
  into visit;
  if visit.id is null then
    select v.*
    into visit
    from hospital.visits as v
    where v.id = amend_visit.visit_id
      and v.voided_at is null
      -- Another doctor's visit, which the caller may read and not change, is none of his.
      and v.doctor_id = hospital_private.current_doctor_id();
  end if;
  return hospital_private.found_visit(visit);
end;
$$;
comment on function hospital.amend_visit(bigint, text, text, text) is
  'Corrects the words of a visit, with a reason; the version before is kept. Raises NTFND, MISSA.';

create or replace function hospital.complete_visit(visit_id bigint)
returns hospital.visits
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  visit hospital.visits;
begin
  update hospital.visits as v
  set ended_at = coalesce(v.ended_at, greatest(now(), v.started_at))
  where v.id = complete_visit.visit_id
  returning v.*
  into visit;
  perform hospital_private.found_visit(visit);
  update hospital.appointments as a
  set status = 'completed'
  where a.id = visit.appointment_id
    and a.status = 'in_progress';
  return visit;
end;
$$;
comment on function hospital.complete_visit(bigint) is
  'Ends a visit and completes its appointment. Raises NTFND.';

create or replace function hospital.void_visit(visit_id bigint, reason text)
returns hospital.visits
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  visit hospital.visits;
begin
  update hospital.visits as v
  set voided_at = now(),
    void_reason = void_visit.reason
  where v.id = void_visit.visit_id
    and v.voided_at is null
  returning v.*
  into visit;
  -- What was entered in error no longer keeps doctor and patient busy.
  update hospital.appointments as a
  set status = 'completed'
  where a.id = visit.appointment_id
    and a.status = 'in_progress';
  -- Voiding twice is no error and keeps the first reason.
  if visit.id is null then
    select v.*
    into visit
    from hospital.visits as v
    where v.id = void_visit.visit_id
      and v.voided_at is not null
      and v.doctor_id = hospital_private.current_doctor_id();
  end if;
  return hospital_private.found_visit(visit);
end;
$$;
comment on function hospital.void_visit(bigint, text) is
  'Declares a visit entered in error, with a reason, and closes its appointment; nothing is deleted. Raises NTFND.';
