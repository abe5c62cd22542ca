-- The constraint allows whoever was born since 1870: he may have died long ago.
create or replace view ops.quality_patients_too_old
with (security_invoker = true) as
select
  p.id as row_key,
  p.date_of_birth < (now() - interval '120 years')::date as is_wrong
from hospital.patients as p
where p.merged_into_id is null
  and p.erased_at is null
  and p.deceased_on is null;
call ops.define_quality_check(
  'patients_too_old', 'warning', 'hospital.patients',
  'Patients who would be older than 120 years.',
  'Correct the day of birth, or record the death.'
);
