-- The policies on notes rest on this beside open_charts. What else opens sensitive notes for a while,
-- such as breaking the glass, is one more branch here and nothing anywhere else.
create or replace function hospital_private.open_sensitivities()
returns setof hospital_private.patient_sensitivity
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select
    g.patient_id,
    g.sensitivity
  from hospital.sensitivity_grants as g
  where g.staff_member_id = (select hospital_private.current_staff_member_id())
    -- Not the transaction's time, nor the statement's: a grant that ends, ends.
    and g.in_force @> clock_timestamp();
$$;
comment on function hospital_private.open_sensitivities() is
  'Whose notes of which sensitivity the live session may read in charts it opens. Lends the owner''s right to read grants for this one question.';
