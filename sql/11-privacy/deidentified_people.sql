-- The persons of the release in force, with the secrets from which the masked views make pseudonyms
-- and dates. Only those views read it. They compute with built-in functions alone, since a function
-- that the reader had to be granted would answer him for any key he likes.
--
-- During an export its own release is the newest one, for that transaction and nobody else.
create or replace view hospital_private.deidentified_people as
select
  s.patient_id,
  s.secret,
  s.shift_days,
  encode(substr(sha256(s.secret), 1, 12), 'hex') as person,
  r.id as release_id,
  r.started_at,
  r.until,
  -- An earlier date of anybody's would tell that he is over 89.
  (r.until - interval '89 years')::date as dates_from,
  p.date_of_birth,
  p.sex,
  -- As everywhere, what was written after the release was made is not in it.
  case when p.changed_at <= r.started_at and p.deceased_on < r.until then p.deceased_on end
    as deceased_on
from hospital_private.masking_releases as r
join hospital_private.masking_subjects as s
  on s.release_id = r.id
join hospital_private.consenting_patients as p
  on p.id = s.patient_id
where (select hospital_private.admits_analyst())
  and r.id = (
    select max(newest.id)
    from hospital_private.masking_releases as newest
    where newest.retired_at is null
  );
comment on view hospital_private.deidentified_people is 'The persons of the release in force with their secrets, for the masked views alone.';
comment on column hospital_private.deidentified_people.patient_id is 'The key of the patient.';
comment on column hospital_private.deidentified_people.secret is 'The key of all pseudonyms of the person.';
comment on column hospital_private.deidentified_people.shift_days is 'By how many days all dates of the person are moved.';
comment on column hospital_private.deidentified_people.person is 'The pseudonym of the person.';
comment on column hospital_private.deidentified_people.release_id is 'The release in force.';
comment on column hospital_private.deidentified_people.started_at is 'When the release was made.';
comment on column hospital_private.deidentified_people.until is 'The first day that is no longer in the release.';
comment on column hospital_private.deidentified_people.dates_from is 'The first day on which anything of a person is dated.';
comment on column hospital_private.deidentified_people.date_of_birth is 'The date of birth.';
comment on column hospital_private.deidentified_people.sex is 'Administrative sex.';
comment on column hospital_private.deidentified_people.deceased_on is 'The date of death, where the release knows of it.';
