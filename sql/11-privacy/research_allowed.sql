-- De-identified data leave out whoever withdrew from research: asked by the views of the analyst.
create or replace function hospital_private.research_allowed(patient_id bigint)
returns boolean
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select not exists (
    select
    from hospital.consents as c
    join hospital.consent_scopes as s
      on s.code = c.scope
      and s.decision = 'deny'
      and s.purpose = 'research'
    where c.patient_id = any (
        array(select hospital_private.same_person_ids(array[research_allowed.patient_id]))
      )
      and c.in_force @> clock_timestamp()
  );
$$;
comment on function hospital_private.research_allowed(bigint) is
  'Whether the patient has not withdrawn from research. Lends the owner''s right to read consents for this one question.';
