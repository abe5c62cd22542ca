-- How coarsely a diagnosis is shown to research. SNOMED CT has no shorter form of a code, so its codes are
-- categories themselves, and in no chapter.
create or replace view hospital_private.diagnosis_categories as
select
  c.id as diagnosis_code_id,
  c.system,
  case c.system when 'icd10cm' then left(c.code, 3) else c.code end as category,
  coalesce(h.name, 'Not coded in ICD-10-CM') as chapter
from hospital.diagnosis_codes as c
left join masked.diagnosis_chapters as h
  on c.system = 'icd10cm'
  and left(c.code, 3) >= h.first_category collate "C"
  and left(c.code, 3) <= h.last_category collate "C";
comment on view hospital_private.diagnosis_categories is 'Diagnosis codes as research sees them: the first three characters, and the chapter.';
comment on column hospital_private.diagnosis_categories.diagnosis_code_id is 'The key of the code.';
comment on column hospital_private.diagnosis_categories.system is 'The coding system.';
comment on column hospital_private.diagnosis_categories.category is 'The first three characters of an ICD-10-CM code, or the whole of another.';
comment on column hospital_private.diagnosis_categories.chapter is 'The chapter of ICD-10-CM.';
