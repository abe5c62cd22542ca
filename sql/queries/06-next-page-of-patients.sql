-- Question: How does a list of all patients show its third page of twenty, and quickly its
--   thousandth?
-- Technique: Keyset pagination by comparing rows.
-- Notice: (a, b, c) > (x, y, z) compares as a dictionary does and is one range of the index on the
--   names; offset would read and throw away everything before the page, and show a patient twice
--   when somebody registers meanwhile. The mark is the last row of the page before; a client keeps
--   it, here it is found by an offset so that the query stands alone. The id makes the order total.
with mark as (
  select
    p.family_name,
    p.given_name,
    p.id
  from hospital.patients as p
  where p.erased_at is null
  order by
    p.family_name,
    p.given_name,
    p.id
  offset 39
  limit 1
)
select
  p.family_name,
  p.given_name,
  p.date_of_birth,
  p.mrn
from hospital.patients as p
where (p.family_name, p.given_name, p.id) > (
    select
      m.family_name,
      m.given_name,
      m.id
    from mark as m
  )
  and p.erased_at is null
order by
  p.family_name,
  p.given_name,
  p.id
limit 20;
