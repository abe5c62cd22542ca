create or replace view ops.quality_visits_without_diagnosis
with (security_invoker = true) as
select
  v.id as row_key,
  not exists (
    select
    from hospital.visit_diagnoses as d
    where d.visit_id = v.id
      and d.voided_at is null
  ) as is_wrong
from hospital.visits as v
where v.voided_at is null
  and v.started_at < now() - interval '7 days';
call ops.define_quality_check(
  'visits_without_diagnosis', 'warning', 'hospital.visits',
  'Visits without a coded diagnosis seven days later.',
  'Ask their doctors to code them: nothing is counted or billed by free text.'
);
