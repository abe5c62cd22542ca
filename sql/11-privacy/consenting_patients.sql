-- Whom research may see at all, in one place: releases, the rows read through them and published
-- aggregates all begin here, and a person who is no longer in it is gone at once. Conditions are
-- written as joins and never as calls: the views above run with their owner's rights, but functions
-- in them with the reader's.
create or replace view hospital_private.consenting_patients as
select
  p.id,
  p.date_of_birth,
  p.sex,
  p.deceased_on,
  p.updated_at as changed_at
from hospital.patients as p
where p.merged_into_id is null
  and p.erased_at is null
  and not exists (
    select
    from hospital.patients as r
    join hospital.consents as c
      on c.patient_id = r.id
      and c.in_force @> clock_timestamp()
    join hospital.consent_scopes as s
      on s.code = c.scope
      and s.decision = 'deny'
      and s.purpose = 'research'
    where r.person_id = p.id
  );
comment on view hospital_private.consenting_patients is 'The patients whose data research may see, de-identified: not those who were merged into another or erased, and nobody who has withdrawn from research.';
comment on column hospital_private.consenting_patients.id is 'The key of the patient.';
comment on column hospital_private.consenting_patients.date_of_birth is 'The date of birth.';
comment on column hospital_private.consenting_patients.sex is 'Administrative sex.';
comment on column hospital_private.consenting_patients.deceased_on is 'The date of death, or null.';
comment on column hospital_private.consenting_patients.changed_at is 'When the patient''s row last changed.';
