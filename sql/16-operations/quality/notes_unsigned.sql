create or replace view ops.quality_notes_unsigned
with (security_invoker = true) as
select
  n.id as row_key,
  n.signed_at is null as is_wrong
from hospital.clinical_notes as n
where n.voided_at is null
  and n.created_at < now() - interval '7 days';
call ops.define_quality_check(
  'notes_unsigned', 'warning', 'hospital.clinical_notes',
  'Notes that are not signed seven days after they were begun.',
  'Ask their authors to sign them: unsigned, they may still be changed.'
);
