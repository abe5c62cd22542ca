-- On what ground somebody opens a chart, the least first: the roster, the patient's permission, an
-- emergency. Only the last goes past a restriction of the patient's, and its tag says so. An emergency
-- is no purpose one declares: it has to be asked for, with a reason, and then every look is one.
create or replace function hospital_private.chart_ground(
  patient_id bigint,
  viewer hospital_private.viewer,
  purpose text
)
returns audit.chart_accesses
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  moment constant timestamptz := clock_timestamp();
  records constant bigint[] := array(
    select hospital_private.same_person_ids(array[chart_ground.patient_id])
  );
  ground audit.chart_accesses;
  is_restricted constant boolean := hospital_private.is_restricted(
    chart_ground.patient_id,
    chart_ground.viewer,
    chart_ground.purpose
  );
  is_emergency constant boolean := coalesce(chart_ground.purpose = 'emergency', false);
  is_treated constant boolean := chart_ground.patient_id in (
    select hospital_private.treated_patient_ids()
  );
  permission_id constant bigint := (
    select c.id
    from hospital.consents as c
    join hospital.consent_scopes as s
      on s.code = c.scope
      and s.decision = 'permit'
    where c.patient_id = any (records)
      and c.staff_member_id = (chart_ground.viewer).staff_member_id
      and c.in_force @> moment
    order by c.id
    limit 1
  );
  emergency_id constant bigint := (
    select g.id
    from hospital.break_glass_grants as g
    where g.patient_id = any (records)
      and g.account_id = (chart_ground.viewer).account_id
      and g.in_force @> moment
    order by g.id
    limit 1
  );
begin
  ground.patient_id := chart_ground.patient_id;
  ground.account_id := (chart_ground.viewer).account_id;
  ground.session_id := (chart_ground.viewer).session_id;
  ground.role := (chart_ground.viewer).role;
  ground.department_id := (chart_ground.viewer).department_id;
  ground.purpose := chart_ground.purpose;

  if is_treated and not is_restricted and not is_emergency then
    ground.tag := 'roster';
  elsif permission_id is not null and not is_restricted and not is_emergency then
    ground.tag := 'permission';
    ground.consent_id := permission_id;
  elsif emergency_id is not null then
    ground.tag := case
      when is_restricted then 'break_glass_over_restriction'
      else 'break_glass'
    end;
    ground.break_glass_grant_id := emergency_id;
    ground.purpose := 'emergency';
  elsif is_restricted and (is_treated or permission_id is not null) then
    raise exception using
      errcode = 'RSTRC',
      message = 'The patient has restricted access to this chart.',
      hint = 'In an emergency ask for access with breakGlass.';
  end if;
  return ground;
end;
$$;
comment on function hospital_private.chart_ground(bigint, hospital_private.viewer, text) is
  'The look at a chart as it would be recorded, its tag null where there is no ground for it. Raises RSTRC where the patient denies it to somebody who knows him.';
