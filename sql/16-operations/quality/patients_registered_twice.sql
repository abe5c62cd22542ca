-- Names that are alike and not the same are asked for by sql/queries/27-perhaps-one-person.sql.
create or replace view ops.quality_patients_registered_twice
with (security_invoker = true) as
select
  p.id as row_key,
  count(*) over (
    partition by
      lower(p.family_name),
      lower(p.given_name),
      p.date_of_birth
  ) > 1 as is_wrong
from hospital.patients as p
where p.merged_into_id is null
  and p.erased_at is null;
call ops.define_quality_check(
  'patients_registered_twice', 'warning', 'hospital.patients',
  'Records of patients with the same name and day of birth.',
  'Look whether they are one person, and merge them: mergePatients.'
);
