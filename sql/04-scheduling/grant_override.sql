-- The way around hours, notice, horizon and daily limits: a row that says who opened it, for whom and
-- why. It never opens the way to the same time twice. Who may grant one stands in the policies.
create or replace function hospital_private.grant_override(
  patient_id bigint,
  doctor_id bigint,
  appointment_type_id bigint,
  starts_at timestamptz,
  reason text
)
returns bigint
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  granted bigint;
begin
  if grant_override.reason is null then
    return null;
  end if;
  insert into hospital.appointment_overrides (doctor_id, patient_id, span, reason)
  select
    grant_override.doctor_id,
    grant_override.patient_id,
    tstzrange(
      grant_override.starts_at - make_interval(mins => t.buffer_before_minutes),
      grant_override.starts_at
        + make_interval(mins => t.duration_minutes + t.buffer_after_minutes)
    ),
    grant_override.reason
  from hospital.appointment_types as t
  where t.id = grant_override.appointment_type_id
  returning id
  into granted;
  return granted;
end;
$$;
comment on function hospital_private.grant_override(bigint, bigint, bigint, timestamptz, text) is
  'Grants leave to book outside the booking rules and returns its key, or null without a reason.';

-- Who granted it is not for the writer to say.
create or replace function hospital_private.stamp_override()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  new.granted_by := hospital_private.current_account_id();
  new.granted_at := now();
  return new;
end;
$$;
comment on function hospital_private.stamp_override() is
  'Trigger: writes who granted an override, and when. Lends the owner''s right to ask who is there.';

create or replace trigger _100_stamp
  before insert on hospital.appointment_overrides
  for each row execute function hospital_private.stamp_override();
