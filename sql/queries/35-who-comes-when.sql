-- Question: Who comes at which part of the day: by sex, by age, by both, and all together?
-- Technique: cube: every combination of the groups, with part of the day across.
-- Notice: cube (a, b) is rollup in all directions: (a, b), (a), (b) and (). Three columns would
--   make eight groupings, ten a thousand: ask only for those that somebody reads, by grouping sets.
--   Age is a fact of the visit, since a patient grows older; his sex is a version of the dimension,
--   as it was on record on that day.
select
  case when grouping(p.sex) = 1 then 'all' else p.sex end as sex,
  case when grouping(band.age) = 1 then 'all' else band.age end as age,
  count(*) as visits,
  count(*) filter (where t.part_of_day = 'night') as night,
  count(*) filter (where t.part_of_day = 'morning') as morning,
  count(*) filter (where t.part_of_day = 'afternoon') as afternoon,
  count(*) filter (where t.part_of_day = 'evening') as evening
from warehouse.fact_visits as v
join warehouse.dim_patient as p
  on p.patient_key = v.patient_key
join warehouse.dim_time_of_day as t
  on t.minute_key = v.start_minute
cross join lateral (
  select
    case
      when v.age_years < 18 then '00-17'
      when v.age_years < 40 then '18-39'
      when v.age_years < 65 then '40-64'
      else '65+'
    end as age
) as band
group by cube (p.sex, band.age)
order by
  grouping(p.sex),
  p.sex,
  grouping(band.age),
  band.age;
