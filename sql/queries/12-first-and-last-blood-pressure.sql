-- Question: How has the blood pressure of those treated for hypertension changed from the first to
--   the last reading?
-- Technique: first_value and last_value, over readings that JSON paths find in the notes.
-- Notice: The path filters inside the document and takes the text that holds a reading; the regular
--   expression takes it apart. last_value needs its frame spelt out: by default a frame ends at the
--   current row, and the last value so far is one's own. Addenda and drafts are no readings.
with reading as (
  select
    p.person_id,
    n.created_at,
    n.id,
    regexp_match(found.text, 'BP ([0-9]+)/([0-9]+)')::integer[] as pressure
  from hospital.clinical_notes as n
  join hospital.patients as p
    on p.id = n.patient_id
  join hospital.visits as v
    on v.record_uuid = n.record_uuid
    and v.voided_at is null
  cross join lateral (
    select jsonb_path_query_first(
      n.body, '$.objective ? (@ like_regex "BP [0-9]+/[0-9]+")'
    ) #>> '{}' as text
  ) as found
  where n.note_type = 'progress_note'
    and n.signed_at is not null
    and n.voided_at is null
    and found.text is not null
),
course as (
  select distinct
    r.person_id,
    count(*) over whole as readings,
    first_value(r.pressure) over whole as first_pressure,
    last_value(r.pressure) over whole as last_pressure
  from reading as r
  window whole as (
    partition by r.person_id
    order by r.created_at, r.id
    rows between unbounded preceding and unbounded following
  )
)
select
  p.mrn,
  c.readings,
  concat_ws('/', c.first_pressure[1], c.first_pressure[2]) as first_reading,
  concat_ws('/', c.last_pressure[1], c.last_pressure[2]) as last_reading,
  c.last_pressure[1] - c.first_pressure[1] as systolic_change
from course as c
join hospital.patients as p
  on p.id = c.person_id
where c.readings > 1
  and exists (
    select
    from hospital.patients as own
    join hospital.visits as v
      on v.patient_id = own.id
      and v.voided_at is null
    join hospital.visit_diagnoses as d
      on d.visit_id = v.id
    join hospital.diagnosis_codes as k
      on k.id = d.diagnosis_code_id
    where own.person_id = c.person_id
      and k.code = 'I10'
      and d.voided_at is null
  )
order by
  systolic_change,
  p.mrn;
