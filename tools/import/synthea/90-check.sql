-- Every line said to be loaded must be found in the hospital: a join that dropped one would lose it
-- silently. That every line has an outcome is checked where the summary is written.
do $$
declare
  lost bigint;
begin
  select count(*)
  into lost
  from pg_temp.outcomes as o
  where o.outcome = 'loaded'
    and not exists (
      select
      from (
        select 'organizations', s.line
        from pg_temp.staged_organizations as s
        join hospital.facilities as f
          on f.public_uuid = s.public_uuid
        union all
        select 'providers', s.line
        from pg_temp.staged_providers as s
        join hospital.staff_members as m
          on m.public_uuid = s.public_uuid
        join hospital.doctors as d
          on d.staff_member_id = m.id
        union all
        select 'patients', s.line
        from pg_temp.staged_patients as s
        join hospital.patients as p
          on p.public_uuid = s.public_uuid
        union all
        select 'encounters', s.line
        from pg_temp.staged_encounters as s
        join hospital.visits as v
          on v.record_uuid = s.public_uuid
        union all
        select 'conditions', n.line
        from pg_temp.new_conditions as n
        join hospital.patient_conditions as c
          on c.id = n.id
        union all
        select 'medications', n.line
        from pg_temp.new_prescriptions as n
        join hospital.prescriptions as p
          on p.id = n.id
        union all
        select 'procedures', n.line
        from pg_temp.new_treatments as n
        join hospital.treatments as t
          on t.id = n.id
      ) as arrived (file, line)
      where arrived.file = o.file
        and arrived.line = o.line
    );
  if lost > 0 then
    raise exception using
      errcode = 'LOSTL',
      message = format('%s lines would have been lost.', lost),
      hint = 'This is a fault of the importer; nothing was loaded. Please report it.';
  end if;
end;
$$;
