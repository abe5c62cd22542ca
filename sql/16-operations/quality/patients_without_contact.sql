create or replace view ops.quality_patients_without_contact
with (security_invoker = true) as
select
  p.id as row_key,
  not exists (
    select
    from hospital.contact_points as c
    where c.patient_id = p.id
  ) as is_wrong
from hospital.patients as p
where p.merged_into_id is null
  and p.erased_at is null
  and p.deactivated_at is null
  and p.deceased_on is null;
call ops.define_quality_check(
  'patients_without_contact', 'warning', 'hospital.patients',
  'Patients of whom nobody knows how to reach them.',
  'Ask at the next visit: no message reaches them.'
);
