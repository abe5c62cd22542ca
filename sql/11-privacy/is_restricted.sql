-- Who denies a department denies what is part of it, and whoever denies it on one record does on all of his.
create or replace function hospital_private.is_restricted(
  patient_id bigint,
  viewer hospital_private.viewer,
  purpose text
)
returns boolean
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select exists (
    select
    from hospital.consents as c
    join hospital.consent_scopes as s
      on s.code = c.scope
      and s.decision = 'deny'
    where c.patient_id = any (
        array(select hospital_private.same_person_ids(array[is_restricted.patient_id]))
      )
      and c.in_force @> clock_timestamp()
      and (c.staff_member_id is null or c.staff_member_id = (is_restricted.viewer).staff_member_id)
      and (
        c.department_id is null
        or c.department_id in (
          with recursive above (id, parent_id) as (
            select d.id, d.parent_id
            from hospital.departments as d
            where d.id = (is_restricted.viewer).department_id
            union
            select d.id, d.parent_id
            from above as a
            join hospital.departments as d
              on d.id = a.parent_id
          )
          select above.id
          from above
        )
      )
      and (s.purpose is null or s.purpose = is_restricted.purpose)
  );
$$;
comment on function hospital_private.is_restricted(bigint, hospital_private.viewer, text) is
  'Whether the patient denies this person the chart for this purpose at this moment.';
