-- Read in the order of pseudonyms, as all views here are: the order in which rows lie in a table is that in
-- which they were written, and would tell which of two persons came first in truth.
create or replace view masked.patients
with (security_barrier = true) as
select
  p.person,
  case
    -- Whoever reached 90 is in one group, whichever way his dates are moved.
    when least(p.until, p.deceased_on) >= (p.date_of_birth + interval '90 years')::date
      then extract(year from p.until)::integer - 90
    else greatest(
      extract(year from p.date_of_birth + p.shift_days),
      extract(year from p.until) - 90
    )::integer
  end as birth_year,
  coalesce(c.category, 'rare') as sex,
  case when p.deceased_on >= p.dates_from then p.deceased_on + p.shift_days end as deceased_on
from hospital_private.deidentified_people as p
left join hospital_private.masking_categories as c
  on c.release_id = p.release_id
  and c.kind = 'sex'
  and c.category = p.sex
order by person;
comment on view masked.patients is 'The persons of the release, de-identified.';
comment on column masked.patients.person is 'The pseudonym of the person.';
comment on column masked.patients.birth_year is 'The year of birth, moved as all dates are; the earliest one stands for all before it, too.';
comment on column masked.patients.sex is 'Administrative sex, or rare.';
comment on column masked.patients.deceased_on is 'The moved date of death, or null.';
